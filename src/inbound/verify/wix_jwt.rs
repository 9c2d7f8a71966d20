//! Wix: the whole body is a JWT, RS256. Nothing else is accepted, whatever its header says.

use super::keys::Keys;
use super::{Failure, Verified};
use crate::domain::event::SignatureState;
use crate::domain::time::{Millis, Timestamp};
use crate::inbound::RawRequest;
use crate::inbound::secrets::Secret;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use rsa::pkcs1::DecodeRsaPublicKey;
use rsa::pkcs8::DecodePublicKey;
use rsa::traits::PublicKeyParts;
use serde::Deserialize;
use serde::de::IgnoredAny;
use subtle::Choice;

pub struct WixJwt {
    pub(super) keys: Keys<RsaPublicKeyComponents<Vec<u8>>>,
}

#[derive(Deserialize)]
struct Header<'a> {
    #[serde(borrow)]
    alg: &'a str,
    /// Extensions that must be understood; none are.
    crit: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Times {
    exp: Option<f64>,
    nbf: Option<f64>,
}

const JWT_HEADER_BYTES_MAX: usize = 1_024;

impl WixJwt {
    pub fn build(secrets: &[Secret]) -> Result<Self, &'static str> {
        Keys::build(secrets, public_key).map(|keys| Self { keys })
    }

    pub fn verify(&self, request: &RawRequest<'_>, now: Timestamp, tolerance: Millis) -> Result<Verified, Failure> {
        let Pieces { signed, header, claims, signature } = split(request.body).ok_or(Failure::Missing)?;
        if header.len() > JWT_HEADER_BYTES_MAX {
            return Err(Failure::Bad);
        }
        let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| Failure::Bad)?;
        let header: Header<'_> = serde_json::from_slice(&header).map_err(|_| Failure::Bad)?;
        if header.alg != "RS256" || header.crit.is_some() {
            return Err(Failure::Bad);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Failure::Bad)?;
        let accepts = |key: &RsaPublicKeyComponents<Vec<u8>>| {
            Choice::from(u8::from(key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, &signature).is_ok()))
        };
        if !self.keys.any(now, accepts) {
            return Err(Failure::Bad);
        }
        let claims = URL_SAFE_NO_PAD.decode(claims).map_err(|_| Failure::Bad)?;
        check_times(&claims, now, tolerance)?;
        Ok(Verified { state: SignatureState::Valid, claims: Some(claims) })
    }
}

/// The pieces of a JWT, still base64url.
struct Pieces<'b> {
    /// `header.claims`
    signed: &'b [u8],
    header: &'b [u8],
    claims: &'b [u8],
    signature: &'b [u8],
}

/// `None` unless the body has the form of a JWT.
fn split(body: &[u8]) -> Option<Pieces<'_>> {
    let body = body.trim_ascii();
    if !body.starts_with(b"eyJ") {
        return None;
    }
    let first = body.iter().position(|b| *b == b'.')?;
    let last = body.iter().rposition(|b| *b == b'.')?;
    let claims = body.get(first + 1..last).filter(|claims| !claims.contains(&b'.'))?;
    Some(Pieces { signed: &body[..last], header: &body[..first], claims, signature: &body[last + 1..] })
}

/// Claims that are no JSON at all are signed nevertheless: what they mean is for the parser to say.
fn check_times(claims: &[u8], now: Timestamp, tolerance: Millis) -> Result<(), Failure> {
    let times: Times = match serde_json::from_slice(claims) {
        Ok(times) => times,
        Err(error) if error.is_data() => return Err(Failure::Bad),
        Err(_) => return Ok(()),
    };
    let millis = |seconds: f64| Timestamp((seconds * 1_000.0) as i64);
    let expired = times.exp.is_some_and(|exp| now > millis(exp) + tolerance);
    let early = times.nbf.is_some_and(|nbf| now < millis(nbf) - tolerance);
    if expired || early { Err(Failure::Stale) } else { Ok(()) }
}

/// A PEM (SPKI or PKCS#1), base64 of a PEM, or base64 of the bare DER.
fn public_key(text: &str) -> Result<RsaPublicKeyComponents<Vec<u8>>, &'static str> {
    let key = rsa_public_key(text).ok_or("it is no RSA public key in PEM, or base64 of one")?;
    if key.size() * 8 < 2_048 {
        return Err("the RSA key has fewer than 2048 bits");
    }
    Ok(RsaPublicKeyComponents { n: key.n().to_bytes_be(), e: key.e().to_bytes_be() })
}

pub(super) fn rsa_public_key(text: &str) -> Option<rsa::RsaPublicKey> {
    // A variable in a file or a unit often holds line breaks as the two characters \n.
    let text = text.trim().replace("\\n", "\n");
    if text.starts_with("-----BEGIN") {
        return rsa::RsaPublicKey::from_public_key_pem(&text).or_else(|_| rsa::RsaPublicKey::from_pkcs1_pem(&text)).ok();
    }
    let compact: String = text.split_whitespace().collect();
    let bytes = STANDARD.decode(compact).ok()?;
    match std::str::from_utf8(&bytes) {
        Ok(pem) if pem.trim_start().starts_with("-----BEGIN") => {
            let pem = pem.trim();
            rsa::RsaPublicKey::from_public_key_pem(pem).or_else(|_| rsa::RsaPublicKey::from_pkcs1_pem(pem)).ok()
        }
        _ => rsa::RsaPublicKey::from_public_key_der(&bytes).or_else(|_| rsa::RsaPublicKey::from_pkcs1_der(&bytes)).ok(),
    }
}
