//! Counts texts that are kept back for good, by why.

use crate::domain::sms::{SmsMessage, SmsStatus};
use crate::telemetry::{Metric, metrics};

/// Counts each reason; after the transaction that kept the texts back.
pub fn count<'a>(reasons: impl Iterator<Item = &'a str>) {
    for reason in reasons {
        metrics::counter(Metric::SmsWithheld, &[("reason", label(reason))], 1);
    }
}

/// Why the planned texts that will never leave will not.
pub fn reasons<'a>(planned: impl Iterator<Item = &'a SmsMessage>) -> Vec<String> {
    planned.filter(|text| text.status == SmsStatus::Suppressed).filter_map(|text| text.status_reason.clone()).collect()
}

/// A small closed set: a promise has an id, which is not told apart.
fn label(reason: &str) -> &str {
    if reason.starts_with("promise:") { "promise" } else { reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn promises_are_one_reason() {
        assert_eq!(label("promise:quiet-sundays"), "promise");
        assert_eq!(label("cap:day"), "cap:day");
        assert_eq!(label("opted_out"), "opted_out");
    }
}
