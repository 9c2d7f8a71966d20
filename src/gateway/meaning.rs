//! What the status of an HTTP answer says about texts. One table for all providers.

use crate::domain::sms_provider::HoldReason;

/// What follows from a status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The body says what became of each text.
    Read,
    /// None of the texts was taken, because of something in one of them.
    Refused,
    /// None was taken, and none will be for now.
    Stop(HoldReason),
    /// The texts may have been taken.
    Unknown,
}

/// Only statuses that a server gives instead of doing its work say that nothing was sent. Whatever may come after the work, or
/// from something between the provider and us, is unknown: every 5xx, every redirect, 408, 409.
pub(super) const fn of_status(status: u16) -> Meaning {
    match status {
        200..=202 => Meaning::Read,
        400 | 413 | 422 => Meaning::Refused,
        401 | 403 => Meaning::Stop(HoldReason::Credentials),
        402 => Meaning::Stop(HoldReason::Credit),
        404 | 405 | 410 | 415 => Meaning::Stop(HoldReason::Address),
        429 => Meaning::Stop(HoldReason::Busy),
        _ => Meaning::Unknown,
    }
}

/// What an unknown answer says about the provider.
pub(super) const fn trouble(status: u16) -> HoldReason {
    match status {
        300..=399 => HoldReason::Address,
        _ => HoldReason::Unavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_have_been_sent_is_never_called_unsent() {
        for status in 100..=599 {
            let surely_unsent = matches!(status, 400..=405 | 410 | 413 | 415 | 422 | 429);
            let expected = matches!(of_status(status), Meaning::Refused | Meaning::Stop(_));
            assert_eq!(expected, surely_unsent, "{status}");
        }
        for status in [204, 206, 301, 302, 303, 307, 308, 408, 409, 500, 501, 502, 503, 504, 511] {
            assert_eq!(of_status(status), Meaning::Unknown, "{status}");
        }
    }
}
