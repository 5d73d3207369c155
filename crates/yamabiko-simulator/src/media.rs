//! What users send beside text: the bytes of images, videos, audio and files, for the bot to download.

use std::collections::{HashMap, VecDeque};

use bytes::Bytes;

/// As many bytes are kept in all; the oldest content goes first, as LINE deletes content after a while.
const KEPT_BYTES: usize = 256 * 1024 * 1024;

/// Is the content of one message.
#[derive(Clone, Debug)]
pub(crate) struct Media {
    pub(crate) bytes: Bytes,
    pub(crate) content_type: String,
    /// Before that time it is being prepared.
    pub(crate) ready_at: i64,
}

impl Media {
    /// Tells whether it can be downloaded.
    pub(crate) fn is_ready(&self, now: i64) -> bool {
        now >= self.ready_at
    }
}

/// Holds the contents by the ids of their messages.
#[derive(Debug, Default)]
pub(crate) struct MediaStore {
    all: HashMap<String, Media>,
    order: VecDeque<String>,
    bytes: usize,
}

impl MediaStore {
    /// Keeps the content of a message.
    pub(crate) fn keep(&mut self, message_id: &str, media: Media) {
        self.bytes += media.bytes.len();
        self.order.push_back(message_id.into());
        self.all.insert(message_id.into(), media);
        while self.bytes > KEPT_BYTES {
            let Some(oldest) = self.order.pop_front() else { break };
            self.forget(&oldest);
        }
    }

    /// Finds the content of a message.
    pub(crate) fn get(&self, message_id: &str) -> Option<&Media> {
        self.all.get(message_id)
    }

    /// Deletes the content of a message.
    pub(crate) fn forget(&mut self, message_id: &str) {
        if let Some(media) = self.all.remove(message_id) {
            self.bytes -= media.bytes.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_content_goes_when_there_is_too_much() {
        let mut store = MediaStore::default();
        let large = Media {
            bytes: Bytes::from(vec![0; KEPT_BYTES / 2]),
            content_type: "video/mp4".into(),
            ready_at: 0,
        };
        for id in ["1", "2", "3"] {
            store.keep(id, large.clone());
        }
        assert!(store.get("1").is_none() && store.get("2").is_some() && store.get("3").is_some());
        store.forget("2");
        assert_eq!(store.bytes, KEPT_BYTES / 2);
    }
}
