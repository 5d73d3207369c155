//! Waits by timers of the Linux kernel, which the runtime polls like sockets.

use std::{
    io,
    os::fd::OwnedFd,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use rustix::{
    io::Errno,
    time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    },
};
use tokio::io::{Interest, unix::AsyncFd};

/// The kernel's timers that waits of one runtime take turns with.
#[derive(Debug, Default)]
pub(crate) struct Alarms(Mutex<Vec<AsyncFd<OwnedFd>>>);

impl Alarms {
    /// Waits for this long, or as long as tokio makes of it where the kernel gives no timer.
    pub(crate) async fn sleep(&self, time: Duration) {
        let idle = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let alarm = match idle {
            Some(alarm) => Ok(alarm),
            None => new_alarm(),
        };
        let Ok(alarm) = alarm else { return tokio::time::sleep(time).await };
        // A wait that is given up leaves its timer behind for the next one, too.
        let lent = Lent { alarms: self, alarm: Some(alarm) };
        if let Some(alarm) = &lent.alarm
            && ring(alarm, time).await.is_err()
        {
            tokio::time::sleep(time).await;
        }
    }
}

struct Lent<'a> {
    alarms: &'a Alarms,
    alarm: Option<AsyncFd<OwnedFd>>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let mut idle = self.alarms.0.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.alarm.take());
    }
}

#[expect(
    deprecated,
    reason = "its successor is unsafe; the timer is open as long as its `OwnedFd`"
)]
fn new_alarm() -> io::Result<AsyncFd<OwnedFd>> {
    let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
    let timer = timerfd_create(TimerfdClockId::Monotonic, flags)?;
    AsyncFd::with_interest(timer, Interest::READABLE)
}

async fn ring(alarm: &AsyncFd<OwnedFd>, time: Duration) -> io::Result<()> {
    // Zero would stop the timer.
    let time = time.max(Duration::from_nanos(1));
    let never = Timespec { tv_sec: 0, tv_nsec: 0 };
    let once = Timespec::try_from(time).map_err(io::Error::other)?;
    let setting = Itimerspec { it_interval: never, it_value: once };
    timerfd_settime(alarm, TimerfdTimerFlags::empty(), &setting)?;
    loop {
        let mut ready = alarm.readable().await?;
        match rustix::io::read(alarm, &mut [0; 8]) {
            Ok(_) => return Ok(()),
            // It rang for a wait that was given up.
            Err(Errno::AGAIN) => ready.clear_ready(),
            Err(error) => return Err(error.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_wait_lasts_as_long_as_it_was_told_to_also_after_one_that_was_given_up() {
        let alarms = Alarms::default();
        let gives_up = async { tokio::task::yield_now().await };
        tokio::select! {
            biased;
            () = alarms.sleep(Duration::from_micros(100)) => {}
            () = gives_up => {}
        }
        for time in [Duration::ZERO, Duration::from_micros(700), Duration::from_millis(20)] {
            let began = Instant::now();
            alarms.sleep(time).await;
            assert!(began.elapsed() >= time);
        }
        assert_eq!(alarms.0.lock().unwrap().len(), 1, "one timer does for waits that take turns");
    }
}
