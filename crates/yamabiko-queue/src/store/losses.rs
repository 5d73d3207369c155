//! When a store may have lost what it had acknowledged shortly before.

use crate::clock::Timestamp;

/// When a store may have lost what it had acknowledged shortly before; times are by the store's clock.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Losses {
    /// When a process first met the server that has the data now, if another one had them before: it started anew, or was
    /// promoted.
    pub last: Option<Timestamp>,
    /// When processes first met servers that had been promoted, the latest last; at most 16.
    ///
    /// A server that only started anew has what was on its disk, so by far most starts lose nothing; a promotion may well.
    pub promoted: Vec<Timestamp>,
}
