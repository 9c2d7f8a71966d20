//! Things that a member of staff must do.

use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// todo → `in_progress` → done | cancelled; done and cancelled can be reopened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    Todo,
    InProgress,
    Done,
    Cancelled,
}

impl TaskStatus {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::InProgress => "in_progress",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Todo, Self::InProgress, Self::Done, Self::Cancelled].into_iter().find(|s| s.as_str() == text)
    }
    #[must_use]
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Todo | Self::InProgress)
    }
}

/// In the key of an alert, before the id of the task that it is about: it is closed with that one.
pub const ALERT_ABOUT: &str = ":about:";

/// What came of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskOutcome {
    Spoke,
    Voicemail,
    NoAnswer,
    WrongNumber,
    Done,
}

impl TaskOutcome {
    pub const ALL: [Self; 5] = [Self::Spoke, Self::Voicemail, Self::NoAnswer, Self::WrongNumber, Self::Done];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spoke => "spoke",
            Self::Voicemail => "voicemail",
            Self::NoAnswer => "no_answer",
            Self::WrongNumber => "wrong_number",
            Self::Done => "done",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|o| o.as_str() == text)
    }
    /// Somebody has tried to reach the patient by phone.
    #[must_use]
    pub const fn is_call(self) -> bool {
        !matches!(self, Self::Done)
    }
}

/// Task types that the program and the shipped rules use. Rules may name others in `config/clinic.yaml`.
pub const KNOWN_TASK_TYPES: &[&str] = &[
    "welcome_call",
    "lead_call",
    "no_response_followup",
    "confirm_call",
    "reschedule_call",
    "rebook_call",
    "cancel_review",
    "sms_reply_review",
    "sms_failed_fix",
    "referral_check",
    "referral_chase",
    "no_show_followup",
    "recall_call",
    "waitlist_offer",
    "merge_review",
    "sms_outcome_unknown",
    "quarantine_review",
    "attendance_check",
    "report_weekly",
    "report_monthly",
    "rule_alert",
    "alert",
    "follow_up",
];

#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub id: String,
    pub task_type: String,
    pub title: String,
    pub contact_id: Option<String>,
    pub booking_id: Option<String>,
    pub status: TaskStatus,
    pub due_datetime: Timestamp,
    /// 0 to 100, higher first.
    pub priority_score: i32,
    pub assigned_to: Option<String>,
    /// One sentence for staff: why this task exists.
    pub because: String,
    /// The run that made it; `None` for staff and for the program itself.
    pub run_id: Option<String>,
    /// Unique among open tasks.
    pub dedupe_key: Option<String>,
    pub note: Option<String>,
    pub completed_at: Option<Timestamp>,
    /// What came of it, if somebody has done it and said so.
    pub outcome: Option<TaskOutcome>,
    /// Who has done it: `staff:ID`, `key:NAME`.
    pub completed_by: Option<String>,
    pub is_demo: bool,
    pub version: i64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}
impl Task {
    /// Nobody has to see to it now: it is closed, or has time again.
    #[must_use]
    pub fn is_settled(&self, now: Timestamp) -> bool {
        !self.status.is_open() || self.due_datetime > now
    }

    /// True of an open alert about that task.
    #[must_use]
    pub fn is_alert_about(&self, task_id: &str) -> bool {
        let about = |key: &String| key.strip_suffix(task_id).is_some_and(|rest| rest.ends_with(ALERT_ABOUT));
        self.status.is_open() && self.dedupe_key.as_ref().is_some_and(about)
    }

    /// Closes it undone; what staff has noted stays.
    pub fn cancel(&mut self, reason: &str, now: Timestamp) {
        self.status = TaskStatus::Cancelled;
        self.completed_at = Some(now);
        self.note = Some(match self.note.take() {
            Some(note) => format!("{note}\n{reason}"),
            None => reason.to_owned(),
        });
    }
}

/// Why an alert is closed with the task that it is about.
pub const ALERT_SETTLED: &str = "What it was about is settled.";
