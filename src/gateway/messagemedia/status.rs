//! MessageMedia's word for each text, when it is sent and later. One table.

use crate::domain::sms::SmsStatus;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Accept,
    /// For good, with our reason.
    Refuse(&'static str),
}

/// The word, what it means in the answer to sending, and what it means later.
const WORDS: &[(&str, Action, Option<SmsStatus>)] = &[
    ("queued", Action::Accept, None),
    ("processed", Action::Accept, None),
    ("enroute", Action::Accept, None),
    ("submitted", Action::Accept, None),
    ("scheduled", Action::Accept, None),
    ("held", Action::Accept, None),
    ("delivered", Action::Accept, Some(SmsStatus::Delivered)),
    ("read", Action::Accept, Some(SmsStatus::Delivered)),
    ("expired", Action::Refuse("expired"), Some(SmsStatus::Expired)),
    ("rejected", Action::Refuse("refused"), Some(SmsStatus::Failed)),
    ("undeliverable", Action::Refuse("undeliverable"), Some(SmsStatus::Failed)),
    ("cancelled", Action::Refuse("cancelled"), Some(SmsStatus::Failed)),
    ("failed", Action::Refuse("refused"), Some(SmsStatus::Failed)),
];

fn known(word: &str) -> Option<(Action, Option<SmsStatus>)> {
    WORDS.iter().find(|(name, ..)| name.eq_ignore_ascii_case(word)).map(|(_, action, status)| (*action, *status))
}

/// The whole batch was taken when it was answered with 202, whatever the word.
pub(super) fn action_of(word: &str) -> Action {
    known(word).map_or(Action::Accept, |(action, _)| action)
}

/// `None` while it is on its way.
pub(super) fn status_of(word: &str) -> Option<SmsStatus> {
    known(word).and_then(|(_, status)| status)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_word_has_its_row() {
        let later = |status: Option<SmsStatus>| -> Vec<&str> {
            WORDS.iter().filter(|(_, _, s)| *s == status).map(|(word, ..)| *word).collect()
        };
        assert_eq!(later(None), ["queued", "processed", "enroute", "submitted", "scheduled", "held"]);
        assert_eq!(later(Some(SmsStatus::Delivered)), ["delivered", "read"]);
        assert_eq!(later(Some(SmsStatus::Expired)), ["expired"]);
        assert_eq!(later(Some(SmsStatus::Failed)), ["rejected", "undeliverable", "cancelled", "failed"]);
        for (word, action, status) in WORDS {
            let is_bad = matches!(status, Some(SmsStatus::Failed | SmsStatus::Expired));
            assert_eq!(matches!(action, Action::Refuse(_)), is_bad, "{word}");
        }
        assert_eq!((action_of("DELIVERED"), status_of("Delivered")), (Action::Accept, Some(SmsStatus::Delivered)));
        assert_eq!((action_of("of next year"), status_of("of next year")), (Action::Accept, None));
    }
}
