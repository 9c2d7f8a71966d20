//! Whether a person may be texted, by what they have agreed to. Asked when a text is planned and again when it leaves.

use crate::domain::contact::Contact;
use crate::domain::sms::SmsCategory;

/// Why a text of this category must not go to the contact, in the words of `status_reason`.
pub fn refusal(contact: &Contact, category: SmsCategory) -> Option<&'static str> {
    let lacks_consent = match category {
        // What somebody has booked may be told them until they say no.
        SmsCategory::Transactional => false,
        SmsCategory::Recall => contact.recall_consent == "denied",
        SmsCategory::Marketing => contact.marketing_consent != "granted",
    };
    (contact.sms_consent == "denied" || lacks_consent).then_some("no_consent")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(sms: &str, marketing: &str) -> Contact {
        Contact { sms_consent: sms.into(), marketing_consent: marketing.into(), ..Contact::default() }
    }

    #[test]
    fn marketing_needs_a_yes_and_everything_else_no_no() {
        use SmsCategory::{Marketing, Recall, Transactional};
        for (sms, marketing, category, expected) in [
            ("unknown", "unknown", Transactional, None),
            ("unknown", "denied", Recall, None),
            ("unknown", "unknown", Marketing, Some("no_consent")),
            ("unknown", "denied", Marketing, Some("no_consent")),
            ("granted", "granted", Marketing, None),
            ("denied", "granted", Marketing, Some("no_consent")),
            ("denied", "granted", Transactional, Some("no_consent")),
            ("denied", "granted", Recall, Some("no_consent")),
        ] {
            assert_eq!(refusal(&contact(sms, marketing), category), expected, "{sms} {marketing} {category:?}");
        }
    }
}
