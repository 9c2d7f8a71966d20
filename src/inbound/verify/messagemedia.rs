//! MessageMedia: RSA PKCS#1 v1.5 over request line, `Date` and body, one after the other without separators.

use super::keys::Keys;
use super::wix_jwt::rsa_public_key;
use super::{Failure, fresh, header};
use crate::domain::time::{Millis, Timestamp};
use crate::inbound::RawRequest;
use crate::inbound::secrets::Secret;
use crate::inbound::sources::RsaDigest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::DateTime;
use rsa::sha2::{Digest, Sha224, Sha256, Sha512};
use rsa::{Pkcs1v15Sign, RsaPublicKey};
use subtle::Choice;

pub struct MessageMedia {
    pub(super) keys: Keys<RsaPublicKey>,
    digests: Vec<RsaDigest>,
    public_path: Option<String>,
}

/// A proxy may speak another version to us than the sender spoke to it.
const PROTOCOLS: [&str; 2] = ["HTTP/1.1", "HTTP/1.0"];

impl MessageMedia {
    pub fn build(secrets: &[Secret], digest: Option<RsaDigest>, public_path: Option<&str>) -> Result<Self, &'static str> {
        let keys = Keys::build(secrets, |text| rsa_public_key(text).ok_or("it is no RSA public key in PEM or base64"))?;
        let digests = digest.map_or_else(|| vec![RsaDigest::Sha224, RsaDigest::Sha256, RsaDigest::Sha512], |one| vec![one]);
        Ok(Self { keys, digests, public_path: public_path.map(ToOwned::to_owned) })
    }

    pub fn verify(&self, request: &RawRequest<'_>, now: Timestamp, tolerance: Millis) -> Result<(), Failure> {
        let signature = header(request, "X-Messagemedia-Signature")?;
        let date = header(request, "Date")?;
        let signature = STANDARD.decode(signature).map_err(|_| Failure::Bad)?;
        let signed_at = DateTime::parse_from_rfc2822(date).map_err(|_| Failure::Unreadable)?;
        let hashes = self.hashes(request, date);
        let accepted = self.keys.any(now, |key| {
            hashes.iter().fold(Choice::from(0), |found, (padding, hash)| {
                found | Choice::from(u8::from(key.verify(padding.clone(), hash, &signature).is_ok()))
            })
        });
        if accepted { fresh(Timestamp(signed_at.timestamp_millis()), now, tolerance) } else { Err(Failure::Bad) }
    }

    /// Every reading of what may have been signed.
    fn hashes(&self, request: &RawRequest<'_>, date: &str) -> Vec<(Pkcs1v15Sign, Vec<u8>)> {
        let mut hashes = Vec::new();
        for path in std::iter::once(request.path).chain(self.public_path.as_deref()) {
            for protocol in PROTOCOLS {
                let line = format!("{} {path} {protocol}{date}", request.method);
                for digest in &self.digests {
                    hashes.push(hash(*digest, line.as_bytes(), request.body));
                }
            }
        }
        hashes
    }
}

fn hash(digest: RsaDigest, line: &[u8], body: &[u8]) -> (Pkcs1v15Sign, Vec<u8>) {
    match digest {
        RsaDigest::Sha224 => {
            (Pkcs1v15Sign::new::<Sha224>(), Sha224::new().chain_update(line).chain_update(body).finalize().to_vec())
        }
        RsaDigest::Sha256 => {
            (Pkcs1v15Sign::new::<Sha256>(), Sha256::new().chain_update(line).chain_update(body).finalize().to_vec())
        }
        RsaDigest::Sha512 => {
            (Pkcs1v15Sign::new::<Sha512>(), Sha512::new().chain_update(line).chain_update(body).finalize().to_vec())
        }
    }
}
