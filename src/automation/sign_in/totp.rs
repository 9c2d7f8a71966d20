//! One-time codes of an authenticator app: RFC 6238 with SHA-1, six digits and thirty seconds, which every app knows.

use super::base32;
use crate::domain::time::Timestamp;
use ring::hmac;
use subtle::ConstantTimeEq;

/// As RFC 4226 asks.
pub(super) const SECRET_BYTES: usize = 20;
const STEP_MS: i64 = 30_000;
const MODULUS: u32 = 1_000_000;
/// Steps by which a phone's clock may be wrong.
const DRIFT_STEPS: i64 = 1;

/// The step whose code this is, near `now`; `None` when it is no code of these minutes.
pub(super) fn find_step(secret: &[u8], code: &str, now: Timestamp) -> Option<i64> {
    let current = now.0.div_euclid(STEP_MS);
    let steps = current - DRIFT_STEPS..=current + DRIFT_STEPS;
    // All are compared, so that the time tells nothing.
    let is_of = |step: i64| bool::from(code_at(secret, step).as_bytes().ct_eq(code.as_bytes()));
    steps.fold(None, |found, step| if is_of(step) { Some(step) } else { found })
}

/// The code that an app shows at `now`.
#[must_use]
pub fn code_now(secret: &[u8], now: Timestamp) -> String {
    code_at(secret, now.0.div_euclid(STEP_MS))
}

fn code_at(secret: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, secret);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let digest = tag.as_ref();
    let offset = usize::from(digest.last().copied().unwrap_or(0) & 0x0f);
    let mut word = [0u8; 4];
    word.copy_from_slice(&digest[offset..offset + 4]);
    format!("{:06}", (u32::from_be_bytes(word) & 0x7fff_ffff) % MODULUS)
}

/// What an app reads from a QR code.
pub(super) fn uri(secret: &[u8], clinic: &str, email: &str) -> String {
    let escape = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    let (clinic, email, secret) = (escape(clinic), escape(email), base32::encode(secret).to_uppercase());
    format!("otpauth://totp/{clinic}:{email}?secret={secret}&issuer={clinic}&algorithm=SHA1&digits=6&period=30")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_standard() {
        // RFC 6238, appendix B, the last six digits.
        let secret = b"12345678901234567890";
        for (seconds, code) in [(59, "287082"), (1_111_111_109, "081804"), (1_234_567_890, "005924"), (20_000_000_000, "353130")]
        {
            assert_eq!(code_now(secret, Timestamp(seconds * 1_000)), code, "{seconds}");
        }
    }

    #[test]
    fn a_clock_may_be_half_a_minute_wrong_and_no_more() {
        let secret = b"12345678901234567890";
        let now = Timestamp(1_234_567_890_000);
        for (off, found) in [(-61_000, false), (-30_000, true), (0, true), (30_000, true), (61_000, false)] {
            let code = code_now(secret, Timestamp(now.0 + off));
            assert_eq!(find_step(secret, &code, now).is_some(), found, "{off}");
        }
        assert_eq!(find_step(secret, "", now), None);
        assert_eq!(find_step(secret, "0059240", now), None);
    }

    #[test]
    fn an_app_can_read_the_uri() {
        let uri = uri(b"12345678901234567890", "Harbour Imaging", "kim@clinic.example");
        assert_eq!(
            uri,
            "otpauth://totp/Harbour%20Imaging:kim%40clinic.example?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Harbour%20Imaging&algorithm=SHA1&digits=6&period=30"
        );
    }
}
