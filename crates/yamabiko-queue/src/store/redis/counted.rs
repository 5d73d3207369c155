//! What there is, from as many calls as there are pages of queues.

use redis::Value;

use super::decode::{not_understood, part, time};
use crate::{
    error::Result,
    state::State,
    store::{Counts, Paused},
};

/// Counts, as far as they were asked for.
#[derive(Debug, Default)]
pub(super) struct Counted {
    counts: Counts,
    /// The queue that was last on the last page.
    last_queue: Vec<u8>,
    /// How many paused queues were seen, those included whose pause is over.
    paused: usize,
}

impl Counted {
    /// Returns where the next page begins: behind this queue, and behind so many paused ones.
    pub(super) fn place(&self) -> (&[u8], usize) {
        (&self.last_queue, self.paused)
    }

    /// Reads a page, and says whether it was the last.
    pub(super) fn read(&mut self, page: Vec<Value>) -> Result<bool> {
        let page = <[Value; 8]>::try_from(page).map_err(|_| not_understood("not eight parts"))?;
        let [numbers, next_due, queues, lengths, paused, untils, processes, is_all] = page;
        if self.counts.states.is_empty() {
            let processes: Vec<Option<Vec<u8>>> = part(processes)?;
            self.read_first(&part::<Vec<u64>>(numbers)?, &part::<String>(next_due)?, &processes)?;
        }
        let queues: Vec<Vec<u8>> = part(queues)?;
        if let Some(last) = queues.last() {
            self.last_queue.clone_from(last);
        }
        for (queue, ready) in queues.iter().zip(part::<Vec<u64>>(lengths)?) {
            self.counts.queues.entry(name(queue)).or_default().ready = ready;
        }
        let paused: Vec<Vec<u8>> = part(paused)?;
        self.paused += paused.len();
        for (queue, until) in paused.iter().zip(part::<Vec<String>>(untils)?) {
            let until = match until.as_str() {
                "over" => continue,
                until => time(until).map_or(Paused::UntilResumed, Paused::Until),
            };
            self.counts.queues.entry(name(queue)).or_default().paused = Some(until);
        }
        part(is_all)
    }

    fn read_first(
        &mut self,
        numbers: &[u64],
        next_due: &str,
        processes: &[Option<Vec<u8>>],
    ) -> Result<()> {
        let [scheduled, running, dead, completed, all, damaged] = *numbers else {
            return Err(not_understood("not six numbers"));
        };
        self.counts.states = [
            (State::Scheduled, scheduled),
            (State::Running, running),
            (State::Dead, dead),
            (State::Completed, completed),
            // Those that are ready are taken off at the end.
            (State::Waiting, all.saturating_sub(scheduled + running + dead + completed)),
        ]
        .into();
        self.counts.damaged = damaged;
        self.counts.next_due = time(next_due);
        let processes = processes.iter().flatten();
        // What a newer version says of itself may be unreadable.
        self.counts.processes =
            processes.filter_map(|about| serde_json::from_slice(about).ok()).collect();
        Ok(())
    }

    /// Returns the counts.
    pub(super) fn finish(mut self) -> Counts {
        let ready: u64 = self.counts.queues.values().map(|queue| queue.ready).sum();
        let waiting = self.counts.states.entry(State::Waiting).or_default();
        *waiting = waiting.saturating_sub(ready);
        self.counts.states.insert(State::Ready, ready);
        self.counts
    }
}

fn name(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
