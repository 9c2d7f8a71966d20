//! What keeps a rule in check beside its conditions: for whom it is on, when its silence is alarming, what its errors lead to.

use crate::domain::clinic::Clinic;
use crate::domain::contact::Contact;
use crate::domain::time::Millis;
use sha2::{Digest, Sha256};

/// Failures in a row after which a rule is paused, unless it says otherwise.
pub const FAILURES_IN_A_ROW_MAX: u32 = 5;

/// `rollout`, `expect` and `on_error` of a rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    pub rollout: Rollout,
    pub expect: Option<Expect>,
    pub on_error: OnError,
}

/// Whom the rule is on for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rollout {
    #[default]
    Live,
    /// It decides, but nothing is done.
    Shadow,
    /// So many in a hundred contacts.
    Percent(u8),
    /// The contacts that `config/clinic.yaml` lists as `test_contacts`.
    TestContacts,
}

/// The rule should fire so often; when it does not, somebody should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expect {
    pub at_least: u32,
    pub within: Millis,
}

/// What a failure at run time leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OnError {
    /// Failures in a row before `then`, at least 1. The same event would fail again, so the next one is the next try.
    pub failures_max: u32,
    pub then: AfterErrors,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterErrors {
    /// A task for the owner; the rule goes on.
    Task,
    /// The rule is paused, with a task for the owner.
    Pause,
}

impl AfterErrors {
    pub const NAMES: &[&str] = &["task", "pause"];
}

impl Default for OnError {
    fn default() -> Self {
        Self { failures_max: FAILURES_IN_A_ROW_MAX, then: AfterErrors::Pause }
    }
}

impl Rollout {
    /// As it is written in a rule.
    #[must_use]
    pub fn text(self) -> String {
        match self {
            Self::Live => "live".to_owned(),
            Self::Shadow => "shadow".to_owned(),
            Self::Percent(percent) => format!("{percent}%"),
            Self::TestContacts => "test_contacts".to_owned(),
        }
    }

    /// True when the rule is on for this contact. Without a contact there is nobody to choose.
    #[must_use]
    pub fn includes(self, rule_id: &str, contact: Option<&Contact>, clinic: &Clinic) -> bool {
        match self {
            Self::Live | Self::Shadow => true,
            Self::Percent(percent) => contact.is_some_and(|c| bucket(&c.id, rule_id) < u64::from(percent) * BUCKETS_PER_PERCENT),
            Self::TestContacts => contact.is_some_and(|c| is_test(c, clinic)),
        }
    }
}

const BUCKETS_PER_PERCENT: u64 = 100;

/// 0 to 9,999: the same for the same contact and rule, so that who is in stays in when the percentage rises.
fn bucket(contact_id: &str, rule_id: &str) -> u64 {
    let digest = Sha256::digest(format!("{contact_id}\n{rule_id}"));
    let number = digest.iter().take(8).fold(0u64, |number, byte| number << 8 | u64::from(*byte));
    number % (100 * BUCKETS_PER_PERCENT)
}

fn is_test(contact: &Contact, clinic: &Clinic) -> bool {
    clinic.test_contacts.iter().any(|test| *test == contact.id || contact.phone.as_ref() == Some(test))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_in_stays_in_when_the_percentage_rises() {
        let buckets: Vec<u64> = (0..2_000).map(|n| bucket(&format!("contact-{n}"), "recall-due")).collect();
        let within = |percent: u64| buckets.iter().filter(|b| **b < percent * BUCKETS_PER_PERCENT).count();
        assert!((140..=260).contains(&within(10)), "about a tenth: {}", within(10));
        assert_eq!((within(0), within(100)), (0, 2_000));
        let other: Vec<u64> = (0..2_000).map(|n| bucket(&format!("contact-{n}"), "lead-created")).collect();
        let both = buckets.iter().zip(&other).filter(|(a, b)| **a < 1_000 && **b < 1_000).count();
        assert!(both < 60, "another rule takes other people: {both}");
    }
}
