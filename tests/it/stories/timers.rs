//! Reminders that must come once, and not be lost, whatever clocks, moves and edits do.

use crate::support::clinic::{Clinic, at};
use crate::support::wix::{Patient, Visit};
use avatar::automation::run::{Worked, run_events};
use avatar::automation::{derive, timers};
use avatar::domain::event::Timer;
use avatar::domain::job::ClaimedJob;
use avatar::domain::time::{Millis, Timestamp};
use avatar::jobs::kinds;
use avatar::store::jobs::ClaimRequest;
use avatar::store::{Tx, jobs, timers as rows, workers};
use std::sync::atomic::{AtomicBool, Ordering};

on_both_engines!(
    a_reminder_fired_by_a_clock_ahead_comes_once,
    a_reminder_survives_a_move_to_and_fro,
    a_day_that_had_its_timer_has_no_other,
    a_fired_timer_comes_back_only_for_another_time,
    a_timer_long_after_its_appointment_stays,
    taking_a_time_away_keeps_the_other,
    adding_a_time_repeats_no_other,
    a_renamed_rule_that_says_so_repeats_nothing,
    somebody_busy_does_not_hold_up_the_timers_of_others,
);

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";
const AN_HOUR_LATER: &str = "2026-11-30T11:30:00+11:00";
const TWO_DAYS_BEFORE: &str = "2026-11-28T10:30:00+11:00";
const DAY_BEFORE: &str = "2026-11-29T10:30:00+11:00";
/// How far one node's clock is ahead of another's.
const AHEAD: Millis = Millis(100);

/// Fires what is due on a node whose clock shows `now`; answers how many.
fn fire(clinic: &Clinic, now: Timestamp) -> usize {
    clinic.runtime.block_on(timers::fire_due(&clinic.automation.store, now)).unwrap()
}

fn texts_of(clinic: &Clinic, template: &str) -> Vec<String> {
    clinic.texts().into_iter().filter(|text| text.starts_with(template)).collect()
}

/// One rule that makes a task at some times around the appointment, in force at once.
fn put_in_force(clinic: &Clinic, when: &str) {
    write_ring(clinic, when);
    clinic.runtime.block_on(clinic.rules().publish("stories", None)).unwrap();
    clinic.settle();
}

fn write_ring(clinic: &Clinic, when: &str) {
    let rule = format!(
        "about: A rule of a story.
defaults:
  owner: reception
rules:
  - id: ring
    name: Ring the patient
    about: Somebody rings.
    when: {when}
    do:
      - note: \"rang\"
"
    );
    clinic.installation.write("rules/ring.yaml", &rule);
}

fn ring_timers(clinic: &Clinic) -> Vec<String> {
    clinic.timers().into_iter().filter(|timer| timer.starts_with("ring ")).collect()
}

fn rings(clinic: &Clinic) -> i64 {
    clinic.number("SELECT COUNT(*) AS value FROM automation_runs WHERE rule_id = 'ring' AND outcome = 'fired'")
}

fn claim(clinic: &Clinic, queue: &'static str) -> Vec<ClaimedJob> {
    let now = clinic.now();
    let claim = move |tx: &mut Tx<'_>| {
        let worker = workers::register(tx, "story", 1, Millis::MINUTE, now)?;
        jobs::claim(tx, worker, &ClaimRequest { queue, limit: 8, turn: 0 }, now)
    };
    clinic.automation.store.write_now(claim).unwrap()
}

/// Works on the events that wait, with a clock that is set back after they were taken.
fn work_with_a_clock_set_back(clinic: &Clinic, by: Millis) -> usize {
    let now = clinic.now();
    let claimed = claim(clinic, kinds::AUTOMATION);
    clinic.clock.set(now - by);
    let worked = clinic.runtime.block_on(run_events(&clinic.automation, claimed));
    assert!(worked.iter().all(|(_, worked)| matches!(worked, Worked::Completed)), "{worked:?}");
    worked.len()
}

fn a_reminder_fired_by_a_clock_ahead_comes_once(clinic: &Clinic) {
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    let due = at(TWO_DAYS_BEFORE);
    clinic.clock.set(due);
    assert_eq!(fire(clinic, due), 1);
    assert_eq!(work_with_a_clock_set_back(clinic, AHEAD), 1);
    assert_eq!(fire(clinic, due + AHEAD), 0, "it has fired");
    clinic.advance("2026-11-28T12:00:00+11:00");
    assert_eq!(texts_of(clinic, "reminder_48hr"), ["reminder_48hr accepted Sat 11-28 10:29"]);
    clinic.advance("2026-12-01T00:00:00+11:00");
    assert_eq!(texts_of(clinic, "reminder").len(), 3);
}

/// The appointment moves before the fired reminder is worked on, and back again afterwards.
fn a_reminder_survives_a_move_to_and_fro(clinic: &Clinic) {
    let mut visit = Visit::new(&Patient::jane(), "mri", NEXT_MONDAY);
    clinic.wix(&visit.created());
    clinic.clock.set(at(TWO_DAYS_BEFORE));
    assert_eq!(clinic.post_wix(&visit.rescheduled(AN_HOUR_LATER)).status, 200);
    assert_eq!(fire(clinic, clinic.now()), 1);
    clinic.settle();
    assert_eq!(clinic.timers()[0], "reminder-48h Sat 11-28 11:30");
    clinic.advance("2026-11-28T10:35:00+11:00");
    clinic.wix(&visit.rescheduled(NEXT_MONDAY));
    clinic.advance("2026-11-28T15:00:00+11:00");
    assert_eq!(texts_of(clinic, "reminder_48hr"), ["reminder_48hr accepted Sat 11-28 10:35"]);
}

/// Late on Monday, early on Tuesday, and back while Tuesday's timer is about to run: Monday has had its own.
fn a_day_that_had_its_timer_has_no_other(clinic: &Clinic) {
    put_in_force(clinic, &before("48h"));
    let mut visit = Visit::new(&Patient::jane(), "mri", "2026-11-30T23:00:00+11:00");
    clinic.wix(&visit.created());
    clinic.advance("2026-11-28T23:30:00+11:00");
    assert_eq!(rings(clinic), 1);
    clinic.wix(&visit.rescheduled("2026-12-01T01:00:00+11:00"));
    assert_eq!(ring_timers(clinic), ["ring Sun 11-29 01:00"]);
    clinic.clock.set(at("2026-11-29T01:00:00+11:00"));
    assert_eq!(clinic.post_wix(&visit.rescheduled("2026-11-30T22:30:00+11:00")).status, 200);
    assert!(fire(clinic, clinic.now()) > 0);
    clinic.advance("2026-11-29T12:00:00+11:00");
    assert_eq!((rings(clinic), ring_timers(clinic)), (1, vec![]));
}

/// Who sets a timer may have read it before another node fired it.
fn a_fired_timer_comes_back_only_for_another_time(clinic: &Clinic) {
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    let store = &clinic.automation.store;
    let due = at(TWO_DAYS_BEFORE);
    let read = store.read_now(move |conn| rows::list_due(conn, due, 1)).unwrap().remove(0);
    assert_eq!(fire(clinic, due), 1);
    let set = |timer: Timer| {
        store.write_now(move |tx| rows::upsert_many(tx, &[&timer])).unwrap();
        clinic.timers().iter().filter(|timer| timer.starts_with("reminder-48h")).count()
    };
    assert_eq!(set(Timer { late_ms: 1, updated_at: due, ..read.clone() }), 0, "for the same time");
    assert_eq!(set(Timer { due_at: due + Millis::HOUR, updated_at: due, ..read.clone() }), 1, "for a later time");
    assert_eq!(set(Timer { late_ms: 1, updated_at: due + AHEAD, ..read.clone() }), 1, "it is pending, and moves freely");
    let is_fired = store.write_now(move |tx| rows::mark_fired(tx, &read, due)).unwrap();
    assert!(!is_fired, "it has been set anew since it was read");
}

/// Bookings of long ago are not looked at any more, but for those that still have something to come.
fn a_timer_long_after_its_appointment_stays(clinic: &Clinic) {
    let jane = Patient::jane();
    put_in_force(clinic, "{ date: booking.appointment_datetime, after: 90d, late: 4h }");
    clinic.wix(&Visit::new(&jane, "mri", NEXT_MONDAY).created());
    assert_eq!(ring_timers(clinic), ["ring Sun 02-28 10:30"]);
    clinic.advance("2027-02-10T10:00:00+11:00");
    clinic.reply(&jane, "Where do I park?");
    assert_eq!(ring_timers(clinic), ["ring Sun 02-28 10:30"], "the contact has changed, the timer has not");
    put_in_force(clinic, "{ date: booking.appointment_datetime, after: 91d, late: 4h }");
    assert_eq!(ring_timers(clinic), ["ring Mon 03-01 10:30"], "it still follows its rule");
    clinic.advance("2027-03-02T10:30:00+11:00");
    assert_eq!(rings(clinic), 1);
}

fn taking_a_time_away_keeps_the_other(clinic: &Clinic) {
    let (two_days, one_day) = (before("48h"), before("24h"));
    put_in_force(clinic, &format!("[{two_days}, {one_day}]"));
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    clinic.advance("2026-11-28T11:00:00+11:00");
    assert_eq!(rings(clinic), 1);
    put_in_force(clinic, &one_day);
    assert_eq!(ring_timers(clinic), ["ring Sun 11-29 10:30"]);
    clinic.advance("2026-12-01T00:00:00+11:00");
    assert_eq!(rings(clinic), 2);
}

fn adding_a_time_repeats_no_other(clinic: &Clinic) {
    put_in_force(clinic, &before("24h"));
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    clinic.advance(DAY_BEFORE);
    assert_eq!(rings(clinic), 1);
    put_in_force(clinic, &format!("[{}, {}, {}]", before("48h"), before("24h"), before("3h")));
    clinic.advance("2026-11-29T12:00:00+11:00");
    assert_eq!(rings(clinic), 1, "the day before has been");
    clinic.advance("2026-12-01T00:00:00+11:00");
    assert_eq!(rings(clinic), 2, "the new time comes");
}

fn before(span: &str) -> String {
    format!("{{ date: booking.appointment_datetime, before: {span}, late: 4h }}")
}

/// The same rule under another id, in the time in which it could still run late.
fn a_renamed_rule_that_says_so_repeats_nothing(clinic: &Clinic) {
    put_in_force(clinic, "{ date: booking.appointment_datetime, before: 24h, late: 4h }");
    clinic.wix(&Visit::new(&Patient::jane(), "mri", NEXT_MONDAY).created());
    clinic.advance(DAY_BEFORE);
    assert_eq!(rings(clinic), 1);
    let rename = |was: &str| {
        let rule = format!(
            "about: A rule of a story.
defaults:
  owner: reception
rules:
  - id: phone
{was}    name: Ring the patient
    about: Somebody rings.
    when: {{ date: booking.appointment_datetime, before: 24h, late: 4h }}
    do:
      - note: \"rang\"
"
        );
        clinic.installation.write("rules/ring.yaml", &rule);
        clinic.runtime.block_on(clinic.rules().publish("stories", None)).unwrap();
        clinic.settle();
    };
    rename("    was: ring\n");
    clinic.advance("2026-11-29T11:00:00+11:00");
    let phoned = "SELECT COUNT(*) AS value FROM automation_runs WHERE rule_id = 'phone' AND outcome = 'fired'";
    assert_eq!(clinic.number(phoned), 0, "it has fired under its old id");
    rename("");
    clinic.advance("2026-11-29T11:30:00+11:00");
    assert_eq!(clinic.number(phoned), 1, "nobody said that it is the same rule");
}

/// One contact changes all the time while a new rule gives everybody its timers.
fn somebody_busy_does_not_hold_up_the_timers_of_others(clinic: &Clinic) {
    for (number, mobile) in ["0491 570 156", "0491 570 157", "0491 570 158"].into_iter().enumerate() {
        let patient = Patient::new(&format!("w-{number}"), "Ada", &format!("Lin{number}"), mobile);
        clinic.wix(&Visit::new(&patient, &format!("b-{number}"), NEXT_MONDAY).created());
    }
    write_ring(clinic, &before("48h"));
    clinic.runtime.block_on(clinic.rules().publish("stories", None)).unwrap();
    let page = claim(clinic, kinds::MAINTENANCE).remove(0);
    let busy = AtomicBool::new(true);
    let records = clinic.installation.records();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while busy.load(Ordering::Relaxed) {
                records.execute("UPDATE contacts SET version = version + 1 WHERE id = (SELECT MIN(id) FROM contacts)");
            }
        });
        let _ = clinic.runtime.block_on(derive::run(&clinic.automation, page.clone()));
        busy.store(false, Ordering::Relaxed);
    });
    assert!(ring_timers(clinic).len() >= 2, "{:?}", clinic.timers());
    clinic.runtime.block_on(derive::run(&clinic.automation, page));
    assert_eq!(ring_timers(clinic).len(), 3, "the busy one too, once they are not");
}
