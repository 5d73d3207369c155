//! Whatever stands in the header, only the right signature verifies.

use proptest::{collection, prelude::*, sample::Index};
use yamabiko_line::{secret::ChannelSecret, signature};

use crate::checks;

/// Signs a body and gives back the header in another form.
fn in_another_form(right: &str, form: usize, at: usize, other: char) -> String {
    let at = at % right.len();
    match form {
        0 => right.trim_end_matches('=').to_owned(),
        1 => format!("{right}="),
        2 => format!("{right}\n"),
        3 => format!(" {right}"),
        4 => right.replace('+', "-").replace('/', "_"),
        5 => right.to_lowercase(),
        6 => format!("{right},{right}"),
        7 => right[..at].to_owned(),
        8 => format!("{}\n{}", &right[..at], &right[at..]),
        // The last letter before the padding has bits that count for nothing.
        9 => format!("{}{other}=", &right[..right.len() - 2]),
        10 => format!("sha256={right}"),
        _ => format!("{}{other}{}", &right[..at], &right[at + 1..]),
    }
}

proptest! {
    #[test]
    fn any_text_verifies_only_if_it_is_the_signature(
        secret in any::<String>(), body in collection::vec(any::<u8>(), 0..80), header in any::<String>(),
    ) {
        checks::header(&secret, &body, &header);
    }

    #[test]
    fn another_form_of_the_signature_does_not_verify(
        body in collection::vec(any::<u8>(), 0..80), form in 0..12_usize, at in any::<usize>(),
        other in "[A-Za-z0-9+/=]",
    ) {
        let right = signature::sign(&ChannelSecret::new("secret"), &body);
        let header = in_another_form(&right, form, at, other.chars().next().unwrap());
        checks::header("secret", &body, &header);
    }

    #[test]
    fn a_body_changed_in_one_bit_does_not_verify(
        body in collection::vec(any::<u8>(), 1..80), at in any::<Index>(), bit in 0..8_u32,
    ) {
        let secret = ChannelSecret::new("secret");
        let right = signature::sign(&secret, &body);
        let mut changed = body;
        *at.get_mut(&mut changed) ^= 1 << bit;
        prop_assert!(!signature::verify(&secret, &changed, &right));
    }
}
