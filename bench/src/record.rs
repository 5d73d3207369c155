//! The file formats of a comparison with other queues, and the wall clock that they need.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::{Context as _, ensure};

/// The bytes of a record: the job's index, and a time in Unix nanoseconds, both little-endian.
const BYTES: u64 = 16;

/// Returns the time in Unix nanoseconds.
#[expect(
    clippy::disallowed_methods,
    reason = "other programs' records are compared with ours by this clock"
)]
pub(crate) fn wall_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Returns the payload of the job of this index.
pub(crate) fn payload(index: u64) -> Vec<u8> {
    format!(r#"{{"to":"U{index:032x}","text":"180"}}"#).into_bytes()
}

/// Returns the index of the job with this payload.
pub(crate) fn index(payload: &[u8]) -> Option<u64> {
    let digits = payload.get(r#"{"to":"U"#.len()..)?.get(..32)?;
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// A file of records.
#[derive(Debug)]
pub(crate) struct Records(File);

impl Records {
    /// Opens the file for appending; it is created if it does not exist.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let opened = OpenOptions::new().append(true).create(true).open(path);
        opened.map(Self).with_context(|| path.display().to_string())
    }

    /// Adds a record in one write, so that those of several processes do not mix.
    pub(crate) fn add(&self, index: u64, time: u64) -> io::Result<()> {
        (&self.0).write_all(encode(index, time).as_flattened())
    }

    /// Returns how many records there are.
    pub(crate) fn count(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len() / BYTES)
    }
}

/// Returns a record's bytes.
pub(crate) const fn encode(index: u64, time: u64) -> [[u8; 8]; 2] {
    [index.to_le_bytes(), time.to_le_bytes()]
}

/// Reads all records of a file.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<(u64, u64)>> {
    let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
    let (numbers, rest) = bytes.as_chunks().0.as_chunks();
    ensure!(rest.is_empty(), "{} has half a record", path.display());
    let decode =
        |[index, time]: &[[u8; 8]; 2]| (u64::from_le_bytes(*index), u64::from_le_bytes(*time));
    Ok(numbers.iter().map(decode).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payload_tells_the_index_that_it_was_made_for() {
        for each in [0, 7, 1 << 50, u64::MAX] {
            assert_eq!(index(&payload(each)), Some(each));
        }
        assert_eq!(index(b"{}"), None);
    }

    #[test]
    fn a_record_has_the_index_and_then_the_time_little_endian() {
        let bytes = [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(encode(1, 2).as_flattened(), bytes);
    }
}
