//! Waits that end on the microsecond: tokio's own end at the next whole millisecond, or the one after.

#[cfg(target_os = "linux")]
mod kernel;
// Tested on Linux, too.
#[cfg(any(test, not(target_os = "linux")))]
mod thread;

#[cfg(target_os = "linux")]
pub(crate) use kernel::Alarms;
#[cfg(not(target_os = "linux"))]
pub(crate) use thread::Alarms;
