//! A thread that writes the log, so that nothing else waits for its reader.

use std::{
    collections::VecDeque,
    io::{self, ErrorKind, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use tracing_subscriber::fmt::MakeWriter;

/// How many bytes wait for the reader before further lines are dropped: some thousands of lines.
const MAX_WAITING: usize = 1024 * 1024;
/// How often the thread looks whether there is something to report.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// How long the thread waits where the reader takes nothing for now and its end does not block.
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// The log's end in the process: takes lines without waiting, drops and counts those that find no room.
#[derive(Clone)]
pub(super) struct Writer(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Notified when a line has come and when one has been written.
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: VecDeque<Vec<u8>>,
    bytes: usize,
    is_writing: bool,
    /// Lines that were dropped since the last report.
    dropped: u64,
}

impl Writer {
    /// Starts the thread that writes to `output`.
    ///
    /// It calls `report` about once a second, with the number of lines that were dropped since the last call.
    /// What `report` logs is written like all else.
    ///
    /// # Errors
    /// If the system gives no thread.
    pub(super) fn start(
        mut output: impl Write + Send + 'static,
        report: impl Fn(u64) + Send + 'static,
    ) -> io::Result<Self> {
        let shared = Arc::<Shared>::default();
        let writer = Self(Arc::clone(&shared));
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            let mut reported = Instant::now();
            loop {
                if let Some(line) = shared.next()
                    && write(&mut output, &line).is_err()
                {
                    shared.count_dropped("unwritten");
                }
                if reported.elapsed() >= REPORT_EVERY {
                    reported = Instant::now();
                    // In a statement of its own: what is reported comes back as a line, for which the lock must be free.
                    let dropped = mem::take(&mut shared.lock().dropped);
                    report(dropped);
                }
            }
        })?;
        Ok(writer)
    }

    /// Waits until all lines are written, for `at_most` so long.
    pub(super) fn flush(&self, at_most: Duration) {
        let waiting = self.0.lock();
        let is_busy = |waiting: &mut Waiting| waiting.is_writing || !waiting.lines.is_empty();
        drop(self.0.changed.wait_timeout_while(waiting, at_most, is_busy));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.bytes + line.len() > MAX_WAITING {
            drop(waiting);
            return self.count_dropped("full");
        }
        waiting.bytes += line.len();
        waiting.lines.push_back(line.to_vec());
        drop(waiting);
        self.changed.notify_all();
    }

    /// Returns the next line; `None` if none has come for a while.
    fn next(&self) -> Option<Vec<u8>> {
        let mut waiting = self.lock();
        waiting.is_writing = false;
        self.changed.notify_all();
        let is_idle = |waiting: &mut Waiting| waiting.lines.is_empty();
        let waited = self.changed.wait_timeout_while(waiting, REPORT_EVERY, is_idle);
        let (mut waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let line = waiting.lines.pop_front()?;
        waiting.bytes -= line.len();
        waiting.is_writing = true;
        Some(line)
    }

    fn count_dropped(&self, reason: &'static str) {
        self.lock().dropped += 1;
        super::count_dropped(reason, 1);
    }
}

/// Writes a line; one whose reader is slow is waited for, whether or not the output blocks.
fn write(output: &mut impl Write, mut line: &[u8]) -> io::Result<()> {
    while !line.is_empty() {
        match output.write(line) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => line = &line[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(TRY_AGAIN),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Takes each line as a whole.
impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        OnceLock,
        mpsc::{self, Receiver, SyncSender},
    };

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// An output that writes only what a test reads from it, and fails once the test has gone.
    struct Pipe(SyncSender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let sent = self.0.send(bytes.to_vec());
            sent.map(|()| bytes.len()).map_err(|_| ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Returns a writer, what it writes, and what it reports to have dropped.
    fn writer() -> (Writer, Receiver<Vec<u8>>, Receiver<u64>) {
        let (output, written) = mpsc::sync_channel(0);
        let (reports, reported) = mpsc::channel();
        let report = move |dropped| reports.send(dropped).unwrap_or_default();
        (Writer::start(Pipe(output), report).unwrap(), written, reported)
    }

    #[test]
    fn lines_are_written_in_order_and_whole() {
        let (mut writer, written, _reported) = writer();
        for line in ["one\n", "two\n", "three\n"] {
            writer.write_all(line.as_bytes()).unwrap();
        }
        let lines: Vec<_> = written.iter().take(3).collect();
        assert_eq!(lines, [&b"one\n"[..], b"two\n", b"three\n"]);
        writer.flush(MINUTE);
        assert!(!writer.0.lock().is_writing);
    }

    #[test]
    fn lines_that_a_stalled_reader_leaves_no_room_for_are_dropped_and_reported() {
        let (mut writer, written, reported) = writer();
        let line = vec![b'.'; 1024];
        // Of these, one is in the thread's hand and 1024 wait.
        for _ in 0..1100 {
            writer.write_all(&line).unwrap();
        }
        let dropped = writer.0.lock().dropped;
        assert!((75..=76).contains(&dropped), "{dropped}");
        writer.flush(Duration::ZERO);
        let waited = u64::try_from(written.iter().take(1024).count()).unwrap();
        assert_eq!(waited, 1024);
        let rest = std::iter::from_fn(|| written.recv_timeout(MINUTE / 60).ok()).count();
        assert_eq!(waited + u64::try_from(rest).unwrap() + dropped, 1100);
        assert_eq!(reported.iter().find(|count| *count > 0), Some(dropped));
    }

    #[test]
    fn what_is_reported_is_written_as_well() {
        let (output, written) = mpsc::sync_channel(0);
        let this = Arc::<OnceLock<Writer>>::default();
        let log = Arc::clone(&this);
        let report = move |_| {
            if let Some(writer) = log.get() {
                writer.clone().write_all(b"a report\n").unwrap();
            }
        };
        drop(this.set(Writer::start(Pipe(output), report).unwrap()));
        assert_eq!(written.recv_timeout(MINUTE).unwrap(), b"a report\n");
    }

    #[test]
    fn lines_whose_reader_has_gone_are_dropped_and_reported() {
        let (mut writer, written, reported) = writer();
        drop(written);
        writer.write_all(b"nobody reads this\n").unwrap();
        writer.flush(MINUTE);
        assert_eq!(reported.iter().find(|count| *count > 0), Some(1));
    }

    #[test]
    fn a_reader_that_takes_nothing_for_now_gets_the_whole_line_later() {
        struct Reluctant(Vec<u8>, bool);
        impl Write for Reluctant {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.1 = !self.1;
                if self.1 {
                    return Err(ErrorKind::WouldBlock.into());
                }
                self.0.extend(&bytes[..1]);
                Ok(1)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let mut output = Reluctant(Vec::new(), false);
        write(&mut output, b"log\n").unwrap();
        assert_eq!(output.0, b"log\n");
    }
}
