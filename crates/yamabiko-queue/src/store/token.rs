//! Names of exchanges: what fences a run, and what tells an exchange that is sent again from a new one.

use std::fmt;

use uuid::Uuid;

/// The name of one exchange of a worker, and the fencing token of what it claims (C1).
///
/// 128 bits: 88 of the worker's line, drawn at random when it starts, and 40 of the exchange's number on that line.
/// The worker chooses it, so it does not repeat when a store loses its tail.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RunToken([u8; 16]);

/// The bytes of a token that name its line; its number follows.
const LINE_BYTES: usize = 11;

impl RunToken {
    /// Takes a token's 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Returns the token's 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Returns the bytes that name the token's line.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        &self.0[..LINE_BYTES]
    }

    /// Returns the exchange's number on its line.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0[LINE_BYTES..].iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }
}

impl fmt::Debug for RunToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", u128::from_be_bytes(self.0))
    }
}

/// A line of a worker: it has one exchange under way at a time, and numbers them (C5).
#[derive(Debug)]
pub struct Line(u128);

impl Line {
    /// Starts a line of its own, drawn at random.
    #[must_use]
    pub fn start() -> Self {
        Self::of(Uuid::new_v4())
    }

    /// Starts the line of this name: always the same tokens, for tests.
    #[must_use]
    pub const fn of(name: Uuid) -> Self {
        Self(name.as_u128() << 40)
    }

    /// Returns the token of the line's next exchange.
    pub const fn next_token(&mut self) -> RunToken {
        self.0 += 1;
        RunToken(self.0.to_be_bytes())
    }
}

/// Which exchange is sent, and whether it was sent before (C5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sending {
    /// Names the exchange.
    pub token: RunToken,
    /// Whether it was sent before, and how that ended is not known.
    pub again: bool,
}

impl Sending {
    /// Makes the first sending of the only exchange of a line.
    #[must_use]
    pub fn once() -> Self {
        Self { token: Line::start().next_token(), again: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c1_tokens_of_a_line_are_numbered_and_ordered() {
        let mut line = Line::start();
        let tokens: Vec<_> = (0..300).map(|_| line.next_token()).collect();
        assert!(tokens.is_sorted_by(|one, next| one < next && one.line() == next.line()));
        assert_eq!((tokens[0].number(), tokens[299].number()), (1, 300));
    }

    #[test]
    fn c1_lines_do_not_repeat() {
        assert_ne!(Sending::once().token.line(), Sending::once().token.line());
    }
}
