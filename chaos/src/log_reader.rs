//! Whoever reads a process's log: it goes on, stalls, or goes away.

use std::{
    fs::File,
    io::{self, Write as _},
};

use rustix::pipe::fcntl_setpipe_size;
use tokio::{io::AsyncReadExt as _, process::ChildStderr, sync::watch};

/// The smallest pipe there is, so that it is soon full when nobody reads.
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
    pub(crate) fn start(log: ChildStderr, file: File) -> io::Result<Self> {
        fcntl_setpipe_size(&log, PIPE_BYTES)?;
        let reading = watch::Sender::new(Reading::GoesOn);
        tokio::spawn(copy(log, file, reading.subscribe()));
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

async fn copy(mut log: ChildStderr, mut file: File, mut reading: watch::Receiver<Reading>) {
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
                    if read == 0 || file.write_all(&buffer[..read]).is_err() {
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
