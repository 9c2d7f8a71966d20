//! What events are called, and where those come from that are the program's own.

/// Every event that the program itself can produce. Sources declared in `config/webhooks.yaml` may add names.
pub const KNOWN_EVENTS: &[&str] = &[
    "booking_created",
    "booking_confirmed",
    "booking_rescheduled",
    "booking_updated",
    "booking_cancelled",
    "booking_declined",
    "booking_checked_in",
    "booking_completed",
    "booking_no_show",
    "booking_patient_confirmed",
    "waitlist_joined",
    "lead_created",
    "manychat_message",
    "sms_received",
    "sms_delivered",
    "sms_failed",
    "sms_opted_out",
    "sms_opted_in",
    "sms_requested",
    "sms_cancelled",
    "sms_retried",
    "task_created",
    "task_updated",
    "task_snoozed",
    "task_completed",
    "task_reopened",
    "task_overdue",
    "contact_created",
    "contact_updated",
    "note_added",
    "stage_changed",
    "warmness_changed",
    CONTACTS_MERGED,
    CONTACTS_UNMERGED,
    CONVERSATION_DONE,
    CONVERSATION_ASSIGNED,
    "report_weekly",
    "report_monthly",
];

/// Receipts are recorded as events too, but no rule listens to them directly.
pub const SMS_RECEIPT: &str = "sms_receipt";
/// A member of staff has done a task.
pub const TASK_COMPLETED: &str = "task_completed";
/// An open task's due time has passed.
pub const TASK_OVERDUE: &str = "task_overdue";
/// The gateway or the carrier would not have a text.
pub const SMS_FAILED: &str = "sms_failed";
/// A due timer of a `date` trigger.
pub const TIMER_DUE: &str = "timer_due";
/// A slot of an `every` trigger, for one subject (or none).
pub const SCHEDULE_DUE: &str = "schedule_due";
/// A wait whose time is up.
pub const WAIT_DUE: &str = "wait_due";
/// A wait that an event has ended, or another run that gave way.
pub const WAIT_OVER: &str = "wait_over";
/// A conversation needs no answer, says staff.
pub const CONVERSATION_DONE: &str = "conversation_done";
/// A conversation is somebody's from now on, or nobody's.
pub const CONVERSATION_ASSIGNED: &str = "conversation_assigned";
/// Two contacts became one.
pub const CONTACTS_MERGED: &str = "contacts_merged";
/// A contact that was merged into another is one of its own again.
pub const CONTACTS_UNMERGED: &str = "contacts_unmerged";
/// Somebody set a rule off by hand.
pub const MANUAL_RUN: &str = "manual_run";
/// Names that are the program's own, and nobody else's.
pub const INTERNAL_EVENTS: &[&str] = &[SMS_RECEIPT, TIMER_DUE, SCHEDULE_DUE, WAIT_DUE, WAIT_OVER, MANUAL_RUN, QUARANTINED];
/// A verified delivery that could not be understood.
pub const QUARANTINED: &str = "quarantined";

/// Sources of events that come by themselves: the same records and rules bring the same ones again.
pub const OWN_SOURCES: [&str; 4] = ["timer", "schedule", "rule", "task"];
