//! Runs of rules that wait.

use super::time::Timestamp;

/// Where a waiting run is: waiting → due → resumed; or in line (`queued`) → waiting; any of them → ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WaitState {
    /// For its time, or its event.
    Waiting,
    /// Its time is up, and the event that says so is on its way.
    Due,
    /// For an earlier run of the rule to end.
    Queued,
    /// The next part has been worked on.
    Resumed,
    /// There is no next part.
    Ended,
}

impl WaitState {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Due => "due",
            Self::Queued => "queued",
            Self::Resumed => "resumed",
            Self::Ended => "ended",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Waiting, Self::Due, Self::Queued, Self::Resumed, Self::Ended].into_iter().find(|s| s.as_str() == text)
    }
    /// The run may still go on.
    #[must_use]
    pub const fn is_alive(self) -> bool {
        matches!(self, Self::Waiting | Self::Due | Self::Queued)
    }
    /// The run has begun and has not ended.
    #[must_use]
    pub const fn is_running(self) -> bool {
        matches!(self, Self::Waiting | Self::Due)
    }
}

/// A run that waits, or did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaitingRun {
    pub id: String,
    /// The part of the run that came to the wait; of a queued run the one that found another running.
    pub run_id: String,
    /// Its first part.
    pub first_run_id: String,
    pub rule_id: String,
    /// The ruleset whose steps it takes to its end.
    pub revision: i64,
    pub contact_id: String,
    pub booking_id: Option<String>,
    /// What set the rule off.
    pub event_id: String,
    /// Path of the `wait`; empty when it has not begun.
    pub position: String,
    /// What it must know to go on, as JSON; empty when it has ended.
    pub memory: String,
    pub due_at: Timestamp,
    /// The event that it goes on with before its time.
    pub event_name: Option<String>,
    pub state: WaitState,
    /// Why it ended.
    pub reason: Option<String>,
    /// The event of the next part.
    pub resumed_by: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
