//! Lists jobs page by page (Q4).

use rusqlite::{Row, params_from_iter, types::Value};
use serde::{Deserialize, Serialize};

use super::{
    reader::View,
    row::{self, job_columns},
};
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
    fn of(row: &Row<'_>, record: &JobRecord) -> rusqlite::Result<Self> {
        let line = match record.state {
            State::Ready => record.job.queue.clone(),
            State::Waiting => record.job.lane.clone().unwrap_or_default(),
            _ => String::new(),
        };
        Ok(Self { line, place: row.get(row::PLACE)?, id: record.job.id })
    }
}

impl View {
    /// Lists jobs in one state.
    pub(super) fn list(&self, query: &Query) -> rusqlite::Result<Page> {
        let mut page = Page::default();
        let Some((sql, values)) = select(query) else { return Ok(page) };
        let mut select = self.db.prepare_cached(&sql)?;
        let mut rows = select.query(params_from_iter(values))?;
        let mut last = None;
        let mut looked_at = 0;
        while let Some(row) = rows.next()? {
            if looked_at == MAX_SCAN || page.records.len() >= query.limit {
                page.next = last.and_then(|mark: Mark| serde_json::to_string(&mark).ok());
                break;
            }
            let record = row::record(row)?;
            looked_at += 1;
            last = Some(Mark::of(row, &record)?);
            if query.matches(&record.job) {
                page.records.push(record);
            }
        }
        Ok(page)
    }
}

/// Returns the SQL with its values: what has an index is left to SQLite, the rest to `Query::matches`.
fn select(query: &Query) -> Option<(String, Vec<Value>)> {
    let (state, after, order) = match query.state {
        State::Scheduled => (0, "(place, id) > (?, ?)", "place, id"),
        State::Ready => (1, "(queue, place) > (?, ?)", "queue, place"),
        State::Waiting => (2, "(lane, place) > (?, ?)", "lane, place"),
        State::Running => (3, "(place, id) > (?, ?)", "place, id"),
        State::Dead => (4, "(place, id) < (?, ?)", "place DESC, id DESC"),
        State::Completed => (5, "(place, id) < (?, ?)", "place DESC, id DESC"),
        State::Cancelled => return None,
    };
    let mut sql = format!("SELECT {} FROM job WHERE state = {state}", job_columns!());
    let mut values = Vec::new();
    for (column, wanted) in [
        ("chat", &query.chat),
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
