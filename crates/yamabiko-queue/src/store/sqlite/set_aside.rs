//! Sets records aside that steps cannot work on, and brings them back once they can.
//!
//! What is set aside stays where it is, since it cannot be removed; a table names it, and no step looks at it again.

use rusqlite::Connection;

use super::{
    damage::{Record, Suspect, Work},
    row::Text,
    step::{Place, Step},
};
use crate::job::JobId;

/// A record that was set aside.
#[derive(Debug)]
pub(super) struct SetAside {
    /// Which, in words.
    what: String,
    why: String,
    /// Whether it has ended all the same, so that nothing is lost by it.
    is_over: bool,
}

impl SetAside {
    /// Logs and counts it.
    pub(super) fn log(&self) {
        let Self { what, why, is_over } = self;
        metrics::counter!("yamabiko_damaged_records_total").increment(1);
        if *is_over {
            tracing::warn!(
                what,
                why,
                "a record of the store cannot be removed because the file is damaged; it has ended, and is set aside"
            );
        } else {
            tracing::error!(
                what,
                why,
                "a record of the store is damaged and set aside, all others go on; `doctor` says what to do"
            );
        }
    }
}

/// Returns what was set aside and can be worked on again, or is gone: the file was repaired.
pub(super) fn healed(db: &Connection) -> rusqlite::Result<Vec<Record>> {
    let rows = |sql: &str| -> rusqlite::Result<Vec<(i64, bool)>> {
        db.prepare(sql)?.query_map((), |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    };
    let mut healed = Vec::new();
    for (seq, is_over) in rows("SELECT seq, over FROM damaged")? {
        let record = Record::Job(seq);
        // What has ended must not come back; each attempt to remove it is a transaction of its own, which may fail.
        let is_healed = if is_over {
            db.execute("DELETE FROM job WHERE seq = ?", (seq,)).is_ok()
        } else {
            record.why_unreadable(db)?.is_none()
        };
        healed.extend(is_healed.then_some(record));
    }
    for (seq, is_over) in rows("SELECT seq, over FROM damaged_state")? {
        let record = Record::State(seq);
        let is_healed = if is_over {
            db.execute("DELETE FROM state WHERE seq = ?", (seq,)).is_ok()
        } else {
            record.why_unreadable(db)?.is_none()
        };
        healed.extend(is_healed.then_some(record));
    }
    Ok(healed)
}

impl Step<'_, '_> {
    /// Sets a record aside, and says whether that is news.
    pub(super) fn set_aside(&mut self, suspect: Suspect, why: &str) -> rusqlite::Result<bool> {
        match suspect.record {
            Record::Job(seq) => self.set_job_aside(seq, why),
            // One that is written is set aside because another takes its place.
            Record::State(seq) => self.set_state_aside(seq, why, suspect.work != Work::Read),
        }
    }

    fn set_job_aside(&mut self, seq: i64, why: &str) -> rusqlite::Result<bool> {
        // What is known without the row: the indexes have it.
        let id = self.first(
            "SELECT id FROM job INDEXED BY sqlite_autoindex_job_1 WHERE seq = ?",
            (seq,),
            |row| row.get::<_, Vec<u8>>(0),
        )?;
        let lane = self.first(
            "SELECT lane FROM job INDEXED BY lane_holder WHERE holds > 0 AND seq = ?",
            (seq,),
            |row| row.get::<_, Text>(0),
        )?;
        let is_scheduled = self.exists(
            "SELECT 1 FROM job INDEXED BY job_scheduled WHERE state = 0 AND seq = ?",
            (seq,),
        )?;
        let is_completed = self.exists(
            "SELECT 1 FROM job INDEXED BY job_completed WHERE state = 5 AND seq = ?",
            (seq,),
        )?;
        if !self.note_damaged(seq, id.as_deref(), lane.as_ref(), why, false)? {
            return Ok(false);
        }
        self.shared.scheduled -= i64::from(is_scheduled);
        self.shared.completed -= i64::from(is_completed);
        if lane.is_some() {
            let queue = Text::default();
            self.pass_lane_on(&Place {
                seq,
                id: id.unwrap_or_default(),
                queue,
                lane,
                holds: 1,
                remember: 0,
            })?;
        }
        Ok(true)
    }

    fn note_damaged(
        &mut self,
        seq: i64,
        id: Option<&[u8]>,
        lane: Option<&Text>,
        why: &str,
        is_over: bool,
    ) -> rusqlite::Result<bool> {
        let added = self.run(
            "INSERT INTO damaged (seq, id, lane, found, why, over) VALUES (?, ?, ?, ?, ?, ?)
             ON CONFLICT (seq) DO NOTHING",
            (seq, id, lane, self.now.as_micros(), why, is_over),
        )?;
        if added == 0 {
            return Ok(false);
        }
        self.shared.damaged += 1;
        let what = id.map_or_else(
            || format!("the job in row {seq}"),
            |id| format!("job {}", JobId::of_stored(id)),
        );
        self.care.set_aside.borrow_mut().push(SetAside { what, why: why.to_owned(), is_over });
        Ok(true)
    }

    fn set_state_aside(&self, seq: i64, why: &str, is_over: bool) -> rusqlite::Result<bool> {
        let lane = self.first(
            "SELECT lane FROM state INDEXED BY state_lane WHERE seq = ?",
            (seq,),
            |row| row.get::<_, Text>(0),
        )?;
        let added = self.run(
            "INSERT INTO damaged_state (seq, lane, found, why, over) VALUES (?, ?, ?, ?, ?)
             ON CONFLICT (seq) DO NOTHING",
            (seq, &lane, self.now.as_micros(), why, is_over),
        )?;
        if added == 0 {
            return Ok(false);
        }
        let lane = lane.map_or_else(|| format!("in row {seq}"), |lane| lane.lossy());
        let what = format!("the state of {lane}");
        self.care.set_aside.borrow_mut().push(SetAside { what, why: why.to_owned(), is_over });
        Ok(true)
    }

    /// Says whether a job that ends was found to be stuck in its row; it is set aside then.
    pub(super) fn ends_without_a_trace(&mut self, job: &Place) -> rusqlite::Result<bool> {
        if !self.care.is_stuck(job.seq) {
            return Ok(false);
        }
        let why = "a page beside its own is damaged";
        self.note_damaged(job.seq, Some(&job.id), job.lane.as_ref(), why, true)?;
        Ok(true)
    }

    /// Brings back what was set aside and can be worked on again; what is gone is no longer noted.
    pub(super) fn bring_back(&mut self, healed: &[Record]) -> rusqlite::Result<()> {
        for record in healed {
            match record {
                Record::Job(seq) => self.bring_job_back(*seq)?,
                Record::State(seq) => self.bring_state_back(*seq)?,
            }
        }
        Ok(())
    }

    fn bring_job_back(&mut self, seq: i64) -> rusqlite::Result<()> {
        // Another process that starts at the same time may have been faster.
        if self.run("DELETE FROM damaged WHERE seq = ?", (seq,))? == 0 {
            return Ok(());
        }
        self.shared.damaged -= 1;
        let job = self.first(
            "SELECT seq, id, queue, lane, 0, remember, state, cancelled FROM job WHERE seq = ?",
            (seq,),
            |row| Ok((Place::of(row)?, row.get::<_, u8>(6)?, row.get::<_, bool>(7)?)),
        )?;
        let Some((job, state, is_cancelled)) = job else { return Ok(()) };
        // Its lane has gone on without it.
        let sql = "UPDATE job SET holds = 0, token = NULL WHERE seq = ?";
        self.change(Work::Change, seq, sql, (seq,))?;
        self.shared.scheduled += i64::from(state == 0);
        self.shared.completed += i64::from(state == 5);
        match state {
            1..=3 if is_cancelled => self.remove(&job),
            1 | 2 => self.enter(&job),
            3 => {
                self.note_lost_claim(&job)?;
                self.enter(&job)
            }
            _ => Ok(()),
        }
    }

    fn bring_state_back(&self, seq: i64) -> rusqlite::Result<()> {
        self.run("DELETE FROM damaged_state WHERE seq = ?", (seq,))?;
        // Unless the lane has a newer one.
        self.run(
            "DELETE FROM state WHERE seq = ?1 AND EXISTS
             (SELECT 1 FROM state AS newer WHERE newer.lane = state.lane AND newer.seq != ?1
                  AND newer.seq NOT IN (SELECT seq FROM damaged_state))",
            (seq,),
        )
        .map(drop)
    }
}
