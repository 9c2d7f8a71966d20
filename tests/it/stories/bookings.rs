//! From the booking to the appointment.

use crate::support::clinic::{Clinic, Installation};
use crate::support::wix::{Patient, Visit};

on_both_engines!(
    a_new_patient_is_welcomed,
    an_unpaid_booking_gets_no_confirmation,
    reminders_come_at_exactly_their_times,
    yes_confirms_and_spares_the_next_reminder,
    a_moved_appointment_moves_its_reminders,
    a_cancelled_appointment_has_no_reminders,
    each_move_of_an_appointment_is_told,
    a_reinstated_booking_is_told,
    booked_late_there_is_only_the_last_reminder,
    texts_wait_for_the_morning,
);

/// Monday in a week, half past ten.
const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";

fn a_new_patient_is_welcomed(clinic: &Clinic) {
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    assert_eq!(clinic.booking("mri"), "scheduled Mon 11-30 10:30");
    assert_eq!(clinic.texts(), ["booking_confirmation accepted Mon 11-23 09:00"]);
    assert_eq!(clinic.stage("Jane"), "pre_appointment/booking_confirmed");
    assert_eq!(clinic.tasks(), ["welcome_call todo Mon 11-23 18:00"]);
}

fn an_unpaid_booking_gets_no_confirmation(clinic: &Clinic) {
    let mut visit = Visit::new(&Patient::jane(), "mri", NEXT_MONDAY);
    clinic.wix(&visit.created_unpaid());
    assert_eq!(clinic.booking("mri"), "pending Mon 11-30 10:30");
    assert_eq!((clinic.texts(), clinic.timers()), (vec![], vec![]));
    assert_eq!(clinic.stage("Jane"), "pre_appointment/booking_requested");
    clinic.wix(&visit.confirmed());
    assert_eq!(clinic.texts(), ["booking_confirmation accepted Mon 11-23 09:00"]);
    assert_eq!(clinic.stage("Jane"), "pre_appointment/booking_confirmed");
}

fn reminders_come_at_exactly_their_times(clinic: &Clinic) {
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    clinic.advance("2026-11-28T10:29:59+11:00");
    assert_eq!(clinic.texts().len(), 1, "not a second early");
    clinic.advance("2026-12-01T00:00:00+11:00");
    assert_eq!(
        clinic.texts(),
        [
            "booking_confirmation accepted Mon 11-23 09:00",
            "reminder_48hr accepted Sat 11-28 10:30",
            "reminder_24hr accepted Sun 11-29 10:30",
            "reminder_2hr accepted Mon 11-30 08:30",
        ]
    );
    let report = "report_weekly todo Mon 11-30 12:00";
    let (welcome, confirm) = ("welcome_call todo Mon 11-23 18:00", "confirm_call todo Mon 11-30 10:00");
    let told = [welcome, confirm, report, "attendance_check todo Mon 11-30 12:00"];
    assert_eq!(clinic.tasks(), told, "nobody has said that she came");
    assert_eq!(clinic.stage("Jane"), "pre_appointment/at_risk");
    assert!(clinic.timers().is_empty());
}

fn yes_confirms_and_spares_the_next_reminder(clinic: &Clinic) {
    let jane = Patient::jane();
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    clinic.advance("2026-11-28T10:40:00+11:00");
    clinic.reply(&jane, "Yes!");
    assert_eq!(clinic.booking("mri"), "confirmed Mon 11-30 10:30");
    assert_eq!(clinic.stage("Jane"), "pre_appointment/patient_confirmed");
    clinic.advance("2026-12-01T00:00:00+11:00");
    assert_eq!(
        clinic.texts()[1..],
        [
            "reminder_48hr accepted Sat 11-28 10:30",
            "thanks_confirmed accepted Sat 11-28 10:40",
            "reminder_2hr accepted Mon 11-30 08:30",
        ]
    );
    let calls: Vec<String> = clinic.tasks().into_iter().filter(|task| task.contains("_call ")).collect();
    assert_eq!(calls, ["welcome_call todo Mon 11-23 18:00"], "nobody has to call");
}

fn a_moved_appointment_moves_its_reminders(clinic: &Clinic) {
    let jane = Patient::jane();
    let mut visit = Visit::new(&jane, "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    clinic.advance("2026-11-28T10:45:00+11:00");
    clinic.reply(&jane, "yes");
    clinic.wix(&visit.rescheduled("2026-12-03T14:00:00+11:00"));
    assert_eq!(clinic.booking("mri"), "scheduled Thu 12-03 14:00", "the new time is not confirmed yet");
    clinic.advance("2026-12-04T00:00:00+11:00");
    assert_eq!(
        clinic.texts()[1..],
        [
            "reminder_48hr accepted Sat 11-28 10:30",
            "booking_rescheduled accepted Sat 11-28 10:45",
            "thanks_confirmed accepted Sat 11-28 10:45",
            "reminder_48hr accepted Tue 12-01 14:00",
            "reminder_24hr accepted Wed 12-02 14:00",
            "reminder_2hr accepted Thu 12-03 12:00",
        ]
    );
}

fn a_cancelled_appointment_has_no_reminders(clinic: &Clinic) {
    let mut visit = Visit::new(&Patient::jane(), "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    assert_eq!(clinic.timers().len(), 5);
    clinic.wix(&visit.cancelled());
    assert_eq!(clinic.timers(), Vec::<String>::new());
    clinic.advance("2026-12-01T00:00:00+11:00");
    assert_eq!(clinic.texts(), ["booking_cancelled accepted Mon 11-23 09:00", "booking_confirmation accepted Mon 11-23 09:00"]);
    assert_eq!(clinic.stage("Jane"), "pre_appointment/cancelled");
    let report = "report_weekly todo Mon 11-30 12:00";
    assert_eq!(clinic.tasks(), ["rebook_call todo Mon 11-23 17:00", "welcome_call cancelled Mon 11-23 18:00", report]);
}

/// To and fro and to again: the last word that the patient has is the true one.
fn each_move_of_an_appointment_is_told(clinic: &Clinic) {
    let mut visit = Visit::new(&Patient::jane(), "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    for to in ["2026-12-03T14:00:00+11:00", NEXT_MONDAY, "2026-12-03T14:00:00+11:00"] {
        clinic.wix(&visit.rescheduled(to));
    }
    let told = clinic.texts().iter().filter(|t| t.starts_with("booking_rescheduled accepted")).count();
    assert_eq!(told, 3, "{:?}", clinic.texts());
    clinic.advance("2026-12-04T00:00:00+11:00");
    let reminders = clinic.texts().iter().filter(|t| t.starts_with("reminder")).count();
    assert_eq!(reminders, 3, "{:?}", clinic.texts());
}

/// Cancelled by mistake and put back: the patient, who was told that it is cancelled, is told that it is not.
fn a_reinstated_booking_is_told(clinic: &Clinic) {
    let mut visit = Visit::new(&Patient::jane(), "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    clinic.wix(&visit.cancelled());
    clinic.advance("2026-11-23T10:00:00+11:00");
    clinic.wix(&visit.confirmed());
    assert_eq!(clinic.booking("mri"), "scheduled Mon 11-30 10:30");
    assert_eq!(clinic.texts().last().unwrap(), "booking_confirmation accepted Mon 11-23 10:00");
    assert_eq!(clinic.timers().len(), 5, "the reminders are back");
    clinic.advance("2026-11-23T11:00:00+11:00");
    clinic.wix(&visit.cancelled());
    assert_eq!(clinic.texts().last().unwrap(), "booking_cancelled accepted Mon 11-23 11:00");
}

/// Twenty hours ahead, the times of the 48 and 24 hour reminders have passed.
fn booked_late_there_is_only_the_last_reminder(clinic: &Clinic) {
    clinic.advance("2026-11-23T14:30:00+11:00");
    clinic.wix(&Visit::new(&Patient::jane(), "mri", "2026-11-24T10:30:00+11:00").created());
    clinic.advance("2026-11-25T00:00:00+11:00");
    let texts = clinic.texts();
    assert_eq!(texts, ["booking_confirmation accepted Mon 11-23 14:30", "reminder_2hr accepted Tue 11-24 08:30"]);
}

/// A reminder for nine in the evening leaves at eight the next morning.
fn texts_wait_for_the_morning(clinic: &Clinic) {
    clinic.wix(&Visit::new(&Patient::jane(), "mri", "2026-11-30T21:00:00+11:00").created());
    clinic.advance("2026-11-28T22:00:00+11:00");
    assert_eq!(clinic.texts()[1], "reminder_48hr scheduled: quiet_hours Sun 11-29 08:00");
    clinic.advance("2026-11-29T09:00:00+11:00");
    assert_eq!(clinic.texts()[1], "reminder_48hr accepted Sun 11-29 08:00");
}

/// The clocks go forward in the night of 4 October: 48 hours are 48 hours, and the text names the right wall clock.
#[test]
fn reminders_across_the_change_of_clocks_are_on_the_hour() {
    let clinic = Clinic::open(Installation::sqlite(), "2026-09-28T09:00:00+10:00");
    clinic.wix(&Visit::new(&Patient::jane(), "mri", "2026-10-05T10:30:00+11:00").created());
    clinic.advance("2026-10-06T00:00:00+11:00");
    assert_eq!(
        clinic.texts()[1..],
        [
            "reminder_48hr accepted Sat 10-03 09:30",
            "reminder_24hr accepted Sun 10-04 10:30",
            "reminder_2hr accepted Mon 10-05 08:30",
        ]
    );
    let bodies = clinic.words("SELECT body AS value FROM sms_messages WHERE template = 'reminder_48hr'");
    assert!(bodies[0].contains("10:30"), "{bodies:?}");
}
