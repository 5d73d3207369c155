//! Identifiers and tokens in the forms that LINE gives them.

use uuid::Uuid;

const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Makes a ULID: 48 bits of time and 80 random bits in 26 characters.
pub(crate) fn ulid(now_ms: i64) -> String {
    let time = u128::from(now_ms.unsigned_abs()) & 0xFFFF_FFFF_FFFF;
    let random = Uuid::new_v4().as_u128();
    // The version and variant bits of a UUID are fixed; both halves are taken from around them.
    let random = (random >> 88) << 40 | (random & 0xFF_FFFF_FFFF);
    let value = time << 80 | random;
    (0..26)
        .rev()
        .map(|place| {
            let digit = usize::try_from((value >> (place * 5)) & 31).expect("is below 32");
            char::from(CROCKFORD[digit])
        })
        .collect()
}

/// Makes 32 random hexadecimal digits.
pub(crate) fn hex32() -> String {
    Uuid::new_v4().simple().to_string()
}

/// Makes an opaque token of 64 hexadecimal digits.
pub(crate) fn token() -> String {
    hex32() + &hex32()
}

/// Makes the id of a message that nobody sees.
pub(crate) fn unseen() -> String {
    (460_000_000_000_000_000 + Uuid::new_v4().as_u128() % 1_000_000_000_000_000).to_string()
}

/// Makes a request id.
pub(crate) fn request() -> String {
    Uuid::new_v4().to_string()
}

/// Tells whether `id` has the form of a user's, a group's or a room's id.
pub(crate) fn is_chat(id: &str) -> bool {
    let digits = id.strip_prefix(['U', 'C', 'R']);
    digits.is_some_and(|digits| {
        digits.len() == 32 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    })
}

/// Tells whether `id` has the form of a user's id.
pub(crate) fn is_user(id: &str) -> bool {
    id.starts_with('U') && is_chat(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ulid_sorts_by_time_and_has_26_characters() {
        let (early, late) = (ulid(1_700_000_000_000), ulid(1_700_000_000_001));
        assert_eq!((early.len(), late.len()), (26, 26));
        assert!(early < late);
        assert_eq!(&ulid(1_469_918_176_385)[..10], "01ARYZ6S41");
    }

    #[test]
    fn only_lower_case_hexadecimal_ids_of_33_characters_are_chats() {
        assert!(is_user(&format!("U{}", hex32())));
        assert!(is_chat(&format!("C{}", hex32())) && !is_user(&format!("C{}", hex32())));
        assert!(!is_chat("U123") && !is_chat(&format!("U{}", "A".repeat(32))));
    }
}
