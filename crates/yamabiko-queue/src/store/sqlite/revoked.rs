//! Origins whose jobs are not to run any more (I5).

use super::{
    row::Text,
    step::{Step, limit},
};
use crate::store::{MAX_REVOKED, REVOKED_FOR, count_forgotten_revocations};

impl Step<'_, '_> {
    /// Remembers an origin for a day; the oldest is forgotten for it if there are too many.
    pub(super) fn revoke(&mut self, origin: &str) -> rusqlite::Result<()> {
        let until = (self.recorded + REVOKED_FOR).as_micros();
        let renewed =
            self.run("UPDATE revoked SET until = ? WHERE origin = ?", (until, origin))? > 0;
        if renewed {
            return Ok(());
        }
        self.run("INSERT INTO revoked (origin, until) VALUES (?, ?)", (origin, until))?;
        self.shared.revoked += 1;
        let surplus = self.shared.revoked - limit(MAX_REVOKED);
        if surplus > 0 {
            let oldest = "DELETE FROM revoked WHERE origin IN
                          (SELECT origin FROM revoked ORDER BY until LIMIT ?)";
            let forgotten = self.run(oldest, (surplus,))?;
            self.shared.revoked -= limit(forgotten);
            count_forgotten_revocations(forgotten as u64);
        }
        Ok(())
    }

    /// Says whether jobs of this origin are not to run any more.
    pub(super) fn is_revoked(&self, origin: Option<&String>) -> rusqlite::Result<bool> {
        match origin.filter(|_| self.shared.revoked > 0) {
            Some(origin) => self.exists("SELECT 1 FROM revoked WHERE origin = ?", (origin,)),
            None => Ok(false),
        }
    }

    /// Forgets what was revoked long ago.
    pub(super) fn prune_revoked(&mut self, most: i64) -> rusqlite::Result<()> {
        if self.shared.revoked == 0 {
            return Ok(());
        }
        let old = "DELETE FROM revoked WHERE origin IN
                   (SELECT origin FROM revoked WHERE until <= ? ORDER BY until LIMIT ?)
                   RETURNING origin";
        let gone = self.all(old, (self.recorded.as_micros(), most), |row| row.get::<_, Text>(0))?;
        self.shared.revoked -= limit(gone.len());
        Ok(())
    }
}
