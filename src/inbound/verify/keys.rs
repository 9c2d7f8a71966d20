//! Active keys: several at once while one is being replaced, each perhaps with an end.

use crate::domain::time::Timestamp;
use crate::inbound::secrets::Secret;
use ring::hmac;
use subtle::{Choice, ConstantTimeEq};

pub struct Keys<K>(Vec<(K, Option<Timestamp>)>);

impl<K> Default for Keys<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K> Keys<K> {
    /// Parses every secret; the first that cannot be used is the error.
    pub fn build(secrets: &[Secret], parse: impl Fn(&str) -> Result<K, &'static str>) -> Result<Self, &'static str> {
        secrets.iter().map(|secret| Ok((parse(secret.expose())?, secret.not_after))).collect::<Result<_, _>>().map(Self)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True when the test holds for any key in force. All of them are tried, whatever the first ones say.
    pub fn any(&self, now: Timestamp, test: impl Fn(&K) -> Choice) -> bool {
        let mut found = Choice::from(0);
        for (key, not_after) in &self.0 {
            if not_after.is_none_or(|end| now <= end) {
                found |= test(key);
            }
        }
        found.into()
    }
}

impl Keys<hmac::Key> {
    pub fn hmac_sha256(secrets: &[Secret]) -> Self {
        Self(secrets.iter().map(|s| (hmac::Key::new(hmac::HMAC_SHA256, s.expose().as_bytes()), s.not_after)).collect())
    }

    /// True when any key in force makes any of these signatures out of the parts.
    pub fn signed(&self, now: Timestamp, parts: &[&[u8]], signatures: &[Vec<u8>]) -> bool {
        self.any(now, |key| matches_any(key, parts, signatures))
    }
}

/// Whether the key makes any of these signatures out of the parts, in a time that does not tell how far it was right.
pub fn matches_any(key: &hmac::Key, parts: &[&[u8]], signatures: &[Vec<u8>]) -> Choice {
    let mut context = hmac::Context::with_key(key);
    for part in parts {
        context.update(part);
    }
    let made = context.sign();
    signatures.iter().fold(Choice::from(0), |found, given| found | made.as_ref().ct_eq(given))
}
