//! Credentials that never print.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Takes a credential.
            #[must_use]
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// Returns the credential, to be sent and never to be shown.
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("[redacted]")
            }
        }
    };
}

secret! {
    /// The channel secret, with which LINE signs webhooks.
    ChannelSecret
}
secret! {
    /// A channel access token, with which a bot calls LINE.
    AccessToken
}
secret! {
    /// A reply token: good for one reply, for about a minute.
    ReplyToken
}

secret! {
    /// The nonce of an account link, which names a user of another service.
    LinkNonce
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_never_prints() {
        let secret = ChannelSecret::new("geheim");
        assert_eq!(format!("{secret} {secret:?}"), "[redacted] ChannelSecret([redacted])");
        assert_eq!(secret.expose(), "geheim");
    }
}
