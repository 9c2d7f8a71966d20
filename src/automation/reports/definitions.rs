//! What each figure is, once: for the report, its CSV and `docs/REPORTS.md`.

/// In what a figure is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Count,
    /// A part of a whole: numerator by denominator.
    Rate,
    /// Milliseconds.
    Ms,
    /// Millionths of the currency that is its group.
    Micros,
}

impl Unit {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Rate => "rate",
            Self::Ms => "ms",
            Self::Micros => "micros",
        }
    }
}

/// One figure.
#[derive(Debug, PartialEq, Eq)]
pub struct Definition {
    pub name: &'static str,
    pub unit: Unit,
    /// By what it is given, beside the figure of everything.
    pub by: Option<&'static str>,
    pub means: &'static str,
    /// The tables it is counted from.
    pub from: &'static str,
}

/// The definition of a name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Definition> {
    ALL.iter().copied().find(|d| d.name == name)
}

macro_rules! figures {
    ($($constant:ident = $name:literal, $unit:ident, $by:expr, $from:literal, $means:literal;)*) => {
        $( pub const $constant: Definition =
            Definition { name: $name, unit: Unit::$unit, by: $by, means: $means, from: $from }; )*
        /// Every figure, in the order of the report.
        pub const ALL: &[&Definition] = &[$(&$constant),*];
    };
}

const SOURCE: Option<&str> = Some("source");
const STATUS: Option<&str> = Some("status");
const STAFF: Option<&str> = Some("assigned_to");
const BY: Option<&str> = Some("completed_by");
const RULE: Option<&str> = Some("rule");

figures! {
    BOOKINGS_MADE = "bookings_made", Count, STATUS, "bookings",
        "Bookings that the clinic first heard of in the period, and by the status that they have now.";
    BOOKINGS_BEFORE = "bookings_made_period_before", Count, None, "bookings",
        "The same of the week or month before.";
    BOOKINGS_LAST_YEAR = "bookings_made_last_year", Count, None, "bookings",
        "The same of the week 52 weeks before, or of the same month a year before.";
    WAITLIST_FILLED = "waitlist_filled", Rate, None, "event_log, bookings",
        "Of the bookings that came on the waiting list in the period: those that have an appointment now, or had it (scheduled, confirmed, checked in, completed or a no-show).";
    APPOINTMENTS = "appointments", Count, STATUS, "bookings",
        "Bookings whose appointment lies in the period, and by the status that they have now.";
    CONFIRMED_BY_REPLY = "confirmed_by_reply", Rate, None, "bookings, sms_messages",
        "Of the period's appointments about which a text left before they began: those that the patient confirmed by answering a message.";
    SHOW = "show_rate", Rate, None, "bookings",
        "Of the period's appointments that are completed or a no-show: the completed ones.";
    NO_SHOW = "no_show_rate", Rate, None, "bookings",
        "Of the same appointments: the no-shows.";
    LATE_CANCEL = "late_cancel_rate", Rate, None, "bookings",
        "Of the period's appointments that are completed, a no-show or cancelled: those cancelled less than 24 hours before they began, or later.";
    SHOW_BY_REMINDER = "show_rate_by_reminder", Rate, Some("reminder"), "bookings, sms_messages",
        "The show rate of appointments whose patient was reminded of the time they have now and confirmed (`reminded_confirmed`), was reminded and did not confirm (`reminded_unconfirmed`), or was not reminded (`not_reminded`).";
    LEADS = "leads", Count, SOURCE, "contacts, event_log",
        "People recorded in the period whom the clinic first heard of by anything but a booking, an import or an entry of staff that is no lead; those merged into another do not count.";
    CONTACTED = "leads_contacted", Rate, SOURCE, "contacts, touchpoints, tasks, sms_messages",
        "Of these leads: those whom staff called (a call on the timeline, or a call task that was done) or a person texted, within 90 days.";
    BOOKED = "leads_booked", Rate, SOURCE, "contacts, bookings",
        "Of these leads: those who made a booking within 90 days that was neither declined nor put on the waiting list.";
    VISITED = "leads_visited", Rate, SOURCE, "contacts, bookings",
        "Of the leads who booked: those who came (checked in or completed).";
    LEAD_TO_VISIT = "lead_to_visit", Rate, SOURCE, "contacts, bookings",
        "Of these leads: those who booked and came.";
    TO_BOOKING_P50 = "lead_to_booking_p50", Ms, SOURCE, "contacts, bookings",
        "The median time from the lead's first sign to the first booking, of those who booked.";
    SPEED_P50 = "speed_to_lead_p50", Ms, SOURCE, "contacts, touchpoints, tasks, sms_messages",
        "The median time from the lead's first sign to the first call or text of a person, of those who were contacted; by the wall clock.";
    SPEED_P90 = "speed_to_lead_p90", Ms, SOURCE, "contacts, touchpoints, tasks, sms_messages",
        "The time within which nine in ten of them were contacted; by the wall clock.";
    SPEED_OPEN_P50 = "speed_to_lead_open_p50", Ms, SOURCE, "contacts, touchpoints, tasks, sms_messages",
        "The median of the same time, counted in the clinic's opening hours only.";
    SPEED_OPEN_P90 = "speed_to_lead_open_p90", Ms, SOURCE, "contacts, touchpoints, tasks, sms_messages",
        "The time within which nine in ten of them were contacted, counted in opening hours only.";
    REPLY_P50 = "reply_time_p50", Ms, None, "sms_messages, touchpoints, tasks",
        "The median time from a text of the period that needs an answer (not YES, STOP or START; the first one when several wait) to a person's text, a call, or the reply task being done, within 90 days.";
    REPLY_P90 = "reply_time_p90", Ms, None, "sms_messages, touchpoints, tasks",
        "The time within which nine in ten of the answered ones were answered.";
    TASKS_DUE = "tasks_due", Count, STAFF, "tasks",
        "Tasks that were due in the period, without those that were cancelled.";
    TASKS_DONE = "tasks_done", Rate, STAFF, "tasks",
        "Of these tasks: those that are done.";
    TASKS_IN_TIME = "tasks_done_in_time", Rate, STAFF, "tasks",
        "Of these tasks: those that were done when they were due, or before.";
    TASKS_OVERDUE = "tasks_overdue", Rate, STAFF, "tasks",
        "Of these tasks: those that were done late, or are still open after they were due.";
    TASKS_DONE_BY = "tasks_done_by", Count, BY, "tasks",
        "Of the same tasks: those that are done, and by who did them, whoever they were for; `(unknown)` when nobody in particular did.";
    TEXTS_SENT = "texts_sent", Count, None, "sms_messages, sms_status_events",
        "Texts that a provider took in the period.";
    TEXTS_DELIVERED = "texts_delivered", Rate, None, "sms_messages",
        "Of these texts: those that were delivered.";
    TEXTS_FAILED = "texts_failed", Rate, None, "sms_messages",
        "Of these texts and those that no provider took and that were given up in the period: those that failed or expired.";
    TEXT_PARTS = "text_parts", Count, None, "sms_messages, sms_handovers",
        "Parts of the texts sent: what the provider billed, else what the program counted.";
    TEXTS_PRICED = "texts_priced", Rate, None, "sms_handovers",
        "Of the texts sent: those whose price the provider has said.";
    TEXT_COST = "text_cost", Micros, Some("currency"), "sms_handovers",
        "What these cost, in millionths of each currency.";
    OPT_OUTS = "opt_out_rate", Rate, None, "suppressions, sms_messages",
        "Numbers that said STOP in the period, beside the numbers that were texted in it.";
    ATTRIBUTED = "bookings_attributed", Count, None, "bookings",
        "Bookings made in the period that were neither declined nor put on the waiting list: what the six figures below share out.";
    FIRST = "attribution_first", Rate, SOURCE, "bookings, touchpoints",
        "The part of these bookings that is credited to a source when the first touch of the 90 days before gets all. Numerator and denominator are millionths of bookings; a booking without a touch is credited to `(none)`.";
    LAST = "attribution_last", Rate, SOURCE, "bookings, touchpoints",
        "The same when the last touch gets all.";
    LAST_NON_DIRECT = "attribution_last_non_direct", Rate, SOURCE, "bookings, touchpoints",
        "The same when the last touch whose link named its source gets all; when none did, the last touch.";
    LINEAR = "attribution_linear", Rate, SOURCE, "bookings, touchpoints",
        "The same when all touches get equal parts.";
    TIME_DECAY = "attribution_time_decay", Rate, SOURCE, "bookings, touchpoints",
        "The same when a touch counts half as much for every seven days that it lies before the booking.";
    POSITION = "attribution_position", Rate, SOURCE, "bookings, touchpoints",
        "The same when the first and the last touch get 40 % each and those between share 20 %; two touches get halves.";
    RECALL_YIELD = "recall_yield", Rate, None, "sms_messages, bookings",
        "Of the people to whom a recall text left in the period: those who made a booking within 90 days after it that was neither declined nor put on the waiting list.";
    RULE_RUNS = "rule_runs", Count, RULE, "automation_runs",
        "Runs of rules in the period that did something or failed.";
    RULE_FAILURES = "rule_failures", Rate, RULE, "automation_runs",
        "Of these runs: those that failed.";
}

/// The table of `docs/REPORTS.md`.
#[must_use]
pub fn table() -> String {
    let mut text = String::from("| figure | unit | by | what it is | from |\n|---|---|---|---|---|\n");
    for d in ALL {
        let by = d.by.unwrap_or("");
        text.push_str(&format!("| `{}` | {} | {by} | {} | {} |\n", d.name, d.unit.as_str(), d.means, d.from));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_unique() {
        let names: BTreeSet<&str> = ALL.iter().map(|d| d.name).collect();
        assert_eq!(names.len(), ALL.len());
    }
}
