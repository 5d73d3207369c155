//! What a bot under test has published.

use std::fmt;

/// A published picture, as LINE would fetch it; from [`TestBot::fetches`](super::TestBot::fetches).
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TestPicture {
    /// `image/png` or `image/jpeg`.
    pub content_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for TestPicture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TestPicture({}, {} bytes)", self.content_type, self.bytes.len())
    }
}
