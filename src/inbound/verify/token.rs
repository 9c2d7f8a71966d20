//! A shared secret, in a header or as the last segment of the path.

use super::keys::Keys;
use super::{Failure, header};
use crate::domain::time::Timestamp;
use crate::inbound::RawRequest;
use crate::inbound::secrets::Secret;
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use subtle::ConstantTimeEq;

pub struct Token {
    /// Only hashes are kept and compared: equal lengths, so the comparison's time says nothing.
    pub(super) keys: Keys<[u8; SHA256_OUTPUT_LEN]>,
    place: Place,
}

enum Place {
    Header(String),
    Path,
}

impl Token {
    pub fn in_header(secrets: &[Secret], header: &str) -> Self {
        Self { keys: hashed(secrets), place: Place::Header(header.to_owned()) }
    }

    pub fn in_path(secrets: &[Secret]) -> Self {
        Self { keys: hashed(secrets), place: Place::Path }
    }

    pub fn verify(&self, request: &RawRequest<'_>, now: Timestamp) -> Result<(), Failure> {
        let given = match &self.place {
            Place::Path => request.token_from_path.filter(|t| !t.is_empty()).ok_or(Failure::Missing)?,
            Place::Header(name) => match header(request, name) {
                Err(Failure::Missing) => bearer(header(request, "Authorization")?)?,
                other => other?,
            },
        };
        let given = sha256(given);
        if self.keys.any(now, |key| key.ct_eq(&given)) { Ok(()) } else { Err(Failure::Bad) }
    }
}

fn bearer(authorization: &str) -> Result<&str, Failure> {
    let (scheme, token) = authorization.split_once(' ').ok_or(Failure::Missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(Failure::Missing) }
}

fn hashed(secrets: &[Secret]) -> Keys<[u8; SHA256_OUTPUT_LEN]> {
    Keys::build(secrets, |text| Ok(sha256(text))).unwrap_or_default()
}

fn sha256(text: &str) -> [u8; SHA256_OUTPUT_LEN] {
    let mut hash = [0; SHA256_OUTPUT_LEN];
    hash.copy_from_slice(digest(&SHA256, text.as_bytes()).as_ref());
    hash
}
