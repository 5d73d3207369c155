//! Finds ports for servers that tell nobody which one they took.

use std::net::TcpListener;

/// Returns a port of this machine that was free a moment ago.
pub(crate) fn free() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
