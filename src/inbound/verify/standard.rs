//! Standard Webhooks 1.0: over `id.timestamp.body`, HMAC-SHA256 (`v1`) or ed25519 (`v1a`), base64, a list of signatures in one
//! header. Which one is checked is for the secret to say: `whsec_` is shared, `whpk_` is the sender's public key.

use super::keys::{Keys, matches_any};
use super::{Failure, SIGNATURES_PER_HEADER_MAX, fresh, header, unix_seconds};
use crate::domain::time::{Millis, Timestamp};
use crate::inbound::RawRequest;
use crate::inbound::secrets::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;
use ring::signature::{ED25519, UnparsedPublicKey};
use subtle::Choice;

/// In bytes.
const PUBLIC_KEY_LENGTH: usize = 32;

pub struct Standard {
    pub(super) keys: Keys<Key>,
}

pub enum Key {
    Shared(hmac::Key),
    Public(UnparsedPublicKey<Vec<u8>>),
}

impl Standard {
    /// Secrets are base64, with or without the `whsec_` prefix; public keys have theirs.
    pub fn build(secrets: &[Secret]) -> Result<Self, &'static str> {
        Ok(Self { keys: Keys::build(secrets, parse)? })
    }

    pub fn verify(&self, request: &RawRequest<'_>, now: Timestamp, tolerance: Millis) -> Result<(), Failure> {
        let id = header(request, "webhook-id")?;
        let timestamp = header(request, "webhook-timestamp")?;
        let list = header(request, "webhook-signature")?;
        let signed_at = unix_seconds(timestamp)?;
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", request.body];
        let (shared, public) = (given(list, "v1,"), given(list, "v1a,"));
        let is_signed = self.keys.any(now, |key| match key {
            Key::Shared(key) => matches_any(key, &parts, &shared),
            Key::Public(key) => verifies(key, &parts.concat(), &public),
        });
        if is_signed { fresh(signed_at, now, tolerance) } else { Err(Failure::Bad) }
    }
}

fn parse(text: &str) -> Result<Key, &'static str> {
    if let Some(public) = text.strip_prefix("whpk_") {
        let bytes = STANDARD.decode(public).ok().filter(|bytes| bytes.len() == PUBLIC_KEY_LENGTH);
        let bytes = bytes.ok_or("a Standard Webhooks public key is whpk_ and the base64 of 32 bytes")?;
        return Ok(Key::Public(UnparsedPublicKey::new(&ED25519, bytes)));
    }
    let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text));
    bytes
        .map(|b| Key::Shared(hmac::Key::new(hmac::HMAC_SHA256, &b)))
        .map_err(|_| "a Standard Webhooks secret is base64, such as whsec_…")
}

/// The header's signatures of one version.
fn given(list: &str, version: &str) -> Vec<Vec<u8>> {
    let texts = list.split(' ').filter_map(|one| one.strip_prefix(version)).take(SIGNATURES_PER_HEADER_MAX);
    texts.filter_map(|text| STANDARD.decode(text).ok()).collect()
}

/// What a public key says is no secret, so its time may tell.
fn verifies(key: &UnparsedPublicKey<Vec<u8>>, content: &[u8], signatures: &[Vec<u8>]) -> Choice {
    Choice::from(u8::from(signatures.iter().any(|given| key.verify(content, given).is_ok())))
}
