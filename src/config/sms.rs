//! `sms`: who carries our texts.

use super::parse::{self, choice};
use super::reader::Reader;
use super::secret::SecretList;
use super::sender;
use crate::domain::time::Millis;

/// ClickSend's price for Australia, in A$.
const PRICE_PER_PART_DEFAULT: f64 = 0.0792;

#[derive(Clone)]
pub struct SmsSettings {
    pub provider: SmsProvider,
    pub username: Option<String>,
    /// The first is used for calls.
    pub api_key: SecretList,
    /// Our number (E.164) or a registered sender name.
    pub from: Option<String>,
    /// The sender name stands in the SMS Sender ID Register.
    pub sender_registered: bool,
    /// `None`: the provider's own address.
    pub base_url: Option<String>,
    /// What answers at `base_url` is a simulator on this machine: nothing leaves.
    pub rehearsal: bool,
    pub per_second_max: u32,
    /// Texts in one call to the provider.
    pub batch_max: u32,
    /// For one call to the provider.
    pub timeout: Millis,
    /// What one part of a text costs, in A$; for what `rules diff` reckons, and for providers that name no price.
    pub price_per_part: f64,
    /// From the acceptance of a text to the first question for the receipt that did not come.
    pub receipt_wait: Millis,
    /// Questions about one text; 0: none.
    pub receipt_checks_max: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmsProvider {
    /// Nothing leaves the machine.
    #[default]
    Sandbox,
    ClickSend,
    MessageMedia,
}

impl SmsProvider {
    pub const ALL: [Self; 3] = [Self::Sandbox, Self::ClickSend, Self::MessageMedia];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::ClickSend => "clicksend",
            Self::MessageMedia => "messagemedia",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.as_str() == text)
    }
}

impl SmsSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let names = SmsProvider::ALL.map(SmsProvider::as_str);
        let show = |provider: &SmsProvider| provider.as_str().to_owned();
        let named = |t: &str| choice(t, &names, SmsProvider::parse);
        let show_url = |url: &Option<String>| url.clone().unwrap_or_else(|| "(the provider's own)".to_owned());
        let show_from = |from: &Option<String>| from.clone().unwrap_or_else(|| "(not set)".to_owned());
        let settings = Self {
            provider: reader.value("sms.provider", Some("SMS_PROVIDER"), SmsProvider::Sandbox, show, named),
            username: reader.text("sms.username", "SMS_API_USERNAME"),
            api_key: reader.secret("SMS_API_KEY", "SMS_API_KEY_FILE"),
            from: reader.value("sms.from", Some("SMS_FROM"), None, show_from, |t| sender::parse(t).map(Some)),
            sender_registered: reader.shown_value("sms.sender_registered", None, false, parse::flag),
            base_url: reader
                .value("sms.base_url", Some("SMS_API_BASE_URL"), None, show_url, |t| parse::base_url(t, true).map(Some)),
            rehearsal: reader.shown_value("sms.rehearsal", Some("SMS_REHEARSAL"), false, |t| {
                let parse = |t: &str| t.parse().ok();
                choice(t, &["true", "false"], parse)
            }),
            per_second_max: reader.number("sms.per_second_max", 5, 1, 1_000) as u32,
            batch_max: reader.number("sms.batch_max", 100, 1, 100) as u32,
            timeout: parse::seconds(reader.number("sms.timeout_seconds", 10, 1, 60)),
            price_per_part: reader.shown_value("sms.price_per_part", None, PRICE_PER_PART_DEFAULT, parse::price),
            receipt_wait: Millis::minutes(reader.number("sms.receipt_wait_minutes", 120, 5, 1_440) as i64),
            receipt_checks_max: reader.number("sms.receipt_checks_max", 3, 0, 3) as u32,
        };
        settings.check_account(reader);
        settings.check_rehearsal(reader);
        settings
    }

    /// Texts can reach real phones.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.provider != SmsProvider::Sandbox && !self.rehearsal
    }

    /// One sentence for every surface, when nothing leaves.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        match (self.provider, self.rehearsal) {
            (SmsProvider::Sandbox, _) => Some("sandbox: nothing leaves, no text reaches a phone".to_owned()),
            (provider, true) => {
                let url = self.base_url.as_deref().unwrap_or_default();
                Some(format!("rehearsal: nothing leaves, texts for {} go to the simulator at {url}", provider.as_str()))
            }
            (_, false) => None,
        }
    }

    fn check_rehearsal(&self, reader: &mut Reader) {
        let is_here = self.base_url.as_deref().is_some_and(parse::is_url_of_this_machine);
        if self.rehearsal && !is_here {
            let message = "sms.rehearsal is true, but SMS_API_BASE_URL does not name this machine".to_owned();
            reader.refuse_variable(
                message,
                Some("set SMS_API_BASE_URL to the simulator, such as http://127.0.0.1:8899".to_owned()),
            );
        }
    }

    fn check_account(&self, reader: &mut Reader) {
        if self.provider == SmsProvider::Sandbox {
            return;
        }
        let missing = [
            ("SMS_API_USERNAME", self.username.is_none()),
            ("SMS_API_KEY", self.api_key.is_empty()),
            ("SMS_FROM", self.from.is_none()),
        ];
        for (variable, _) in missing.iter().filter(|(_, missing)| *missing) {
            let message = format!("{variable} is not set, and {} cannot send without it", self.provider.as_str());
            reader.refuse_variable(message, Some(format!("set {variable}, or SMS_PROVIDER=sandbox")));
        }
    }
}
