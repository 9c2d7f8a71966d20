//! A circuit breaker for the way out: while the provider takes no texts, they wait instead of being spent on it.

use super::time::{Millis, Timestamp};

/// Why texts wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HoldReason {
    /// The provider does not know us: the user name or the key is wrong, or the account is closed.
    Credentials,
    /// The account has no money left.
    Credit,
    /// The provider does not let us send under our name or number.
    Sender,
    /// What answers at the provider's address is not the provider.
    Address,
    /// The provider asked us to slow down.
    Busy,
    /// No connection, no answer, or none that can be read.
    Unavailable,
}

impl HoldReason {
    pub const ALL: [Self; 6] = [Self::Credentials, Self::Credit, Self::Sender, Self::Address, Self::Busy, Self::Unavailable];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Credit => "credit",
            Self::Sender => "sender",
            Self::Address => "address",
            Self::Busy => "busy",
            Self::Unavailable => "unavailable",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }

    /// Waiting alone will not help.
    #[must_use]
    pub const fn needs_a_person(self) -> bool {
        matches!(self, Self::Credentials | Self::Credit | Self::Sender | Self::Address)
    }

    /// The end of the sentence "ClickSend …".
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Credentials => "refuses our account",
            Self::Credit => "has no credit left for us",
            Self::Sender => "refuses our sender",
            Self::Address => "does not answer at its address",
            Self::Busy => "asks us to slow down",
            Self::Unavailable => "cannot be reached",
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn help(self) -> &'static str {
        match self {
            Self::Credentials => "check SMS_API_USERNAME and SMS_API_KEY, and that the account is active",
            Self::Credit => "top up the account at the provider",
            Self::Sender => "check SMS_FROM: the number or name must be registered with the provider",
            Self::Address => "check SMS_API_BASE_URL",
            Self::Busy => "lower sms.per_second_max when it happens often",
            Self::Unavailable => "check the network of this machine and the provider's status page",
        }
    }

    const fn first_pause(self) -> Millis {
        match self {
            Self::Busy | Self::Unavailable => Millis::seconds(5),
            _ => Millis::MINUTE,
        }
    }
}

/// The longest time between two tries.
pub const PAUSE_MAX: Millis = Millis::minutes(5);
/// A provider may ask for a longer pause, but not for longer than this.
pub const ASKED_PAUSE_MAX: Millis = Millis::hours(1);
/// While one text is tried, no other node tries another; a try that never ends is forgotten after this time.
pub const PROBE_LEASE: Millis = Millis::seconds(120);
/// Texts that find a try going on ask again after this time.
pub const PROBE_PAUSE: Millis = Millis::seconds(2);
/// Trouble that may pass by itself is told to staff when it lasts for so long.
pub const TOLD_AFTER: Millis = Millis::minutes(10);

/// What is known of a provider that takes no texts at the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    pub reason: HoldReason,
    /// For people who look into it; holds no personal data.
    pub detail: String,
    pub since: Timestamp,
    /// When one text is tried.
    pub retry_at: Timestamp,
    pub failures: i64,
    /// One text is being tried.
    pub probing: bool,
    /// Staff has been told.
    pub told: bool,
}

/// How many texts may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    All,
    /// One, to see whether the provider works again.
    Probe,
    /// None before then.
    NotBefore(Timestamp),
}

impl Hold {
    /// The first failure.
    #[must_use]
    pub fn begin(reason: HoldReason, detail: String, asked: Option<Millis>, now: Timestamp) -> Self {
        let retry_at = now + pause(reason, 1, asked);
        Self { reason, detail, since: now, retry_at, failures: 1, probing: false, told: false }
    }

    /// One more failure. Another reason begins anew, but for what staff was told.
    #[must_use]
    pub fn again(self, reason: HoldReason, detail: String, asked: Option<Millis>, now: Timestamp) -> Self {
        if reason != self.reason {
            return Self { told: self.told && !reason.needs_a_person(), ..Self::begin(reason, detail, asked, now) };
        }
        let failures = self.failures.saturating_add(1);
        Self { detail, failures, retry_at: now + pause(reason, failures, asked), probing: false, ..self }
    }

    #[must_use]
    pub fn admits(&self, now: Timestamp) -> Admission {
        match (now >= self.retry_at, self.probing) {
            (true, _) => Admission::Probe,
            (false, true) => Admission::NotBefore(self.retry_at.min(now + PROBE_PAUSE)),
            (false, false) => Admission::NotBefore(self.retry_at),
        }
    }

    /// One text is tried now.
    #[must_use]
    pub fn probed(self, now: Timestamp) -> Self {
        Self { probing: true, retry_at: now + PROBE_LEASE, ..self }
    }

    /// Staff has to hear of it now.
    #[must_use]
    pub fn must_be_told(&self, now: Timestamp) -> bool {
        !self.told && (self.reason.needs_a_person() || now - self.since >= TOLD_AFTER)
    }
}

/// Doubles with each failure. What the provider asks for counts, within reason.
fn pause(reason: HoldReason, failures: i64, asked: Option<Millis>) -> Millis {
    let doublings = u32::try_from(failures - 1).unwrap_or(0).min(16);
    let own = Millis((reason.first_pause().0 << doublings).min(PAUSE_MAX.0));
    asked.map_or(own, |asked| Millis(asked.0.clamp(Millis::SECOND.0, ASKED_PAUSE_MAX.0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp(seconds * 1_000)
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_a_new_reason_begins_anew() {
        let mut hold = Hold::begin(HoldReason::Unavailable, String::new(), None, at(0));
        let mut pauses = vec![hold.retry_at - at(0)];
        for _ in 0..8 {
            hold = hold.again(HoldReason::Unavailable, String::new(), None, at(0));
            pauses.push(hold.retry_at - at(0));
        }
        let seconds: Vec<i64> = pauses.iter().map(|p| p.0 / 1_000).collect();
        assert_eq!(seconds, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
        let other = hold.again(HoldReason::Credit, "402".into(), None, at(900));
        assert_eq!((other.failures, other.since, other.retry_at), (1, at(900), at(960)));
    }

    #[test]
    fn the_pause_that_the_provider_asks_for_counts_within_reason() {
        let retry = |asked| Hold::begin(HoldReason::Busy, String::new(), Some(asked), at(0)).retry_at;
        assert_eq!(retry(Millis::seconds(39)), at(39));
        assert_eq!(retry(Millis::days(9)), at(3_600));
        assert_eq!(retry(Millis(-5)), at(1));
    }

    #[test]
    fn one_text_is_tried_at_a_time() {
        let hold = Hold::begin(HoldReason::Unavailable, String::new(), None, at(0));
        assert_eq!(hold.admits(at(4)), Admission::NotBefore(at(5)));
        assert_eq!(hold.admits(at(5)), Admission::Probe);
        let hold = hold.probed(at(5));
        assert_eq!(hold.admits(at(6)), Admission::NotBefore(at(8)), "somebody else tries");
        assert_eq!(hold.admits(at(125)), Admission::Probe, "the try was lost with its node");
        let failed = hold.again(HoldReason::Unavailable, String::new(), None, at(7));
        assert_eq!(failed.admits(at(8)), Admission::NotBefore(at(17)));
    }

    #[test]
    fn staff_hears_once_of_what_does_not_pass_by_itself() {
        let broke = Hold::begin(HoldReason::Credit, String::new(), None, at(0));
        assert!(broke.must_be_told(at(0)));
        assert!(!Hold { told: true, ..broke }.must_be_told(at(9_000)));
        let lost = Hold::begin(HoldReason::Unavailable, String::new(), None, at(0));
        assert!(!lost.must_be_told(at(599)));
        assert!(lost.must_be_told(at(600)));
        assert!(Hold { told: true, ..lost }.again(HoldReason::Credit, String::new(), None, at(1)).must_be_told(at(1)));
        for reason in HoldReason::ALL {
            assert_eq!(HoldReason::parse(reason.as_str()), Some(reason));
        }
    }
}
