//! How many messages there may be, and how many there were.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use jiff::civil::{Date, date};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::Refused;
use crate::chats::Via;
use crate::platform::Platform;

/// LINE counts deliveries since this day.
const FIRST_DAY: Date = date(2018, 3, 31);

/// Tells how many counted messages a month has.
pub(crate) async fn quota(State(platform): State<Arc<Platform>>) -> Json<Value> {
    Json(match platform.read(|memory| memory.settings.monthly_limit) {
        Some(limit) => json!({ "type": "limited", "value": limit }),
        None => json!({ "type": "none" }),
    })
}

/// Tells how many counted messages this month has seen, as far as that is known already.
pub(crate) async fn consumption(State(platform): State<Arc<Platform>>) -> Json<Value> {
    let now = platform.now();
    let told = platform
        .read(|memory| memory.quota.used(now).saturating_sub(memory.settings.consumption_lag));
    Json(json!({ "totalUsage": told }))
}

/// Names a day, `yyyyMMdd`.
#[derive(Debug, Deserialize)]
pub(crate) struct On {
    #[serde(default)]
    date: String,
}

/// Tells how many messages of a kind were sent on a day that is over.
pub(crate) async fn delivery(
    State(platform): State<Arc<Platform>>,
    Path(kind): Path<String>,
    Query(On { date }): Query<On>,
) -> Result<Json<Value>, Refused> {
    let kinds = [Via::Reply, Via::Push, Via::Multicast, Via::Broadcast];
    let via = kinds.into_iter().find(|via| via.word() == kind);
    let via = via.ok_or_else(|| Refused::new(StatusCode::NOT_FOUND, "Not found"))?;
    let day = Date::strptime("%Y%m%d", &date);
    let day = day.map_err(|_| Refused::bad("The value for the 'date' parameter is invalid"))?;
    if day < FIRST_DAY {
        return Ok(Json(json!({ "status": "out_of_service" })));
    }
    let now = platform.now();
    Ok(Json(match platform.read(|memory| memory.quota.sent(now, day, via.word())) {
        Some(count) => json!({ "status": "ready", "success": count }),
        None => json!({ "status": "unready" }),
    }))
}
