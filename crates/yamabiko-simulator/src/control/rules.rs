//! The platform's rules while it runs: settings, faults, time.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Input, Refused};
use crate::config::Settings;
use crate::faults::Fault;
use crate::platform::Platform;

/// Shows the settings.
pub(crate) async fn settings(State(platform): State<Arc<Platform>>) -> Json<Settings> {
    Json(platform.read(|memory| memory.settings.clone()))
}

/// Changes the settings that are given, and shows all.
pub(crate) async fn set_settings(
    State(platform): State<Arc<Platform>>,
    Input(given): Input<Map<String, Value>>,
) -> Result<Json<Settings>, Refused> {
    platform.update(|memory| {
        let mut all = serde_json::to_value(&memory.settings).unwrap_or_default();
        if let Some(all) = all.as_object_mut() {
            all.extend(given);
        }
        let settings: Settings = serde_json::from_value(all)
            .map_err(|error| Refused(StatusCode::BAD_REQUEST, error.to_string()))?;
        memory.touch();
        memory.settings = settings.clone();
        Ok(Json(settings))
    })
}

/// Shows the faults that are on.
pub(crate) async fn faults(State(platform): State<Arc<Platform>>) -> Json<Value> {
    platform.read(|memory| Json(json!({ "faults": memory.faults.list() })))
}

/// Switches a fault on.
pub(crate) async fn add_fault(
    State(platform): State<Arc<Platform>>,
    Input(fault): Input<Fault>,
) -> Result<Json<Value>, Refused> {
    if let Some(problem) = fault.problem() {
        return Err(Refused(StatusCode::BAD_REQUEST, problem.into()));
    }
    Ok(platform.update(|memory| {
        memory.faults.add(fault);
        Json(json!({ "faults": memory.faults.list() }))
    }))
}

/// Switches all faults off.
pub(crate) async fn clear_faults(State(platform): State<Arc<Platform>>) -> Json<Value> {
    platform.update(|memory| memory.faults.clear());
    Json(json!({ "faults": [] }))
}

/// Says how far to move the clock.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Advance {
    #[serde(rename = "advanceSeconds")]
    seconds: u32,
}

/// Moves the simulator's clock forward.
pub(crate) async fn advance(
    State(platform): State<Arc<Platform>>,
    Input(Advance { seconds }): Input<Advance>,
) -> Json<Value> {
    platform.clock.advance(Duration::from_secs(seconds.into()));
    platform.update(|memory| {
        memory.touch();
    });
    Json(json!({ "now": platform.now() }))
}
