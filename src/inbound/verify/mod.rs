//! Who sent this? Every scheme works on the raw bytes, before anything is parsed, tries all active secrets without
//! stopping at the first, and compares in constant time.

mod hmac;
mod keys;
mod messagemedia;
mod slack;
mod standard;
mod stripe;
pub(super) mod template;
mod token;
mod wix_jwt;

use super::RawRequest;
use super::secrets::Secrets;
use super::sources::SchemeSpec;
use crate::domain::event::SignatureState;
use crate::domain::time::{Millis, Timestamp};

/// Longest header looked at, in bytes.
pub const SIGNATURE_HEADER_BYTES_MAX: usize = 8 * 1024;
/// Signatures tried out of one header.
pub const SIGNATURES_PER_HEADER_MAX: usize = 16;

/// Accepted.
#[derive(Debug, PartialEq, Eq)]
pub struct Verified {
    pub state: SignatureState,
    /// The signed document, when it is inside the body (the claims of a JWT).
    pub claims: Option<Vec<u8>>,
}

/// Not accepted. Ordered: of several schemes' answers the greatest says most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Failure {
    /// No secret is there to verify with.
    Unconfigured,
    /// The request carries nothing that this scheme could verify.
    Missing,
    /// What it carries is not of the scheme's form.
    Unreadable,
    /// It is of the right form, and wrong.
    Bad,
    /// Right, but too old or from the future.
    Stale,
}

/// One scheme with its secrets, parsed once.
pub enum Scheme {
    WixJwt(wix_jwt::WixJwt),
    Hmac(hmac::Hmac),
    Standard(standard::Standard),
    Stripe(stripe::Stripe),
    Slack(slack::Slack),
    MessageMedia(messagemedia::MessageMedia),
    Token(token::Token),
}

/// A secret that cannot be used, by the name of its variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct BadSecret {
    pub name: String,
    pub reason: &'static str,
}

impl Scheme {
    pub fn build(spec: &SchemeSpec, secrets: &Secrets) -> Result<Self, BadSecret> {
        let name = spec.secret_env();
        let held = secrets.get(name);
        let scheme = match spec {
            SchemeSpec::WixJwt { .. } => wix_jwt::WixJwt::build(held).map(Self::WixJwt),
            SchemeSpec::Hmac { header, encoding, prefix, signed_content, timestamp_header, .. } => {
                hmac::Hmac::build(held, header, *encoding, prefix, signed_content, timestamp_header.as_deref()).map(Self::Hmac)
            }
            SchemeSpec::Github { .. } => Ok(Self::Hmac(hmac::Hmac::github(held))),
            SchemeSpec::StandardWebhooks { .. } => standard::Standard::build(held).map(Self::Standard),
            SchemeSpec::Stripe { .. } => Ok(Self::Stripe(stripe::Stripe::build(held))),
            SchemeSpec::Slack { .. } => Ok(Self::Slack(slack::Slack::build(held))),
            SchemeSpec::MessagemediaRsa { digest, public_path, .. } => {
                messagemedia::MessageMedia::build(held, *digest, public_path.as_deref()).map(Self::MessageMedia)
            }
            SchemeSpec::HeaderToken { header, .. } => Ok(Self::Token(token::Token::in_header(held, header))),
            SchemeSpec::UrlToken { .. } => Ok(Self::Token(token::Token::in_path(held))),
        };
        scheme.map_err(|reason| BadSecret { name: name.to_owned(), reason })
    }

    /// Without a secret nothing is ever accepted.
    #[must_use]
    pub fn is_configured(&self) -> bool {
        match self {
            Self::WixJwt(scheme) => !scheme.keys.is_empty(),
            Self::Hmac(scheme) => !scheme.keys.is_empty(),
            Self::Standard(scheme) => !scheme.keys.is_empty(),
            Self::Stripe(scheme) => !scheme.keys.is_empty(),
            Self::Slack(scheme) => !scheme.keys.is_empty(),
            Self::MessageMedia(scheme) => !scheme.keys.is_empty(),
            Self::Token(scheme) => !scheme.keys.is_empty(),
        }
    }

    pub fn verify(&self, request: &RawRequest<'_>, now: Timestamp, tolerance: Millis) -> Result<Verified, Failure> {
        if !self.is_configured() {
            return Err(Failure::Unconfigured);
        }
        match self {
            Self::WixJwt(scheme) => scheme.verify(request, now, tolerance),
            Self::Hmac(scheme) => scheme.verify(request, now, tolerance).map(|()| SIGNED),
            Self::Standard(scheme) => scheme.verify(request, now, tolerance).map(|()| SIGNED),
            Self::Stripe(scheme) => scheme.verify(request, now, tolerance).map(|()| SIGNED),
            Self::Slack(scheme) => scheme.verify(request, now, tolerance).map(|()| SIGNED),
            Self::MessageMedia(scheme) => scheme.verify(request, now, tolerance).map(|()| SIGNED),
            Self::Token(scheme) => scheme.verify(request, now).map(|()| TOKEN),
        }
    }
}

const SIGNED: Verified = Verified { state: SignatureState::Valid, claims: None };
const TOKEN: Verified = Verified { state: SignatureState::Token, claims: None };

/// A header's trimmed value; missing, empty and oversized ones are failures.
fn header<'r>(request: &RawRequest<'r>, name: &str) -> Result<&'r str, Failure> {
    let value = (request.headers)(name).map(str::trim).filter(|v| !v.is_empty()).ok_or(Failure::Missing)?;
    if value.len() > SIGNATURE_HEADER_BYTES_MAX { Err(Failure::Unreadable) } else { Ok(value) }
}

/// Unix seconds of a signed time, as milliseconds.
fn unix_seconds(text: &str) -> Result<Timestamp, Failure> {
    let plain = !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    let seconds: i64 = if plain { text.parse().map_err(|_| Failure::Unreadable)? } else { return Err(Failure::Unreadable) };
    Ok(Timestamp(seconds.saturating_mul(1_000)))
}

/// Within the tolerance, both ways.
fn fresh(at: Timestamp, now: Timestamp, tolerance: Millis) -> Result<(), Failure> {
    let distance = (now - at).0.saturating_abs();
    if distance <= tolerance.0 { Ok(()) } else { Err(Failure::Stale) }
}
