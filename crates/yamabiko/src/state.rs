//! The typed value that a bot keeps for each chat, with its version.

use std::sync::Arc;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// What can be a chat's state; implemented for every type that fits.
pub trait ChatState:
    Serialize + DeserializeOwned + Default + Clone + Send + Sync + 'static
{
}

impl<T: Serialize + DeserializeOwned + Default + Clone + Send + Sync + 'static> ChatState for T {}

/// Converts the state that an older version stored.
pub(crate) type Migrate<S> = Arc<dyn Fn(u32, Value) -> crate::Result<S> + Send + Sync>;

/// How a bot's states are stored and read.
pub(crate) struct StateFormat<S> {
    /// The version that this program writes.
    pub(crate) version: u32,
    pub(crate) migrate: Option<Migrate<S>>,
}

impl<S> Clone for StateFormat<S> {
    fn clone(&self) -> Self {
        Self { version: self.version, migrate: self.migrate.clone() }
    }
}

impl<S> Default for StateFormat<S> {
    fn default() -> Self {
        Self { version: 1, migrate: None }
    }
}

#[derive(Serialize, Deserialize)]
struct Stored<T> {
    v: u32,
    s: T,
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// Why a stored state cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// No retry helps.
    #[error(
        "the chat's state of version {version} cannot be read as {expected} of version {ours}: {source}"
    )]
    Unreadable { version: u32, expected: &'static str, ours: u32, source: anyhow::Error },
    /// A newer version of the bot wrote it; one may be deploying.
    #[error("the chat's state has version {version}, this program knows up to {ours}")]
    Newer { version: u32, ours: u32 },
}

impl<S: ChatState> StateFormat<S> {
    /// Writes a state; one that could not be read again, since it is nested too deeply, is an error.
    pub(crate) fn encode(&self, state: &S) -> serde_json::Result<Vec<u8>> {
        let bytes = serde_json::to_vec(&Stored { v: self.version, s: state })?;
        serde_json::from_slice::<Value>(&bytes)?;
        Ok(bytes)
    }

    pub(crate) fn decode(&self, stored: Option<&[u8]>) -> Result<S, StateError> {
        let Some(bytes) = stored else { return Ok(S::default()) };
        let unreadable = |version, source: anyhow::Error| StateError::Unreadable {
            version,
            expected: std::any::type_name::<S>(),
            ours: self.version,
            source,
        };
        // Whatever else a newer version has in it.
        let version = serde_json::from_slice(bytes).map_or(0, |Version { v }| v);
        if version > self.version {
            return Err(StateError::Newer { version, ours: self.version });
        }
        let stored: Stored<Value> =
            serde_json::from_slice(bytes).map_err(|error| unreadable(version, error.into()))?;
        match &self.migrate {
            Some(migrate) if stored.v < self.version => {
                migrate(stored.v, stored.s).map_err(|error| unreadable(stored.v, error))
            }
            _ => {
                serde_json::from_value(stored.s).map_err(|error| unreadable(stored.v, error.into()))
            }
        }
    }
}

/// Reads a stored state as it is, of whatever version.
#[cfg(feature = "testing")]
pub(crate) fn read_as_stored<S: ChatState>(stored: Option<&[u8]>) -> serde_json::Result<S> {
    let Some(bytes) = stored else { return Ok(S::default()) };
    serde_json::from_slice::<Stored<S>>(bytes).map(|stored| stored.s)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
    struct Cart {
        items: Vec<String>,
    }

    fn format(version: u32) -> StateFormat<Cart> {
        StateFormat { version, migrate: None }
    }

    #[test]
    fn a_state_comes_back_as_it_was_written() {
        let cart = Cart { items: vec!["tea".into()] };
        let bytes = format(1).encode(&cart).unwrap();
        assert_eq!(format(1).decode(Some(&bytes)).unwrap(), cart);
        assert_eq!(format(1).decode(None).unwrap(), Cart::default());
    }

    #[test]
    fn a_state_that_is_nested_too_deeply_to_be_read_again_is_not_written() {
        let nested = |depth| (0..depth).fold(Value::Null, |inner, _| Value::Array(vec![inner]));
        let format = StateFormat::<Value> { version: 1, migrate: None };
        let bytes = format.encode(&nested(100)).unwrap();
        assert_eq!(format.decode(Some(&bytes)).unwrap(), nested(100));
        assert!(format.encode(&nested(200)).is_err());
    }

    #[test]
    fn s2_an_unreadable_state_names_type_and_version() {
        let bytes = br#"{"v":1,"s":{"items":7}}"#;
        let error = format(2).decode(Some(bytes)).unwrap_err().to_string();
        assert!(
            error.contains("Cart") && error.contains("version 1") && error.contains("version 2"),
            "{error}"
        );
    }

    #[test]
    fn s2_an_older_state_is_converted() {
        let migrate: Migrate<Cart> = Arc::new(|version, old| {
            assert_eq!(version, 1);
            Ok(Cart { items: vec![serde_json::from_value(old)?] })
        });
        let format = StateFormat { version: 2, migrate: Some(migrate) };
        assert_eq!(format.decode(Some(br#"{"v":1,"s":"tea"}"#)).unwrap().items, ["tea"]);
    }

    #[test]
    fn a_state_of_a_newer_version_is_left_to_a_newer_process() {
        let bytes = format(3).encode(&Cart::default()).unwrap();
        assert!(matches!(
            format(2).decode(Some(&bytes)),
            Err(StateError::Newer { version: 3, ours: 2 })
        ));
    }
}
