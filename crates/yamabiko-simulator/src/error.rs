//! What can go wrong when a simulator is started.

use std::{io, net::SocketAddr};

/// Says why a simulator did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken or not one of this machine.
    #[error("cannot listen on {addr}")]
    Listen {
        /// The address that was asked for.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The bot's address is not an `http` or `https` URL.
    #[error("bot url {given:?} is not an http or https address")]
    BotUrl {
        /// What was given.
        given: String,
    },
    /// The HTTP client that sends the webhooks could not be built.
    #[error("no http client for webhooks")]
    HttpClient {
        /// What the client's library said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
