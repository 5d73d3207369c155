//! Panics of an author's code as errors, where it runs neither for a job nor for a request.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls code of an author's; a panic becomes an error with the panic's message.
pub(crate) fn caught<T>(code: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|panic| {
        let message = panic.downcast_ref::<&str>().copied();
        let message = message.or_else(|| panic.downcast_ref::<String>().map(String::as_str));
        format!("panicked: {}", message.unwrap_or("no message"))
    })
}
