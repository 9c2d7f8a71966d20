//! The other side: making signed webhooks, for the demo, for tests and for measurements.

use crate::domain::ids::fill_random;
use crate::domain::time::Timestamp;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use ring::{hmac, signature};
use rsa::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::{CryptoRng, RngCore};
use rsa::sha2::{Digest, Sha256};
use rsa::{Pkcs1v15Sign, RsaPrivateKey};
use serde_json::json;

/// Signs events as Wix does.
pub struct WixSigner(RsaKeyPair);

/// A fresh pair, PEM: for a demo that signs its own webhooks. Nobody else can, because nobody else has the private half.
pub struct KeyPair {
    pub private_pem: String,
    pub public_pem: String,
}

impl KeyPair {
    /// Takes a noticeable part of a second.
    pub fn generate() -> Result<Self, SignError> {
        let private = RsaPrivateKey::new(&mut SystemRng, KEY_BITS).map_err(|_| SignError::Key)?;
        let private_pem = private.to_pkcs8_pem(LineEnding::LF).map_err(|_| SignError::Key)?.to_string();
        let public_pem = private.to_public_key().to_public_key_pem(LineEnding::LF).map_err(|_| SignError::Key)?;
        Ok(Self { private_pem, public_pem })
    }
}

const KEY_BITS: usize = 2_048;

/// The operating system's random source, as the `rsa` crate wants it.
struct SystemRng;

impl CryptoRng for SystemRng {}

impl RngCore for SystemRng {
    fn next_u32(&mut self) -> u32 {
        let mut bytes = [0; 4];
        self.fill_bytes(&mut bytes);
        u32::from_le_bytes(bytes)
    }
    fn next_u64(&mut self) -> u64 {
        let mut bytes = [0; 8];
        self.fill_bytes(&mut bytes);
        u64::from_le_bytes(bytes)
    }
    fn fill_bytes(&mut self, bytes: &mut [u8]) {
        fill_random(bytes);
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), rsa::rand_core::Error> {
        self.fill_bytes(bytes);
        Ok(())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    #[error("this is no PKCS#8 RSA private key in PEM")]
    Key,
    #[error("the event could not be signed")]
    Sign,
}

/// Who Wix says was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    Visitor,
    Member,
    WixUser,
    App,
}

/// The instance that demo events claim to come from.
const INSTANCE_ID: &str = "3f0f6a0e-aaaa-4bbb-8ccc-6f7f3b0d9e10";
/// A signed event is good for this long.
const LIFETIME_S: i64 = 3_600;

impl WixSigner {
    /// From a `BEGIN PRIVATE KEY` PEM.
    pub fn from_pem(pem: &str) -> Result<Self, SignError> {
        let base64: String = pem.lines().filter(|line| !line.starts_with("-----")).map(str::trim).collect();
        let der = STANDARD.decode(base64).map_err(|_| SignError::Key)?;
        RsaKeyPair::from_pkcs8(&der).map(Self).map_err(|_| SignError::Key)
    }

    /// The whole body of a webhook: a JWT around `inner`, the event's own JSON. `event_type` is such as
    /// `wix.bookings.v2.booking_created`.
    pub fn sign_event(&self, event_type: &str, inner: &str, identity: Identity, now: Timestamp) -> Result<String, SignError> {
        let issued = now.0 / 1_000;
        let outer = json!({
            "data": inner,
            "instanceId": INSTANCE_ID,
            "eventType": event_type,
            "identity": json!({ "identityType": identity.name() }).to_string(),
        });
        let claims = json!({ "data": outer.to_string(), "iat": issued, "exp": issued + LIFETIME_S });
        self.sign_claims(&claims.to_string())
    }

    /// A JWT around any claims.
    pub fn sign_claims(&self, claims: &str) -> Result<String, SignError> {
        let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","kid":"demo","typ":"JWT"}"#);
        let mut token = format!("{header}.{}", URL_SAFE_NO_PAD.encode(claims));
        let mut signature = vec![0; self.0.public().modulus_len()];
        let padding: &dyn signature::RsaEncoding = &RSA_PKCS1_SHA256;
        self.0.sign(padding, &SystemRandom::new(), token.as_bytes(), &mut signature).map_err(|_| SignError::Sign)?;
        token.push('.');
        token.push_str(&URL_SAFE_NO_PAD.encode(signature));
        Ok(token)
    }
}

impl Identity {
    const fn name(self) -> &'static str {
        match self {
            Self::Visitor => "ANONYMOUS_VISITOR",
            Self::Member => "MEMBER",
            Self::WixUser => "WIX_USER",
            Self::App => "APP",
        }
    }
}

/// Signs as MessageMedia does: RSA PKCS#1 v1.5 with SHA-256, over request line, `Date` and body without separators.
pub struct MessageMediaSigner(RsaPrivateKey);

impl MessageMediaSigner {
    /// From a `BEGIN PRIVATE KEY` PEM.
    pub fn from_pem(pem: &str) -> Result<Self, SignError> {
        RsaPrivateKey::from_pkcs8_pem(pem).map(Self).map_err(|_| SignError::Key)
    }

    /// The value of `X-Messagemedia-Signature`. `request_line` is such as `POST /webhooks/sms/inbound HTTP/1.1`.
    pub fn sign(&self, request_line: &str, date: &str, body: &[u8]) -> Result<String, SignError> {
        let hash = Sha256::new().chain_update(request_line).chain_update(date).chain_update(body).finalize();
        let signature = self.0.sign(Pkcs1v15Sign::new::<Sha256>(), &hash).map_err(|_| SignError::Sign)?;
        Ok(STANDARD.encode(signature))
    }
}

/// The value of `X-Wix-Webhook-Signature` (and, after `sha256=`, of `X-Hub-Signature-256`): HMAC-SHA256, lower-case hex.
#[must_use]
pub fn hmac_hex(secret: &str, body: &[u8]) -> String {
    hex::encode(hmac_sha256(secret.as_bytes(), body))
}

/// The value of `webhook-signature` for a Standard Webhooks secret (`whsec_…`); `None` when that is not base64.
#[must_use]
pub fn standard_signature(secret: &str, id: &str, timestamp_s: i64, body: &[u8]) -> Option<String> {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap_or(secret)).ok()?;
    let content = [id.as_bytes(), b".", timestamp_s.to_string().as_bytes(), b".", body].concat();
    Some(format!("v1,{}", STANDARD.encode(hmac_sha256(&key, &content))))
}

fn hmac_sha256(key: &[u8], content: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), content).as_ref().to_vec()
}
