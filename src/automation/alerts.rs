//! Tasks by which the program tells people that something is wrong with the automations themselves.

use crate::domain::clinic::Clinic;
use crate::domain::task::{Task, TaskStatus};
use crate::domain::time::{Millis, Timestamp};

/// The type of these tasks.
pub const RULE_ALERT: &str = "rule_alert";
/// Who gets them when nobody owns what they are about.
const OWNER_DEFAULT: &str = "manager";
const PRIORITY: i32 = 90;
/// Opening hours until it is late.
const DUE_WITHIN: Millis = Millis::hours(1);

/// What is to be told. One open task for each key is enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// `failing:RULE`, `silent:RULE`, `promise:ID:CONTACT` …
    pub key: String,
    pub title: String,
    pub because: String,
    pub owner: Option<String>,
    pub contact_id: Option<String>,
    pub run_id: Option<String>,
}

impl Alert {
    #[must_use]
    pub fn dedupe_key(&self) -> String {
        format!("{RULE_ALERT}:{}", self.key)
    }

    /// The task that tells it.
    #[must_use]
    pub fn task(&self, id: String, clinic: &Clinic, now: Timestamp) -> Task {
        let default = clinic.teams.iter().find(|team| *team == OWNER_DEFAULT).cloned();
        Task {
            id,
            task_type: RULE_ALERT.to_owned(),
            title: self.title.clone(),
            contact_id: self.contact_id.clone(),
            booking_id: None,
            status: TaskStatus::Todo,
            due_datetime: clinic.calendar.plus_business(now, DUE_WITHIN),
            priority_score: PRIORITY,
            assigned_to: self.owner.clone().or(default),
            because: self.because.clone(),
            run_id: self.run_id.clone(),
            dedupe_key: Some(self.dedupe_key()),
            note: None,
            completed_at: None,
            outcome: None,
            completed_by: None,
            is_demo: false,
            version: 1,
            created_at: now,
            updated_at: now,
        }
    }
}
