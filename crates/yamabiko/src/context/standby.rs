//! The mark of jobs that a run in standby has started: nothing that they say is sent (I4).
//!
//! It stands in the payload, around the author's own, since that is what retries, re-runs and a death keep.
//! Only marked payloads differ from what they were before there was a mark, and a process that does not know it
//! cannot read them, so it says nothing either.

/// What stands before a marked payload; names that begin with `line.` are the runtime's.
const HEAD: &[u8] = br#"{"line.standby":"#;
/// What stands behind it.
const TAIL: &[u8] = b"}";

/// Marks a payload.
pub(crate) fn mark(payload: &[u8]) -> Vec<u8> {
    [HEAD, payload, TAIL].concat()
}

/// Returns the author's payload, and whether it is marked.
pub(crate) fn read(payload: &[u8]) -> (&[u8], bool) {
    let inner = payload.strip_prefix(HEAD).and_then(|rest| rest.strip_suffix(TAIL));
    (inner.unwrap_or(payload), inner.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i4_a_mark_is_read_as_it_was_written_and_is_json() {
        for payload in [&br#"{"text":"tea"}"#[..], b"null", b"7", br#"[{"line.standby":1}]"#] {
            let marked = mark(payload);
            assert_eq!((read(&marked), read(payload)), ((payload, true), (payload, false)));
            serde_json::from_slice::<serde_json::Value>(&marked).unwrap();
        }
        assert_eq!(read(b""), (&b""[..], false));
    }
}
