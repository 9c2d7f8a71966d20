//! Whose tasks are closed, whose booking a step is about, and what a run still knows of its task.

use super::waits::{notes, only};
use crate::support::clinic::Clinic;
use crate::support::wix::{Patient, Visit};
use avatar::automation::by_hand::{Subject, run_rule};

on_both_engines!(
    who_books_again_is_not_called_about_the_booking_before,
    tasks_are_closed_of_the_booking_or_of_the_contact,
    steps_of_an_each_are_about_its_booking,
    a_run_that_waits_still_knows_the_task_that_was_done_meanwhile,
    a_booking_wins_the_lead_before_it_moves_on,
);

const WEDNESDAY: &str = "2026-12-02T10:30:00+11:00";
const FRIDAY: &str = "2026-12-04T15:00:00+11:00";

/// `type status of wix-id`, without alerts.
fn tasks(clinic: &Clinic) -> Vec<String> {
    clinic.words(
        "SELECT t.type || ' ' || t.status || COALESCE(' of ' || b.wix_booking_id, '') AS value
         FROM tasks t LEFT JOIN bookings b ON b.id = t.booking_id WHERE t.type <> 'alert' ORDER BY t.type, b.wix_booking_id, t.status",
    )
}

fn set_off(clinic: &Clinic, rule: &str) {
    let in_force = clinic.rules().current().expect("rules in force");
    let contact = clinic.words("SELECT id AS value FROM contacts").remove(0);
    let asked = run_rule(&clinic.automation.store, &in_force, rule, Subject::Contact(contact), clinic.now());
    clinic.runtime.block_on(asked).unwrap_or_else(|refused| panic!("{refused}"));
    clinic.settle();
}

fn who_books_again_is_not_called_about_the_booking_before(clinic: &Clinic) {
    let jane = Patient::jane();
    let mut first = Visit::new(&jane, "first", WEDNESDAY);
    clinic.wix(&first.created());
    clinic.wix(&first.cancelled());
    assert_eq!(tasks(clinic), ["rebook_call todo of first", "welcome_call cancelled of first"]);
    clinic.wix(&Visit::new(&jane, "second", FRIDAY).created());
    let told = ["rebook_call cancelled of first", "welcome_call cancelled of first", "welcome_call todo of second"];
    assert_eq!(tasks(clinic), told);
}

const CLOSING: &str = r"rules:
  - id: call
    when: { event: booking_created }
    do:
      - task: { type: confirm_call, title: Call, due: =now + 1.hours }
  - id: lead
    when: { event: lead_created }
    do:
      - task: { type: confirm_call, title: Call the lead, due: =now + 1.hours }
  - id: own
    when: { event: booking_rescheduled }
    do:
      - close_tasks: { type: confirm_call, reason: Moved }
  - id: all
    when: { event: booking_cancelled }
    do:
      - close_tasks: { type: any, of: contact, reason: Cancelled }
";

fn tasks_are_closed_of_the_booking_or_of_the_contact(clinic: &Clinic) {
    only(clinic, CLOSING);
    let jane = Patient::jane();
    clinic.manychat(&jane, "new_lead", "MRI please", None);
    let (mut first, second) = (Visit::new(&jane, "first", WEDNESDAY), Visit::new(&jane, "second", FRIDAY));
    clinic.wix(&first.created());
    clinic.wix(&second.created());
    let open = |clinic: &Clinic| tasks(clinic).into_iter().filter(|t| t.contains("confirm_call todo")).collect::<Vec<_>>();
    assert_eq!(open(clinic).len(), 3, "{:?}", tasks(clinic));
    clinic.wix(&first.rescheduled("2026-12-03T10:30:00+11:00"));
    let mut left = open(clinic);
    left.sort();
    assert_eq!(left, ["confirm_call todo", "confirm_call todo of second"], "only the moved booking's");
    clinic.wix(&first.cancelled());
    assert_eq!(open(clinic), Vec::<String>::new(), "the lead's and the other booking's, too");
}

const ROUND: &str = r#"rules:
  - id: round
    when: { manual: contact }
    do:
      - each:
          in: =contact.bookings
          as: visit
          do:
            - task: { type: confirm_call, title: "{{booking.date}} {{visit.date}}", due: =visit.appointment_datetime - 1.days }
            - sms: booking_confirmation
            - set: { booking.urgency_level: soon }
              if: visit.day == "Friday"
            - emit: { event: visit_seen, data: { day: "{{visit.date}}" } }
  - id: seen
    when: { event: visit_seen }
    if: event.data.day != ()
    do:
      - note: "Seen {{event.data.day}}"
  - id: close
    when: { manual: contact }
    do:
      - each:
          in: =contact.bookings
          as: visit
          do:
            - close_tasks: { type: confirm_call }
              if: visit.urgency_level == "soon"
"#;

fn steps_of_an_each_are_about_its_booking(clinic: &Clinic) {
    only(clinic, ROUND);
    let jane = Patient::jane();
    clinic.wix(&Visit::new(&jane, "first", WEDNESDAY).created());
    clinic.wix(&Visit::new(&jane, "second", FRIDAY).created());
    set_off(clinic, "round");
    assert_eq!(tasks(clinic), ["confirm_call todo of first", "confirm_call todo of second"]);
    let titles = clinic.words("SELECT title AS value FROM tasks ORDER BY title");
    assert_eq!(titles, ["Fri 4 Dec Fri 4 Dec", "Wed 2 Dec Wed 2 Dec"]);
    let texts = "SELECT b.wix_booking_id || ' ' || s.status AS value FROM sms_messages s JOIN bookings b ON b.id = s.booking_id
                 WHERE s.body LIKE '%' || CASE WHEN b.wix_booking_id = 'first' THEN 'Wed 2 Dec' ELSE 'Fri 4 Dec' END || '%' ORDER BY 1";
    assert_eq!(clinic.words(texts), ["first accepted", "second accepted"], "each with its own date");
    let urgency = "SELECT wix_booking_id || ' ' || urgency_level AS value FROM bookings ORDER BY wix_booking_id";
    assert_eq!(clinic.words(urgency), ["first routine", "second soon"]);
    let seen = |clinic: &Clinic| clinic.words("SELECT body AS value FROM notes ORDER BY body");
    assert_eq!(seen(clinic), ["Seen Fri 4 Dec", "Seen Wed 2 Dec"]);
    let events = "SELECT b.wix_booking_id AS value FROM event_log e JOIN bookings b ON b.id = e.booking_id WHERE e.event_type = 'visit_seen' ORDER BY 1";
    assert_eq!(clinic.words(events), ["first", "second"], "the event that a round sends is about its booking");
    set_off(clinic, "round");
    assert_eq!(clinic.count("tasks"), 2, "one open task of a type for each booking");
    assert_eq!(clinic.count("sms_messages"), 2, "one text of a template for each booking and time");
    set_off(clinic, "close");
    assert_eq!(tasks(clinic), ["confirm_call todo of first", "confirm_call cancelled of second"]);
}

const PATIENCE: &str = r#"rules:
  - id: call
    when: { event: lead_created }
    do:
      - task: { type: lead_call, title: "Call {{contact.first_name}}", due: =now + 1.hours }
  - id: later
    when: { event: task_overdue }
    if: contact != ()
    do:
      - wait: 2h
      - note: "{{task.title}} is {{task.status}}"
  - id: watched
    when: { event: task_overdue }
    while: task.status in ["todo", "in_progress"]
    if: contact != ()
    do:
      - wait: 2h
      - note: It is still open
"#;

fn a_run_that_waits_still_knows_the_task_that_was_done_meanwhile(clinic: &Clinic) {
    only(clinic, PATIENCE);
    clinic.manychat(&Patient::jane(), "new_lead", "MRI please", None);
    clinic.advance("2026-11-23T10:05:00+11:00");
    let waits = "SELECT rule_id || ' ' || state AS value FROM waiting_runs WHERE rule_id <> 'task-forgotten' ORDER BY rule_id";
    assert_eq!(clinic.words(waits), ["later waiting", "watched waiting"]);
    let task = clinic.words("SELECT id AS value FROM tasks WHERE type = 'lead_call'").remove(0);
    assert_eq!(clinic.complete(&task).status, 200);
    assert_eq!(clinic.words(waits), ["later waiting", "watched ended"], "`while` about the task ends the run at once");
    clinic.advance("2026-11-23T13:00:00+11:00");
    let told = notes(clinic);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("Call Jane is done"), "{told:?}");
}

fn a_booking_wins_the_lead_before_it_moves_on(clinic: &Clinic) {
    let jane = Patient::jane();
    clinic.manychat(&jane, "new_lead", "MRI please", Some("google"));
    let mut visit = Visit::new(&jane, "first", WEDNESDAY);
    clinic.wix(&visit.created_unpaid());
    clinic.wix(&visit.confirmed());
    let mut moves = clinic.words(
        "SELECT COALESCE(from_pipeline || '/' || from_stage, 'nowhere') || ' to ' || pipeline || '/' || to_stage AS value
         FROM pipeline_transitions",
    );
    moves.sort();
    let told = [
        "lead/booked to pre_appointment/booking_requested",
        "lead/new_lead to lead/booked",
        "nowhere to lead/new_lead",
        "pre_appointment/booking_requested to pre_appointment/booking_confirmed",
    ];
    assert_eq!(moves, told, "both moves of the booking are there to be counted");
    assert_eq!(clinic.stage("Jane"), "pre_appointment/booking_confirmed");
}
