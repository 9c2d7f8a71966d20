//! ClickSend's word for each text, and what follows from it. One table.

use crate::domain::sms_provider::HoldReason;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Accept,
    /// For good, with our reason.
    Refuse(&'static str),
    /// Not sent: it is about the account, not about the text.
    Stop(HoldReason),
    /// It may have been sent.
    Unknown,
}

/// A refused sender holds the texts instead of failing them: it is the same for each, and none was sent.
const ACTIONS: &[(&str, Action)] = &[
    ("SUCCESS", Action::Accept),
    ("QUEUED", Action::Accept),
    ("SCHEDULED", Action::Accept),
    ("WAIT_APPROVAL", Action::Accept),
    ("SENT", Action::Accept),
    ("COMPLETED", Action::Accept),
    ("INVALID_RECIPIENT", Action::Refuse("invalid_number")),
    ("COUNTRY_NOT_ENABLED", Action::Refuse("country_not_enabled")),
    // An equal text has just gone to the same phone: one more try would only be refused again, or be a second one.
    ("THROTTLED", Action::Refuse("duplicate")),
    ("EMPTY_MESSAGE", Action::Refuse("bad_request")),
    ("MISSING_REQUIRED_FIELDS", Action::Refuse("bad_request")),
    ("INVALID_SCHEDULE", Action::Refuse("bad_request")),
    ("TOO_MANY_RECIPIENTS", Action::Refuse("bad_request")),
    ("INVALID_SENDER_ID", Action::Stop(HoldReason::Sender)),
    ("INSUFFICIENT_CREDIT", Action::Stop(HoldReason::Credit)),
    ("MISSING_CREDENTIALS", Action::Stop(HoldReason::Credentials)),
    ("INVALID_CREDENTIALS", Action::Stop(HoldReason::Credentials)),
    ("ACCOUNT_NOT_ACTIVATED", Action::Stop(HoldReason::Credentials)),
    ("NOT_ENOUGH_PERMISSION_TO_LIST_ID", Action::Stop(HoldReason::Credentials)),
    ("INTERNAL_ERROR", Action::Unknown),
    ("SOMETHING_IS_WRONG", Action::Unknown),
];

pub(super) fn known(word: &str) -> Option<Action> {
    ACTIONS.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)).map(|(_, action)| *action)
}

/// A word that is not in the table refuses; without any word, nobody knows.
pub(super) fn action_of(word: &str) -> Action {
    if word.is_empty() { Action::Unknown } else { known(word).unwrap_or(Action::Refuse("refused")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_documented_word_has_its_row() {
        let sorted = |action: fn(Action) -> bool| -> Vec<&str> {
            ACTIONS.iter().filter(|(_, a)| action(*a)).map(|(word, _)| *word).collect()
        };
        assert_eq!(sorted(|a| a == Action::Unknown), ["INTERNAL_ERROR", "SOMETHING_IS_WRONG"]);
        assert_eq!(sorted(|a| a == Action::Refuse("duplicate")), ["THROTTLED"]);
        assert_eq!(sorted(|a| a == Action::Refuse("invalid_number")), ["INVALID_RECIPIENT"]);
        assert_eq!(sorted(|a| a == Action::Refuse("country_not_enabled")), ["COUNTRY_NOT_ENABLED"]);
        assert_eq!(
            sorted(|a| a == Action::Refuse("bad_request")),
            ["EMPTY_MESSAGE", "MISSING_REQUIRED_FIELDS", "INVALID_SCHEDULE", "TOO_MANY_RECIPIENTS"]
        );
        assert_eq!(sorted(|a| a == Action::Stop(HoldReason::Sender)), ["INVALID_SENDER_ID"]);
        assert_eq!(sorted(|a| a == Action::Stop(HoldReason::Credit)), ["INSUFFICIENT_CREDIT"]);
        assert_eq!(
            sorted(|a| a == Action::Stop(HoldReason::Credentials)),
            ["MISSING_CREDENTIALS", "INVALID_CREDENTIALS", "ACCOUNT_NOT_ACTIVATED", "NOT_ENOUGH_PERMISSION_TO_LIST_ID"]
        );
        assert_eq!(action_of("success"), Action::Accept);
        assert_eq!(action_of("A_WORD_OF_NEXT_YEAR"), Action::Refuse("refused"));
        assert_eq!(action_of(""), Action::Unknown);
    }
}
