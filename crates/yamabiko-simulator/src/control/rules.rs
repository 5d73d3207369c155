//! The platform's rules while it runs: settings, faults, time.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{Input, Refused};
use crate::clock::Clock;
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
        memory.touch();
        memory.faults.add(fault);
        Json(json!({ "faults": memory.faults.list() }))
    }))
}

/// Switches all faults off.
pub(crate) async fn clear_faults(State(platform): State<Arc<Platform>>) -> Json<Value> {
    platform.update(|memory| {
        memory.touch();
        memory.faults.clear();
    });
    Json(json!({ "faults": [] }))
}

/// Ends all access tokens that were issued; the configured one stays.
pub(crate) async fn end_access_tokens(State(platform): State<Arc<Platform>>) -> Json<Value> {
    platform.update(|memory| {
        memory.touch();
        memory.access_tokens.end_all();
    });
    Json(json!({}))
}

/// Shows the time, and how it goes on.
pub(crate) async fn clock(State(platform): State<Arc<Platform>>) -> Json<Value> {
    let clock = &platform.clock;
    Json(json!({ "now": clock.now_ms(), "speed": clock.speed(), "stands": clock.stands() }))
}

/// Says what shall be different about the time.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Time {
    advance_seconds: Option<u32>,
    speed: Option<u32>,
    stands: Option<bool>,
}

/// Moves the time, and changes how it goes on.
pub(crate) async fn set_clock(
    State(platform): State<Arc<Platform>>,
    Input(time): Input<Time>,
) -> Result<Json<Value>, Refused> {
    if time.speed.is_some_and(|speed| !(1..=Clock::MAX_SPEED).contains(&speed)) {
        let message = format!("speed must be 1 to {}", Clock::MAX_SPEED);
        return Err(Refused(StatusCode::BAD_REQUEST, message));
    }
    if let Some(speed) = time.speed {
        platform.clock.set_speed(speed);
    }
    match time.stands {
        Some(true) => platform.clock.stand(),
        Some(false) => platform.clock.run(),
        None => {}
    }
    if let Some(seconds) = time.advance_seconds {
        platform.clock.advance(Duration::from_secs(seconds.into()));
    }
    platform.update(|memory| {
        memory.touch();
    });
    Ok(clock(State(platform)).await)
}
