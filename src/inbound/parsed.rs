//! What a parser found, before it becomes a [`Delivery`].

use crate::domain::event::{Actor, Delivery, EventPayload, QUARANTINED, ReceiptInput, SignatureState, lane_key};
use crate::domain::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};

/// One event out of a request.
#[derive(Debug)]
pub struct Parsed {
    /// When it is not the source's own name (`clicksend`).
    pub source: Option<&'static str>,
    /// The provider's event id; the hash of the body stands for a missing one.
    pub id: Option<String>,
    pub event_type: String,
    pub occurred_at: Option<Timestamp>,
    pub actor: Actor,
    pub payload: EventPayload,
    /// When it is not the body itself.
    pub raw: Option<String>,
}

/// What all deliveries of one request share.
pub struct Envelope<'r> {
    pub source: &'r str,
    pub state: SignatureState,
    pub body: &'r [u8],
    pub sha256: String,
}

/// Receipts of one text are worked on in the order of arrival: of two that contradict, the first holds.
fn lane_of_text(receipt: &ReceiptInput) -> Option<String> {
    let id = receipt.provider_message_id.as_ref().or(receipt.sms_id.as_ref())?;
    Some(format!("t:{}:{id}", receipt.provider))
}

/// In front of a raw payload that is no plain text.
pub const BASE64_MARK: &str = "base64:";

impl Envelope<'_> {
    /// `part` tells several events of one body apart.
    pub fn deliver(&self, parsed: Parsed, part: Option<usize>) -> Delivery {
        let booking = parsed.payload.booking.as_ref().and_then(|b| b.wix_booking_id.as_deref());
        Delivery {
            source: parsed.source.unwrap_or(self.source).to_owned(),
            dedupe_key: parsed.id.unwrap_or_else(|| self.key_of_part(part)),
            event_type: parsed.event_type,
            occurred_at: parsed.occurred_at,
            actor: parsed.actor,
            signature_state: self.state,
            lane_key: lane_key(parsed.payload.contact.as_ref(), booking)
                .or_else(|| lane_of_text(parsed.payload.receipt.as_ref()?)),
            payload: parsed.payload,
            raw_payload: parsed.raw.unwrap_or_else(|| self.raw_text()),
            raw_sha256: self.sha256.clone(),
            quarantine_reason: None,
        }
    }

    /// `part` tells several events of one body apart.
    pub fn quarantine(&self, reason: String, part: Option<usize>) -> Delivery {
        let suffix = part.map_or_else(String::new, |index| format!(":{index}"));
        Delivery {
            source: self.source.to_owned(),
            dedupe_key: format!("quarantined:{}{suffix}", self.sha256),
            event_type: QUARANTINED.to_owned(),
            occurred_at: None,
            actor: Actor::Provider,
            signature_state: self.state,
            payload: EventPayload::default(),
            raw_payload: self.raw_text(),
            raw_sha256: self.sha256.clone(),
            lane_key: None,
            quarantine_reason: Some(reason),
        }
    }

    /// The first event's is the body's hash, as if it were alone.
    fn key_of_part(&self, part: Option<usize>) -> String {
        match part {
            Some(index) if index > 0 => format!("{}:{index}", self.sha256),
            _ => self.sha256.clone(),
        }
    }

    /// Text as it is; anything a text column could not hold as base64.
    fn raw_text(&self) -> String {
        match std::str::from_utf8(self.body) {
            Ok(text) if !text.contains('\0') => text.to_owned(),
            _ => format!("{BASE64_MARK}{}", STANDARD.encode(self.body)),
        }
    }
}

/// Lower-case hex.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex::encode(digest(&SHA256, bytes))
}

/// A hash of several texts, none of which can run into the next.
pub fn sha256_of(parts: &[&str]) -> String {
    let mut context = ring::digest::Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_le_bytes());
        context.update(part.as_bytes());
    }
    hex::encode(context.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_do_not_run_into_each_other() {
        assert_ne!(sha256_of(&["ab", "c"]), sha256_of(&["a", "bc"]));
        assert_eq!(sha256_hex(b""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    }
}
