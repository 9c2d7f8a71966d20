//! Our account at a provider.

use crate::config::{Secret, SmsSettings};
use crate::domain::time::Millis;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What a call needs to know.
#[derive(Clone)]
pub struct Account {
    username: String,
    key: Secret,
    /// Our number (E.164) or a registered name.
    pub from: String,
    /// Without a slash at its end; `None`: the provider's own address.
    pub base_url: Option<String>,
    /// Where the provider sends what becomes of a text; a secret, because it holds a token.
    callback_url: Option<Secret>,
    /// For one call.
    pub timeout: Millis,
    pub batch_max: usize,
    /// What answers is a simulator: nothing leaves.
    pub is_rehearsal: bool,
}

impl Account {
    /// `None` while the settings name no account. `callback_url`: only some providers are told of it with each text.
    #[must_use]
    pub fn of(settings: &SmsSettings, callback_url: Option<Secret>) -> Option<Self> {
        Some(Self {
            username: settings.username.clone()?,
            key: settings.api_key.first()?.clone(),
            from: settings.from.clone()?,
            base_url: settings.base_url.clone(),
            callback_url,
            timeout: settings.timeout,
            batch_max: settings.batch_max as usize,
            is_rehearsal: settings.rehearsal,
        })
    }

    pub(super) fn authorization(&self) -> String {
        format!("Basic {}", STANDARD.encode(format!("{}:{}", self.username, self.key.expose())))
    }

    pub(super) fn callback_url(&self) -> Option<&str> {
        self.callback_url.as_ref().map(Secret::expose)
    }
}
