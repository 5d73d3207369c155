//! Lanes that a job lends while it waits for its next run (O8).

use yamabiko_queue::{JobId, Timestamp};

use super::{Loan, Place, World};

impl World {
    /// Lends the lane of a job that has just been put off, unless it has the lane on loan itself.
    pub(super) fn lend(&mut self, now: Timestamp, id: JobId) {
        let Some(lane) = self.jobs[&id].job.lane.clone() else { return };
        self.loans.entry(lane.clone()).or_insert(Loan { lender: Some(id), borrower: None });
        self.lend_again(now, &lane);
    }

    /// Gives a lane that is lent, and that nobody has borrowed, to the first in line that may pass the lender.
    pub(super) fn lend_again(&mut self, now: Timestamp, lane: &str) {
        let Some(Loan { lender: Some(lender), borrower: None }) = self.loans.get(lane).copied()
        else {
            return;
        };
        let lends = self.jobs[&lender].clone();
        if !matches!(lends.place, Place::Scheduled(at) if at > now) {
            return;
        }
        let may_pass = |id: &JobId| {
            let kept = &self.jobs[id];
            kept.passes_until.is_some_and(|until| until > now)
                && kept.job.origin.is_some()
                && kept.job.origin != lends.job.origin
        };
        let line = self.waiting.get(lane).cloned().unwrap_or_default();
        let Some(id) = line.into_iter().find(may_pass) else { return };
        self.step_out(id);
        self.holders.insert(lane.to_owned(), id);
        self.loans.insert(lane.to_owned(), Loan { lender: Some(lender), borrower: Some(id) });
        self.put(id, Place::Ready);
    }

    /// A lender is due: its lane is lent no longer; says whether it has to wait first in line.
    pub(super) fn waits_in_front(&mut self, id: JobId) -> bool {
        let Some(lane) = self.jobs[&id].job.lane.clone() else { return false };
        let Some(loan) = self.loans.get_mut(&lane).filter(|loan| loan.lender == Some(id)) else {
            return false;
        };
        if loan.borrower.is_none() {
            self.loans.remove(&lane);
            return false;
        }
        loan.lender = None;
        self.put(id, Place::Waiting);
        self.job(id).stood = 0;
        self.waiting.get_mut(&lane).expect("it was just put there").rotate_right(1);
        true
    }

    /// A job leaves its lane, or the store; says whether the lane has its holder by a loan.
    pub(super) fn ends_loan(&mut self, now: Timestamp, lane: &str, id: JobId) -> bool {
        let Some(loan) = self.loans.get_mut(lane) else { return false };
        if loan.lender == Some(id) && loan.borrower.is_some() {
            loan.lender = None;
            return true;
        }
        let Some(lender) = loan.lender.filter(|_| loan.borrower == Some(id)) else { return false };
        loan.borrower = None;
        self.holders.insert(lane.to_owned(), lender);
        self.lend_again(now, lane);
        true
    }

    pub(super) fn is_on_loan(&self, id: JobId) -> bool {
        self.loans.values().any(|loan| loan.borrower == Some(id))
    }

    /// A job gives back the lane that it has on loan, and stands where it stood.
    pub(super) fn give_back(&mut self, now: Timestamp, id: JobId, afresh: bool) {
        if afresh {
            self.job(id).job.first_claimed = None;
        }
        if !self.is_on_loan(id) {
            self.put_first(id);
            return;
        }
        let stood = self.jobs[&id].stood;
        self.put(id, Place::Waiting);
        let kept = self.job(id);
        (kept.stood, kept.passes_until) = (stood, None);
        let lane = kept.job.lane.clone().expect("it is on loan");
        let mut line = self.waiting.remove(&lane).unwrap_or_default();
        line.sort_by_key(|id| self.jobs[id].stood);
        self.waiting.insert(lane, line);
        self.leave_lane(now, id);
    }
}
