//! What is pending, derived from rules and records.

use super::workbench::*;
use avatar::domain::booking::{Booking, BookingStatus};
use avatar::domain::event::SubjectKind;
use avatar::domain::time::{Millis, Timestamp};
use avatar::engine::ruleset::{Again, Every, Rule, Ruleset, Trigger};
use avatar::engine::timers::{DesiredTimer, TimerVerdict, date_trigger_id, derive, schedules, timer_still_due};
use std::sync::Arc;

const LIVE: &str = "booking.status in [\"scheduled\", \"confirmed\"]";

fn reminders() -> Ruleset {
    let reminder = |id: &str, hours, late| rule(id, before_appointment(Millis::hours(hours), late)).alive_while(LIVE);
    ruleset(vec![
        reminder("reminder-48h", 48, Millis::hours(4)),
        reminder("reminder-24h", 24, Millis::hours(4)),
        reminder("reminder-2h", 2, Millis::minutes(45)),
    ])
}

fn pending(rules: &Ruleset, booking: &Booking, now: Timestamp) -> Vec<(String, Timestamp)> {
    let timers = derive(rules, &ana(), &[Arc::new(booking.clone())], now);
    timers.into_iter().map(|timer| (timer.rule_id, timer.due_at)).collect()
}

fn ids(rules: &Ruleset, booking: &Booking, now: Timestamp) -> Vec<String> {
    pending(rules, booking, now).into_iter().map(|(id, _)| id).collect()
}

#[test]
fn a_booking_made_in_time_has_all_its_reminders() {
    assert_eq!(
        pending(&reminders(), &scan(), monday()),
        [
            ("reminder-48h".to_owned(), at("2026-12-02T10:30:00+11:00")),
            ("reminder-24h".to_owned(), at("2026-12-03T10:30:00+11:00")),
            ("reminder-2h".to_owned(), at("2026-12-04T08:30:00+11:00")),
        ]
    );
}

#[test]
fn booked_twenty_hours_ahead_gets_only_the_two_hour_reminder() {
    let mut booking = scan();
    booking.created_at = at("2026-12-03T14:30:00+11:00");
    assert_eq!(ids(&reminders(), &booking, booking.created_at), ["reminder-2h"]);
}

#[test]
fn a_cancelled_booking_has_no_reminder_and_a_reinstated_one_has_them_again() {
    let mut booking = scan();
    booking.status = BookingStatus::Cancelled;
    assert!(ids(&reminders(), &booking, monday()).is_empty());
    booking.status = BookingStatus::Confirmed;
    assert_eq!(ids(&reminders(), &booking, monday()).len(), 3);
}

#[test]
fn late_reminders_are_pending_until_their_grace_ends() {
    let due = at("2026-12-02T10:30:00+11:00");
    let first = |now| ids(&reminders(), &scan(), now).remove(0);
    assert_eq!(first(due + Millis::hours(4)), "reminder-48h");
    assert_eq!(first(due + Millis::hours(4) + Millis(1)), "reminder-24h");
}

#[test]
fn a_moved_appointment_is_another_occurrence_only_on_another_day() {
    let occurrence = |again, appointment: &str| {
        let Trigger::Date { subject, field, offset, at_minute, late, .. } = before_appointment(Millis::hours(2), Millis::HOUR)
        else {
            panic!("a date trigger")
        };
        let rules = ruleset(vec![rule("r", Trigger::Date { subject, field, offset, at_minute, late, again })]);
        let mut booking = scan();
        booking.appointment_datetime = at(appointment);
        derive(&rules, &ana(), &[Arc::new(booking)], monday()).remove(0).occurrence
    };
    let (morning, noon, next_day) = ("2026-12-04T00:30:00+11:00", "2026-12-04T12:00:00+11:00", "2026-12-05T12:00:00+11:00");
    assert_eq!(occurrence(Again::MovedDay, morning), "2026-12-04", "the clinic's day, not the one in Greenwich");
    assert_eq!(occurrence(Again::MovedDay, noon), "2026-12-04");
    assert_eq!(occurrence(Again::MovedDay, next_day), "2026-12-05");
    assert_eq!(occurrence(Again::Moved, noon), "2026-12-04T01:00:00.000Z");
    assert_eq!(occurrence(Again::Never, next_day), "once");
}

fn recall(offset: Millis, minute: u32) -> Ruleset {
    let field = "recall_due_on";
    let trigger = Trigger::Date {
        subject: SubjectKind::Contact,
        field,
        offset,
        at_minute: Some(minute),
        late: Millis::hours(4),
        again: Again::MovedDay,
    };
    ruleset(vec![rule("recall", trigger).alive_while("not contact.opted_out and contact.next_booking == ()")])
}

#[test]
fn a_recall_comes_at_its_time_of_day_across_a_clock_change() {
    let mut contact = ana();
    // Midnight after the day of 23 hours.
    contact.recall_due_on = Some(at("2026-10-05T00:00:00+11:00"));
    let now = at("2026-09-01T09:00:00+10:00");
    let due = |offset, minute| derive(&recall(offset, minute), &contact, &[], now).remove(0).due_at;
    assert_eq!(due(Millis(0), 9 * 60 + 30), at("2026-10-05T09:30:00+11:00"));
    assert_eq!(due(Millis::days(-1), 9 * 60 + 30), at("2026-10-04T09:30:00+11:00"));
    assert_eq!(due(Millis::days(-1), 2 * 60 + 30), at("2026-10-04T03:00:00+11:00"), "a time that the clocks skip");
}

#[test]
fn a_recall_waits_while_a_booking_is_ahead_and_needs_its_date() {
    let now = at("2026-11-23T09:00:00+11:00");
    let mut contact = ana();
    let rules = recall(Millis(0), 570);
    assert!(derive(&rules, &contact, &[], now).is_empty(), "no date, no timer");
    contact.recall_due_on = Some(at("2026-11-30T00:00:00+11:00"));
    assert_eq!(derive(&rules, &contact, &[], now).len(), 1);
    assert!(derive(&rules, &contact, &[Arc::new(scan())], now).is_empty());
    let mut cancelled = scan();
    cancelled.status = BookingStatus::Cancelled;
    assert_eq!(derive(&rules, &contact, &[Arc::new(cancelled)], now).len(), 1);
}

#[test]
fn disabled_rules_and_failing_conditions_have_no_timers() {
    let with = |change: fn(&mut Rule)| {
        let mut reminder = rule("r", before_appointment(Millis::hours(2), Millis::HOUR));
        change(&mut reminder);
        ids(&ruleset(vec![reminder]), &scan(), monday()).len()
    };
    assert_eq!(with(|_| {}), 1);
    assert_eq!(with(|rule| rule.enabled = false), 0);
    assert_eq!(with(|rule| rule.while_ = vec![expr("booking.colour == \"red\"")]), 0);
    assert_eq!(with(|rule| rule.while_ = vec![expr("contact.warmness")]), 0);
}

#[test]
fn a_date_at_the_end_of_all_calendars_takes_nobody_down() {
    let mut contact = ana();
    for millis in [i64::MAX, i64::MIN, chrono::DateTime::<chrono::Utc>::MAX_UTC.timestamp_millis()] {
        contact.recall_due_on = Some(Timestamp(millis));
        let mut booking = scan();
        booking.appointment_datetime = Timestamp(millis);
        derive(&recall(Millis::days(30), 570), &contact, &[], monday()).clear();
        derive(&reminders(), &contact, &[Arc::new(booking.clone())], monday()).clear();
        let mut facts = facts("booking_created");
        facts.booking = Some(Arc::new(booking));
        let show = rule("show", on("booking_created")).step(note("{{booking.appointment_datetime}} {{booking.time}}"));
        let fine = rule("fine", on("booking_created"));
        let runs = avatar::engine::evaluate::evaluate(&ruleset(vec![show, fine]), &facts, monday());
        assert_eq!(runs[1].outcome, avatar::engine::plan::Outcome::Fired);
    }
}

#[test]
fn a_timer_that_fires_is_checked_against_the_records_of_now() {
    let rules = reminders();
    let due = at("2026-12-02T10:30:00+11:00");
    let timer = timer_for("reminder-48h", Millis::hours(48), due);
    let verdict = |booking: &Booking, now| timer_still_due(&rules, &ana(), &[Arc::new(booking.clone())], &timer, now);
    assert_eq!(verdict(&scan(), due), TimerVerdict::Due);
    assert_eq!(verdict(&scan(), due + Millis::hours(5)), TimerVerdict::Late);

    let mut moved = scan();
    moved.appointment_datetime = at("2026-12-09T10:30:00+11:00");
    let TimerVerdict::Moved(to) = verdict(&moved, due) else { panic!("moved") };
    assert_eq!((to.due_at, to.occurrence.as_str()), (at("2026-12-07T10:30:00+11:00"), "2026-12-09"));
    moved.appointment_datetime = at("2026-12-04T11:00:00+11:00");
    assert!(matches!(verdict(&moved, due), TimerVerdict::Moved(_)), "half an hour later the same day: wait for it");
    assert_eq!(verdict(&moved, due + Millis::minutes(30)), TimerVerdict::Due, "that time has come, too");
    moved.appointment_datetime = at("2026-12-04T10:00:00+11:00");
    assert_eq!(verdict(&moved, due), TimerVerdict::Due, "half an hour earlier the same day");
    assert_eq!(verdict(&scan(), due - Millis(100)), TimerVerdict::Due, "fired by a clock ahead of this one");

    let mut cancelled = scan();
    cancelled.status = BookingStatus::Cancelled;
    assert_eq!(verdict(&cancelled, due), TimerVerdict::Gone);
    assert_eq!(timer_still_due(&rules, &ana(), &[], &timer, due), TimerVerdict::Gone);
    let without_rule = ruleset(Vec::new());
    assert_eq!(timer_still_due(&without_rule, &ana(), &[Arc::new(scan())], &timer, due), TimerVerdict::Gone);
}

#[test]
fn a_timer_belongs_to_what_its_trigger_waits_for() {
    let at_times = |hours: &[i64]| {
        let mut times = hours.iter().map(|hours| before_appointment(Millis::hours(*hours), Millis::hours(4)));
        let mut ring = rule("ring", times.next().expect("a time"));
        ring.triggers.extend(times);
        derive(&ruleset(vec![ring]), &ana(), &[Arc::new(scan())], monday())
    };
    let both = at_times(&[48, 24]);
    assert_eq!(at_times(&[24, 48]), [both[1].clone(), both[0].clone()], "wherever it stands in the rule");
    assert_eq!(at_times(&[24]), both[1..]);
    assert!(both[0].trigger != both[1].trigger && both.iter().all(|timer| timer.trigger >= 0), "{both:?}");

    let named = |subject, field, at_minute, late| {
        date_trigger_id(&Trigger::Date { subject, field, offset: Millis(0), at_minute, late, again: Again::MovedDay })
    };
    let one = named(SubjectKind::Booking, "appointment_datetime", None, Millis::HOUR);
    assert_eq!(one, named(SubjectKind::Booking, "appointment_datetime", None, Millis::DAY), "however late it may be");
    assert_ne!(one, named(SubjectKind::Booking, "appointment_datetime", Some(0), Millis::HOUR));
    assert_ne!(one, named(SubjectKind::Booking, "created_at", None, Millis::HOUR));
    assert_ne!(
        named(SubjectKind::Contact, "created_at", None, Millis::HOUR),
        named(SubjectKind::Booking, "created_at", None, Millis::HOUR)
    );
    assert_eq!(date_trigger_id(&on("lead_created")), None);
}

#[test]
fn every_trigger_of_an_enabled_rule_is_a_schedule() {
    let every = |each| Trigger::Every { schedule: Every::Interval(Millis::HOUR), each, late: Millis::minutes(15) };
    let mut two = rule("sweep", every(Some(SubjectKind::Contact)));
    two.triggers.push(every(None));
    let mut off = rule("off", every(None));
    off.enabled = false;
    let found = schedules(&ruleset(vec![rule("event", on("lead_created")), two, off]));
    let names: Vec<(&str, Option<SubjectKind>)> = found.iter().map(|s| (s.name.as_str(), s.each)).collect();
    assert_eq!(names, [("rule:sweep:0", Some(SubjectKind::Contact)), ("rule:sweep:1", None)]);
}

#[test]
fn timers_belong_to_their_own_booking() {
    let mut second = scan();
    second.id = "b2".to_owned();
    second.appointment_datetime = at("2026-12-11T10:30:00+11:00");
    let timers: Vec<DesiredTimer> = derive(&reminders(), &ana(), &[Arc::new(scan()), Arc::new(second)], monday());
    assert_eq!(timers.len(), 6);
    assert_eq!(timers.iter().filter(|timer| timer.subject_id == "b2" && timer.occurrence == "2026-12-11").count(), 3);
}

proptest::proptest! {
    #[test]
    fn what_is_pending_will_be_due_and_is_never_late_already(
        lead_minutes in 0_i64..60 * 24 * 60,
        passed_minutes in 0_i64..70 * 24 * 60,
        day_of_year in 0_i64..365,
    ) {
        let rules = reminders();
        let mut booking = scan();
        booking.created_at = at("2026-01-01T00:00:00+11:00") + Millis::days(day_of_year);
        booking.appointment_datetime = booking.created_at + Millis::minutes(lead_minutes);
        let now = booking.created_at + Millis::minutes(passed_minutes);
        let bookings = [Arc::new(booking.clone())];
        for timer in derive(&rules, &ana(), &bookings, now) {
            proptest::prop_assert!(timer.due_at >= booking.created_at && now <= timer.due_at + timer.late);
            let fired = avatar::domain::event::TimerInput {
                trigger: timer.trigger,
                occurrence: timer.occurrence.clone(),
                ..timer_for(&timer.rule_id, Millis::HOUR, timer.due_at)
            };
            let verdict = |now| timer_still_due(&rules, &ana(), &bookings, &fired, now);
            proptest::prop_assert_eq!(verdict(timer.due_at), TimerVerdict::Due);
            proptest::prop_assert_eq!(verdict(timer.due_at + timer.late), TimerVerdict::Due);
            proptest::prop_assert_eq!(verdict(timer.due_at + timer.late + Millis(1)), TimerVerdict::Late);
            proptest::prop_assert_eq!(verdict(timer.due_at - Millis(1)), TimerVerdict::Due, "fired by a clock ahead");
        }
    }
}
