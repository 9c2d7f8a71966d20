//! The demo's own secrets: made in memory at each start, never written down.

use crate::domain::ids::fill_random;
use crate::inbound::Secrets;
use crate::inbound::sign::{SignError, WixSigner};
use rsa::RsaPrivateKey;
use rsa::pkcs8::{EncodePrivateKey, EncodePublicKey, LineEnding};
use rsa::rand_core::OsRng;

const RSA_BITS: usize = 2_048;
/// The signing library wants the two primes in one order; a key has them in either.
const KEY_ATTEMPTS_MAX: usize = 64;
const TOKEN_BYTES: usize = 24;

/// What the providers of the demo sign with.
pub struct SigningKeys {
    pub wix: WixSigner,
    /// Somebody else's key: what it signs is refused.
    pub stranger: WixSigner,
    pub manychat: String,
    /// The last segment of the SMS webhooks' paths.
    pub sms_token: String,
}

#[derive(Debug, thiserror::Error)]
pub enum DemoSecretsError {
    #[error("no RSA key could be made")]
    Rsa,
    #[error(transparent)]
    Sign(#[from] SignError),
}

/// Fresh secrets for `Inbound`, and the keys that make webhooks which pass them. Takes some tenths of a second.
pub fn demo_secrets() -> Result<(Secrets, SigningKeys), DemoSecretsError> {
    let (wix, public) = wix_key()?;
    let (stranger, _) = wix_key()?;
    let (manychat, sms_token, hmac) = (token(), token(), token());
    let secrets = Secrets::new()
        .with("WIX_WEBHOOK_PUBLIC_KEY", &public)
        .with("WIX_WEBHOOK_SECRET", &hmac)
        .with("MANYCHAT_WEBHOOK_SECRET", &manychat)
        .with("SMS_WEBHOOK_TOKEN", &sms_token);
    Ok((secrets, SigningKeys { wix, stranger, manychat, sms_token }))
}

/// The signer, and the public key as PEM.
fn wix_key() -> Result<(WixSigner, String), DemoSecretsError> {
    for _ in 0..KEY_ATTEMPTS_MAX {
        let key = RsaPrivateKey::new(&mut OsRng, RSA_BITS).map_err(|_| DemoSecretsError::Rsa)?;
        let private = key.to_pkcs8_pem(LineEnding::LF).map_err(|_| DemoSecretsError::Rsa)?;
        let Ok(signer) = WixSigner::from_pem(&private) else { continue };
        let public = key.to_public_key().to_public_key_pem(LineEnding::LF).map_err(|_| DemoSecretsError::Rsa)?;
        return Ok((signer, public));
    }
    Err(DemoSecretsError::Rsa)
}

fn token() -> String {
    let mut bytes = [0u8; TOKEN_BYTES];
    fill_random(&mut bytes);
    hex::encode(bytes)
}
