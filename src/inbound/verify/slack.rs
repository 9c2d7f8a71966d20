//! Slack: `X-Slack-Signature: v0=HEX` over `v0:SECONDS:body`.

use super::keys::Keys;
use super::{Failure, fresh, header, unix_seconds};
use crate::domain::time::{Millis, Timestamp};
use crate::inbound::RawRequest;
use crate::inbound::secrets::Secret;

pub struct Slack {
    pub(super) keys: Keys<ring::hmac::Key>,
}

impl Slack {
    pub fn build(secrets: &[Secret]) -> Self {
        Self { keys: Keys::hmac_sha256(secrets) }
    }

    pub fn verify(&self, request: &RawRequest<'_>, now: Timestamp, tolerance: Millis) -> Result<(), Failure> {
        let given = header(request, "X-Slack-Signature")?;
        let timestamp = header(request, "X-Slack-Request-Timestamp")?;
        let signed_at = unix_seconds(timestamp)?;
        let signature = given.strip_prefix("v0=").and_then(|text| hex::decode(text).ok()).ok_or(Failure::Bad)?;
        let parts: [&[u8]; 4] = [b"v0:", timestamp.as_bytes(), b":", request.body];
        if self.keys.signed(now, &parts, &[signature]) { fresh(signed_at, now, tolerance) } else { Err(Failure::Bad) }
    }
}
