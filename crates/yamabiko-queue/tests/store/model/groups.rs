//! Groups of a chat's jobs that are cancelled all at once (I4).

use yamabiko_queue::{JobId, Timestamp, store::Group};

use super::{Kept, Place, World};

/// A group that is being cancelled.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    number: u64,
    chat: String,
    group: Group,
    origin_by: Option<Timestamp>,
}

impl Noted {
    /// Returns whether a live job of the chat is in the group.
    fn has(&self, kept: &Kept) -> bool {
        let is_scheduled = matches!(kept.place, Place::Scheduled(_));
        let time = kept.job.origin_time.unwrap_or(kept.job.arrived);
        self.origin_by.is_none_or(|by| time <= by)
            && match &self.group {
                Group::Kind(kind) => kept.job.kind == *kind,
                Group::Origin(origin) => kept.job.origin.as_ref() == Some(origin),
                Group::AllBut(kind) => kept.job.kind != *kind || is_scheduled,
            }
    }

    /// Returns whether this group makes another one needless.
    fn covers(&self, other: &Self) -> bool {
        let is_later = |by| other.origin_by.is_some_and(|other| other <= by);
        self.chat == other.chat && self.group == other.group && self.origin_by.is_none_or(is_later)
    }
}

impl World {
    pub(super) fn cancel_group(&mut self, run: JobId, group: &Group, by: Option<Timestamp>) {
        let Some(chat) = self.jobs[&run].job.chat.clone() else { return };
        self.last_group += 1;
        let number = self.last_group;
        let noted = Noted { number, chat, group: group.clone(), origin_by: by };
        self.groups.retain(|other| !noted.covers(other));
        self.groups.push(noted);
        self.job(run).spared = number;
    }

    /// Returns what a job of this chat spares that begins to live now.
    pub(super) fn newest_group(&self, chat: Option<&String>) -> u64 {
        let of_chat = self.groups.iter().rev().find(|noted| Some(&noted.chat) == chat);
        of_chat.map_or(0, |noted| noted.number)
    }

    /// Returns whether a live job is in a group that was cancelled after it was stored.
    pub(super) fn is_cancelled_group(&self, id: JobId) -> bool {
        let kept = &self.jobs[&id];
        self.groups.iter().any(|noted| {
            kept.job.chat.as_ref() == Some(&noted.chat)
                && noted.number > kept.spared
                && noted.has(kept)
        })
    }

    /// Takes out what was cancelled, and returns whether there is more to do.
    pub(super) fn sweep_groups(&mut self, now: Timestamp, at_most: usize) -> bool {
        let mut left = at_most;
        while left > 0
            && let Some(noted) = self.groups.first().cloned()
        {
            let is_candidate = |kept: &Kept| {
                kept.job.chat.as_ref() == Some(&noted.chat)
                    && kept.spared < noted.number
                    && !matches!(kept.place, Place::Dead(_) | Place::Completed(_))
            };
            let mut found: Vec<_> = self
                .jobs
                .iter()
                .filter(|(_, kept)| is_candidate(kept))
                .map(|(id, kept)| (std::cmp::Reverse(kept.spared), *id, noted.has(kept)))
                .collect();
            found.sort();
            found.truncate(left);
            for (_, id, is_in_group) in &found {
                if *is_in_group {
                    self.cancel(now, *id);
                }
                if let Some(kept) = self.jobs.get_mut(id) {
                    kept.spared = noted.number;
                }
            }
            if found.len() < left {
                self.groups.remove(0);
            }
            left -= found.len().clamp(1, left);
        }
        !self.groups.is_empty()
    }
}
