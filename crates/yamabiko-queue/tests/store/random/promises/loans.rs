//! Who may have a lane that is lent (O8).

use yamabiko_queue::{JobId, Timestamp, store::Claim};

use super::Promises;

/// Takes a job out of its line that is claimed on loan, and returns who stood before it.
pub(super) fn passed(line: &mut Vec<JobId>, id: JobId) -> Option<(JobId, Vec<JobId>)> {
    let place = line.iter().position(|other| *other == id)?;
    line.remove(place);
    Some((id, line[..place].to_vec()))
}

impl Promises {
    /// A job of a lane is claimed: only one that may pass the lender, the lender itself, or one after it has ended.
    pub(super) fn check_loan(&mut self, now: Timestamp, lane: &str, claim: &Claim) {
        let id = claim.job.id;
        let lender = self.lender.get(lane).copied();
        if !claim.on_loan {
            let is_own = lender.is_none_or(|it| it == id || self.may_be_over(now, it));
            assert!(is_own, "a job that may not passes one that lends the lane");
            self.lender.remove(lane);
            return;
        }
        let new = &self.jobs[&id].new;
        assert!(new.passes_until.is_some() && new.origin.is_some(), "a job passes that may not");
        let of_lender = lender.map(|lender| &self.jobs[&lender].new.origin);
        assert_ne!(of_lender, Some(&new.origin), "a job passes one of its own origin");
    }

    /// A job that gave its lane back stands where it stood before it was claimed.
    pub(super) fn back_in_line(&mut self, id: JobId) {
        let (Some(before), Some(lane)) = (self.before.remove(&id), &self.jobs[&id].new.lane) else {
            return;
        };
        let line = self.line.entry(lane.clone()).or_default();
        let last = line.iter().rposition(|other| before.contains(other));
        line.insert(last.map_or(0, |last| last + 1), id);
    }
}
