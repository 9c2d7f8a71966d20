//! Standard Webhooks 1.0: HMAC-SHA256 over `id.timestamp.body`, base64, a list of signatures in one header.

use super::keys::Keys;
use super::{Failure, SIGNATURES_PER_HEADER_MAX, fresh, header, unix_seconds};
use crate::domain::time::{Millis, Timestamp};
use crate::inbound::RawRequest;
use crate::inbound::secrets::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

pub struct Standard {
    pub(super) keys: Keys<hmac::Key>,
}

impl Standard {
    /// Secrets are base64, with or without the `whsec_` prefix.
    pub fn build(secrets: &[Secret]) -> Result<Self, &'static str> {
        let keys = Keys::build(secrets, |text| {
            let bytes = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text));
            bytes
                .map(|b| hmac::Key::new(hmac::HMAC_SHA256, &b))
                .map_err(|_| "a Standard Webhooks secret is base64, such as whsec_…")
        })?;
        Ok(Self { keys })
    }

    pub fn verify(&self, request: &RawRequest<'_>, now: Timestamp, tolerance: Millis) -> Result<(), Failure> {
        let id = header(request, "webhook-id")?;
        let timestamp = header(request, "webhook-timestamp")?;
        let list = header(request, "webhook-signature")?;
        let signed_at = unix_seconds(timestamp)?;
        let given = list.split(' ').filter_map(|one| one.strip_prefix("v1,")).take(SIGNATURES_PER_HEADER_MAX);
        let signatures: Vec<Vec<u8>> = given.filter_map(|text| STANDARD.decode(text).ok()).collect();
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", request.body];
        if self.keys.signed(now, &parts, &signatures) { fresh(signed_at, now, tolerance) } else { Err(Failure::Bad) }
    }
}
