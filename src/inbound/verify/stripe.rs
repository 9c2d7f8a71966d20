//! Stripe: `Stripe-Signature: t=SECONDS,v1=HEX[,v1=HEX]` over `t.body`.

use super::keys::Keys;
use super::{Failure, SIGNATURES_PER_HEADER_MAX, fresh, header, unix_seconds};
use crate::domain::time::{Millis, Timestamp};
use crate::inbound::RawRequest;
use crate::inbound::secrets::Secret;

pub struct Stripe {
    pub(super) keys: Keys<ring::hmac::Key>,
}

impl Stripe {
    pub fn build(secrets: &[Secret]) -> Self {
        Self { keys: Keys::hmac_sha256(secrets) }
    }

    pub fn verify(&self, request: &RawRequest<'_>, now: Timestamp, tolerance: Millis) -> Result<(), Failure> {
        let fields = header(request, "Stripe-Signature")?;
        let of =
            |name: &'static str| fields.split(',').filter_map(move |field| field.trim().strip_prefix(name)?.strip_prefix('='));
        let timestamp = of("t").next().ok_or(Failure::Unreadable)?;
        let signed_at = unix_seconds(timestamp)?;
        let signatures: Vec<Vec<u8>> =
            of("v1").take(SIGNATURES_PER_HEADER_MAX).filter_map(|text| hex::decode(text).ok()).collect();
        let parts: [&[u8]; 3] = [timestamp.as_bytes(), b".", request.body];
        if self.keys.signed(now, &parts, &signatures) { fresh(signed_at, now, tolerance) } else { Err(Failure::Bad) }
    }
}
