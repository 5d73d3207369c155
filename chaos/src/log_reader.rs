//! Whoever reads a process's log: it goes on, stalls, or goes away.

use std::{
    fs::File,
    io::{self, Write as _},
    sync::Arc,
};

use tokio::{io::AsyncReadExt as _, process::ChildStderr, sync::watch};
use yamabiko_chaos::{ON_PURPOSE, Place};

use crate::tally::Tally;

/// The smallest pipe that Linux has, so that it is full soon after its reader stalls; other systems do not let a program choose.
const PIPE_BYTES: usize = 4096;

/// What the reader of a log does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    GoesOn,
    Stalls,
    /// The pipe is closed.
    HasGone,
}

/// A task that copies what a process logs into a file.
#[derive(Debug)]
pub(crate) struct LogReader(watch::Sender<Reading>);

impl LogReader {
    /// Begins to read, and adds what comes to the file.
    pub(crate) fn start(log: ChildStderr, file: File, tally: Arc<Tally>) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        rustix::pipe::fcntl_setpipe_size(&log, PIPE_BYTES)?;
        let reading = watch::Sender::new(Reading::GoesOn);
        tokio::spawn(copy(log, Copied { file, line: Vec::new(), tally }, reading.subscribe()));
        Ok(Self(reading))
    }

    /// Reads nothing until it goes on.
    pub(crate) fn stall(&self) {
        self.0.send_replace(Reading::Stalls);
    }

    /// Goes on reading, unless it has gone.
    pub(crate) fn go_on(&self) {
        self.0.send_if_modified(|reading| {
            let has_stalled = *reading == Reading::Stalls;
            if has_stalled {
                *reading = Reading::GoesOn;
            }
            has_stalled
        });
    }

    /// Closes the pipe.
    pub(crate) fn go_away(&self) {
        self.0.send_replace(Reading::HasGone);
    }
}

/// What was read of a log.
#[derive(Debug)]
struct Copied {
    file: File,
    /// The line that has no end yet.
    line: Vec<u8>,
    tally: Arc<Tally>,
}

impl Copied {
    /// Adds what was read to the file, and counts the panics on purpose.
    fn add(&mut self, read: &[u8]) -> io::Result<()> {
        for part in read.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") {
                if let Some(place) = panicked(&String::from_utf8_lossy(&self.line)) {
                    self.tally.broke(place.name());
                }
                self.line.clear();
            }
        }
        self.file.write_all(read)
    }
}

/// Returns where a panic on purpose happened, from the line of the log that tells of it first.
fn panicked(line: &str) -> Option<Place> {
    let (_, message) = line.split_once(" ERROR panicked: ")?;
    let message = message.strip_prefix(ON_PURPOSE)?;
    Place::ALL.into_iter().find(|place| message.starts_with(place.name()))
}

async fn copy(mut log: ChildStderr, mut copied: Copied, mut reading: watch::Receiver<Reading>) {
    let mut buffer = vec![0; PIPE_BYTES];
    loop {
        let now = *reading.borrow_and_update();
        match now {
            Reading::HasGone => return,
            Reading::Stalls => {
                if reading.changed().await.is_err() {
                    return;
                }
            }
            Reading::GoesOn => tokio::select! {
                read = log.read(&mut buffer) => {
                    let read = read.unwrap_or(0);
                    if read == 0 || copied.add(&buffer[..read]).is_err() {
                        return;
                    }
                }
                changed = reading.changed() => {
                    if changed.is_err() {
                        return;
                    }
                }
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_on_purpose_is_counted_by_the_first_line_that_tells_of_it() {
        let line = |message: &str| format!("2026-11-30T16:04:09.385650Z {message} place=\"a.rs\"");
        let panic = format!("panicked: {ON_PURPOSE}{}", Place::Handler.name());
        assert_eq!(panicked(&line(&format!("ERROR {panic}"))), Some(Place::Handler));
        assert_eq!(panicked(&line(&format!("WARN a job failed error={panic:?}"))), None);
        assert_eq!(panicked(&line("ERROR panicked: a mistake")), None);
    }
}
