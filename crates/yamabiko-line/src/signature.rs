//! The signature of a webhook: base64 of HMAC-SHA256 over the raw body, keyed by the channel secret.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::secret::ChannelSecret;

/// Returns the value of the header `x-line-signature` for a body.
#[must_use]
pub fn sign(secret: &ChannelSecret, body: &[u8]) -> String {
    STANDARD.encode(mac(secret, body).finalize().into_bytes())
}

/// Says whether a header signs these raw bytes; takes the same time for every wrong signature.
#[must_use]
pub fn verify(secret: &ChannelSecret, body: &[u8], header: &str) -> bool {
    STANDARD
        .decode(header)
        .is_ok_and(|signature| mac(secret, body).verify_slice(&signature).is_ok())
}

fn mac(secret: &ChannelSecret, body: &[u8]) -> Hmac<Sha256> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes())
        .expect("HMAC takes keys of any length");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"destination":"U8e742f61d673b39c7fff3cecb7536ef0","events":[]}"#;
    const SIGNATURE: &str = "GhRKmvmHys4Pi8DxkF4+EayaH0OqtJtaZxgTD9fMDLs=";

    fn secret() -> ChannelSecret {
        ChannelSecret::new("8c570fa6dd201bb328f1c1eac23a96d8")
    }

    #[test]
    fn lines_own_example_verifies() {
        assert_eq!(sign(&secret(), BODY), SIGNATURE);
        assert!(verify(&secret(), BODY, SIGNATURE));
    }

    #[test]
    fn a_body_changed_by_one_byte_is_refused() {
        for index in 0..BODY.len() {
            let mut body = BODY.to_vec();
            body[index] ^= 1;
            assert!(!verify(&secret(), &body, SIGNATURE), "byte {index}");
        }
    }

    #[test]
    fn what_is_no_signature_is_refused() {
        for header in ["", "=", "not base64 😄", "GhRK", &SIGNATURE[1..]] {
            assert!(!verify(&secret(), BODY, header), "{header:?}");
        }
        assert!(!verify(&ChannelSecret::new("another"), BODY, SIGNATURE));
    }
}
