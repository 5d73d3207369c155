//! Lists jobs page by page (Q4).

use std::ops::ControlFlow;

use rusqlite::types::Value;
use serde::{Deserialize, Serialize};

use super::reader::{View, or_one_by_one};
use crate::{
    job::{JobId, JobRecord},
    state::State,
    store::{MAX_SCAN, Page, Query},
};

/// Where a listing goes on: behind this job.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    /// The queue or lane in whose line it stands, if it does.
    line: String,
    place: i64,
    id: JobId,
}

impl Mark {
    fn of(record: &JobRecord, place: i64) -> Self {
        let line = match record.state {
            State::Ready => record.job.queue.clone(),
            State::Waiting => record.job.lane.clone().unwrap_or_default(),
            _ => String::new(),
        };
        Self { line, place, id: record.job.id }
    }
}

impl View {
    /// Lists jobs in one state.
    pub(super) fn list(&self, query: &Query) -> rusqlite::Result<Page> {
        or_one_by_one(|one_by_one| {
            let Some((which, values)) = select(query, !one_by_one) else {
                return Ok(Page::default());
            };
            let mut page = Page::default();
            let mut last = None;
            let mut looked_at = 0;
            self.jobs(&which, &values, one_by_one, |record, place| {
                if looked_at == MAX_SCAN || page.records.len() >= query.limit {
                    page.next =
                        last.take().and_then(|mark: Mark| serde_json::to_string(&mark).ok());
                    return ControlFlow::Break(());
                }
                looked_at += 1;
                last = Some(Mark::of(&record, place));
                if query.matches(&record.job) {
                    page.records.push(record);
                }
                ControlFlow::Continue(())
            })?;
            Ok(page)
        })
    }
}

/// Returns which jobs, in their order, with the values that are asked for: what has an index is left to SQLite, the rest to `Query::matches`.
fn select(query: &Query, by_chat: bool) -> Option<(String, Vec<Value>)> {
    let (state, after, order) = match query.state {
        State::Scheduled => (0, "(place, id) > (?, ?)", "place, id"),
        State::Ready => (1, "(queue, place) > (?, ?)", "queue, place"),
        State::Waiting => (2, "(lane, place) > (?, ?)", "lane, place"),
        State::Running => (3, "(place, id) > (?, ?)", "place, id"),
        State::Dead => (4, "(place, id) < (?, ?)", "place DESC, id DESC"),
        State::Completed => (5, "(place, id) < (?, ?)", "place DESC, id DESC"),
        State::Cancelled => return None,
    };
    let mut sql = format!("state = {state}");
    let mut values = Vec::new();
    for (column, wanted) in [
        ("chat", if by_chat { &query.chat } else { &None }),
        ("queue", if state == 1 { &query.queue } else { &None }),
        ("lane", if state == 2 { &query.lane } else { &None }),
    ] {
        if let Some(wanted) = wanted {
            sql.push_str(&format!(" AND {column} = ?"));
            values.push(Value::from(wanted.clone()));
        }
    }
    if let Some(mark) = query.after.as_deref().and_then(|after| serde_json::from_str(after).ok()) {
        let Mark { line, place, id } = mark;
        sql.push_str(&format!(" AND {after}"));
        values.extend(match state {
            1 | 2 => [Value::from(line), Value::from(place)],
            _ => [Value::from(place), Value::from(id.as_bytes().to_vec())],
        });
    }
    sql.push_str(&format!(" ORDER BY {order}"));
    Some((sql, values))
}
