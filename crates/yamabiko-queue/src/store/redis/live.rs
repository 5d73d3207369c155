//! The live jobs of a chat.

use std::collections::HashSet;

use super::{RedisStore, scripts::call};
use crate::{error::Result, job::JobId};

/// Live jobs of a chat that are returned at most.
const MAX_LIVE: usize = 10_000;
/// Jobs that one step names: it takes a server some 3 ms.
const NAMED_AT_ONCE: usize = 5_000;
/// So many of the last jobs of a step tell the next one where to go on; not all of them can end meanwhile.
const LANDMARKS: usize = 16;

impl RedisStore {
    /// Returns the ids of a chat's live jobs, as they are at the time of the step that came to each.
    pub(super) async fn live_ids(&self, chat: &str) -> Result<Vec<JobId>> {
        let mut ids: Vec<JobId> = Vec::new();
        loop {
            let mut live = self.begin(&self.scripts.live);
            live.arg(chat).arg(NAMED_AT_ONCE);
            for id in &ids[ids.len().saturating_sub(LANDMARKS)..] {
                live.arg(id.as_bytes());
            }
            let answer: Vec<u8> = call(&self.connection, &live).await?;
            let (has_more, named) = answer.split_first().unwrap_or((&b'0', &[]));
            ids.extend(named.chunks_exact(16).filter_map(JobId::from_slice));
            if *has_more == b'0' || ids.len() >= MAX_LIVE {
                let mut seen = HashSet::new();
                ids.retain(|id| seen.insert(*id));
                return Ok(ids);
            }
        }
    }
}
