//! What a member of staff does, in the clinic's own words: part of the event that records it.

use super::booking::BookingStatus;
use super::edit::Edit;
use super::sms::SmsCategory;
use super::task::TaskOutcome;
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// One thing that somebody does. What it is about is in the event: its contact, booking, task or text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StaffAction {
    OpenTask(NewTask),
    EditTask(TaskEdit),
    SnoozeTask {
        until: Timestamp,
    },
    CompleteTask {
        outcome: TaskOutcome,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    ReopenTask,
    /// Who it is stands in the event's `contact`.
    AddContact(ContactEdit),
    EditContact(ContactEdit),
    MoveContact {
        pipeline: String,
        stage: String,
    },
    AddNote {
        body: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        booking_id: Option<String>,
    },
    /// The person does not want texts any more.
    OptOut {
        reason: String,
    },
    /// The person wants them again.
    OptIn {
        reason: String,
    },
    AddBooking(NewBooking),
    EditBooking(BookingEdit),
    MarkBooking {
        to: BookingStatus,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    SendSms(NewText),
    CancelSms {
        sms_id: String,
    },
    RetrySms {
        sms_id: String,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewTask {
    pub task_type: String,
    pub title: String,
    pub due: Timestamp,
    /// 0 to 100.
    pub priority: i32,
    pub assigned_to: Option<String>,
    pub note: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TaskEdit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i32>,
    #[serde(skip_serializing_if = "Edit::is_keep")]
    pub assigned_to: Edit<String>,
    #[serde(skip_serializing_if = "Edit::is_keep")]
    pub note: Edit<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_progress: Option<bool>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ContactEdit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_name: Option<String>,
    #[serde(skip_serializing_if = "Edit::is_keep")]
    pub email: Edit<String>,
    /// E.164.
    #[serde(skip_serializing_if = "Edit::is_keep")]
    pub phone: Edit<String>,
    #[serde(skip_serializing_if = "Edit::is_keep")]
    pub assigned_to: Edit<String>,
    #[serde(skip_serializing_if = "Edit::is_keep")]
    pub interest: Edit<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub consents: Vec<Consent>,
}

/// What a person has said to one kind of text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Consent {
    pub to: ConsentKind,
    /// `unknown`, `granted` or `denied`.
    pub state: String,
    /// How we know: `phone call`, `paper form`, `web form` …
    pub source: String,
    pub said_at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentKind {
    Marketing,
    Recall,
    /// Texts at all.
    Sms,
}

impl ConsentKind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::Recall => "recall",
            Self::Sms => "sms",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewBooking {
    pub appointment_datetime: Timestamp,
    pub end_datetime: Option<Timestamp>,
    /// `pending`, `scheduled` or `waitlisted`.
    pub status: BookingStatus,
    pub service_name: Option<String>,
    pub location: Option<String>,
    pub resource_name: Option<String>,
    pub urgency_level: Option<String>,
    pub referral_status: Option<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BookingEdit {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub appointment_datetime: Option<Timestamp>,
    #[serde(skip_serializing_if = "Edit::is_keep")]
    pub end_datetime: Edit<Timestamp>,
    #[serde(skip_serializing_if = "Edit::is_keep")]
    pub service_name: Edit<String>,
    #[serde(skip_serializing_if = "Edit::is_keep")]
    pub location: Edit<String>,
    #[serde(skip_serializing_if = "Edit::is_keep")]
    pub resource_name: Edit<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub urgency_level: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub referral_status: Option<String>,
}

impl TaskEdit {
    /// To whom it was given, or which fields are others.
    fn told(&self) -> Option<String> {
        let fields = [
            ("title", self.title.is_some()),
            ("due", self.due.is_some()),
            ("priority", self.priority.is_some()),
            ("note", !self.note.is_keep()),
            ("status", self.in_progress.is_some()),
        ];
        let given = match &self.assigned_to {
            Edit::To(who) => Some(format!("assigned_to {who}")),
            Edit::Clear => Some("assigned_to nobody".to_owned()),
            Edit::Keep => None,
        };
        listed(given, &fields)
    }
}

impl ContactEdit {
    /// Which fields are others: their values stand in the record, and are nobody's business here.
    fn told(&self) -> Option<String> {
        let fields = [
            ("first_name", self.first_name.is_some()),
            ("last_name", self.last_name.is_some()),
            ("phone", !self.phone.is_keep()),
            ("email", !self.email.is_keep()),
            ("assigned_to", !self.assigned_to.is_keep()),
            ("interest", !self.interest.is_keep()),
            ("consents", !self.consents.is_empty()),
        ];
        listed(None, &fields)
    }
}

fn listed(first: Option<String>, fields: &[(&str, bool)]) -> Option<String> {
    let changed = fields.iter().filter(|(_, is_other)| *is_other).map(|(name, _)| (*name).to_owned());
    let all: Vec<String> = first.into_iter().chain(changed).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

/// A text as somebody wants it: words of their own, or a template.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewText {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<String>,
    /// Of a text in own words; a template has its own.
    pub category: SmsCategory,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_at: Option<Timestamp>,
}

impl StaffAction {
    /// What is worth telling of it afterwards, for people.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        match self {
            Self::CompleteTask { outcome, note } => {
                Some(note.iter().fold(outcome.as_str().to_owned(), |told, note| told + ": " + note.as_str()))
            }
            Self::OptOut { reason } | Self::OptIn { reason } => Some(reason.clone()),
            Self::EditTask(edit) => edit.told(),
            Self::EditContact(edit) => edit.told(),
            _ => None,
        }
    }

    /// Until when something is put off by it.
    #[must_use]
    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::SnoozeTask { until } => Some(*until),
            _ => None,
        }
    }

    /// As the audit log names it, and the live stream: `task.complete`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::OpenTask(_) => "task.open",
            Self::EditTask(_) => "task.edit",
            Self::SnoozeTask { .. } => "task.snooze",
            Self::CompleteTask { .. } => "task.complete",
            Self::ReopenTask => "task.reopen",
            Self::AddContact(_) => "contact.add",
            Self::EditContact(_) => "contact.edit",
            Self::MoveContact { .. } => "contact.move",
            Self::AddNote { .. } => "contact.note",
            Self::OptOut { .. } => "contact.opt_out",
            Self::OptIn { .. } => "contact.opt_in",
            Self::AddBooking(_) => "booking.add",
            Self::EditBooking(_) => "booking.edit",
            Self::MarkBooking { .. } => "booking.mark",
            Self::SendSms(_) => "sms.send",
            Self::CancelSms { .. } => "sms.cancel",
            Self::RetrySms { .. } => "sms.retry",
        }
    }

    /// The event that it is, if nothing else follows from the records.
    #[must_use]
    pub const fn event_type(&self) -> &'static str {
        match self {
            Self::OpenTask(_) => "task_created",
            Self::EditTask(_) => "task_updated",
            Self::SnoozeTask { .. } => "task_snoozed",
            Self::CompleteTask { .. } => super::event::TASK_COMPLETED,
            Self::ReopenTask => "task_reopened",
            Self::AddContact(_) => "contact_created",
            Self::EditContact(_) => "contact_updated",
            Self::MoveContact { .. } => "stage_changed",
            Self::AddNote { .. } => "note_added",
            Self::OptOut { .. } => "sms_opted_out",
            Self::OptIn { .. } => "sms_opted_in",
            Self::AddBooking(_) => "booking_created",
            Self::EditBooking(_) => "booking_updated",
            Self::MarkBooking { to, .. } => match to {
                BookingStatus::Confirmed => "booking_patient_confirmed",
                BookingStatus::CheckedIn => "booking_checked_in",
                BookingStatus::Completed => "booking_completed",
                BookingStatus::NoShow => "booking_no_show",
                BookingStatus::Cancelled => "booking_cancelled",
                BookingStatus::Declined => "booking_declined",
                BookingStatus::Waitlisted => "waitlist_joined",
                BookingStatus::Pending => "booking_updated",
                BookingStatus::Scheduled => "booking_confirmed",
            },
            Self::SendSms(_) => "sms_requested",
            Self::CancelSms { .. } => "sms_cancelled",
            Self::RetrySms { .. } => "sms_retried",
        }
    }
}
