//! `secrets`: from the environment only (`NAME`, or `NAME_FILE` with the file's path), never from a file of settings.

use super::environment::Stage;
use super::reader::Reader;
use super::secret::SecretList;
use super::sms::SmsProvider;

/// What webhooks are verified with, and the key for ManyChat's API. Each may hold several values while it is rotated.
#[derive(Clone, Default)]
pub struct Secrets {
    /// PEM, or base64 of PEM.
    pub wix_webhook_public_key: SecretList,
    pub wix_webhook_secret: SecretList,
    pub manychat_webhook_secret: SecretList,
    pub manychat_api_key: SecretList,
    pub sms_webhook_token: SecretList,
}

impl Secrets {
    pub(super) fn read(reader: &mut Reader, provider: SmsProvider) -> Self {
        let secrets = Self {
            wix_webhook_public_key: reader.secret("WIX_WEBHOOK_PUBLIC_KEY", "WIX_WEBHOOK_PUBLIC_KEY_FILE"),
            wix_webhook_secret: reader.secret("WIX_WEBHOOK_SECRET", "WIX_WEBHOOK_SECRET_FILE"),
            manychat_webhook_secret: reader.secret("MANYCHAT_WEBHOOK_SECRET", "MANYCHAT_WEBHOOK_SECRET_FILE"),
            manychat_api_key: reader.secret("MANYCHAT_API_KEY", "MANYCHAT_API_KEY_FILE"),
            sms_webhook_token: reader.secret("SMS_WEBHOOK_TOKEN", "SMS_WEBHOOK_TOKEN_FILE"),
        };
        if reader.stage == Stage::Production {
            secrets.check_production(reader, provider);
        }
        secrets
    }

    fn check_production(&self, reader: &mut Reader, provider: SmsProvider) {
        let no_wix = self.wix_webhook_public_key.is_empty() && self.wix_webhook_secret.is_empty();
        let missing = [
            (no_wix, "WIX_WEBHOOK_PUBLIC_KEY", "bookings from Wix"),
            (self.manychat_webhook_secret.is_empty(), "MANYCHAT_WEBHOOK_SECRET", "leads from ManyChat"),
            (
                self.sms_webhook_token.is_empty() && provider != SmsProvider::Sandbox,
                "SMS_WEBHOOK_TOKEN",
                "replies and delivery receipts",
            ),
        ];
        for (_, variable, what) in missing.iter().filter(|(missing, ..)| *missing) {
            let message = format!("{variable} is not set: in production {what} could not be verified");
            reader.refuse_variable(message, Some(format!("set {variable}, or {variable}_FILE to a file that holds it")));
        }
    }
}
