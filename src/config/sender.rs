//! Who our texts are from: a number, or a name that must be registered.

use super::parse::{Parsed, Refusal};
use super::sms::SmsSettings;
use crate::domain::phone;
use serde::Serialize;

/// What can be used and should not stay so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Warning {
    /// The setting.
    pub key: &'static str,
    pub message: String,
    pub help: String,
}

/// Characters of a sender name, by the rules of both providers.
const NAME_CHARS: std::ops::RangeInclusive<usize> = 3..=11;

/// A number as it is written, or a name that networks accept.
pub(super) fn parse(text: &str) -> Parsed<String> {
    let is_word = text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if is_number(text) || is_word && NAME_CHARS.contains(&text.chars().count()) {
        return Ok(text.to_owned());
    }
    Err(Refusal {
        message: format!("is a number or a sender name, not `{text}`"),
        help: Some("a name has 3 to 11 letters, digits, - or _; a number is written as +61491570156".to_owned()),
    })
}

/// Networks take short numbers as senders too.
fn is_number(text: &str) -> bool {
    phone::normalise(text).is_ok() || !text.is_empty() && text.chars().all(|c| c.is_ascii_digit())
}

/// A name cannot be replied to, and one that is not registered is shown as "Unverified".
pub(super) fn warnings(sms: &SmsSettings) -> Vec<Warning> {
    let Some(name) = sms.from.as_ref().filter(|from| !is_number(from)) else { return Vec::new() };
    let mut found = Vec::new();
    if !sms.sender_registered {
        found.push(Warning {
            key: "sms.sender_registered",
            message: format!("the sender name `{name}` is not registered: phones show it as Unverified"),
            help: "enter it in the SMS Sender ID Register, then set sms.sender_registered: true; or send from a number"
                .to_owned(),
        });
    }
    found.push(Warning {
        key: "sms.from",
        message: format!("nobody can reply to the sender name `{name}`: YES and STOP do not arrive"),
        help: "send from a dedicated number".to_owned(),
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_is_a_number_or_a_short_name() {
        for good in ["+61491570156", "0491 570 156", "1234567", "AvatarClin", "Avatar-1"] {
            assert!(parse(good).is_ok(), "{good}");
        }
        for bad in ["Avatar Imaging", "AvatarImaging", "AB", "Ävatar", ""] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
