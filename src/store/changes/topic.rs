//! What changes are about.

/// The records that a change is about. The names are a promise to outside programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// Contacts, and what is shown beside them: notes, touchpoints, moves.
    Contacts,
    Bookings,
    Tasks,
    Sms,
    /// Messages that came in, by the contact they came from, or by their own id where nobody is known.
    Inbox,
    Events,
    Runs,
    /// Jobs that failed or were retried by hand, and queues; not those that simply ran.
    Jobs,
    /// The rules in force.
    Rules,
}

impl Topic {
    pub const ALL: [Self; 9] =
        [Self::Contacts, Self::Bookings, Self::Tasks, Self::Sms, Self::Inbox, Self::Events, Self::Runs, Self::Jobs, Self::Rules];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Bookings => "bookings",
            Self::Tasks => "tasks",
            Self::Sms => "sms",
            Self::Inbox => "inbox",
            Self::Events => "events",
            Self::Runs => "runs",
            Self::Jobs => "jobs",
            Self::Rules => "rules",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|topic| topic.as_str() == text)
    }
}
