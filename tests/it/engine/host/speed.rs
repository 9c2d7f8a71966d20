//! Orders of magnitude, so that a change that makes evaluation ten times slower is noticed. Exact figures are the benchmarks' job.

use super::evaluation::{SCRIPTS, confirmation, new_booking};
use super::workbench::*;
use avatar::domain::time::Millis;
use avatar::engine::evaluate::evaluate;
use avatar::engine::script::View;
use avatar::engine::timers::derive;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The fastest of several rounds: what the code costs, without the neighbours on the machine.
fn fastest(rounds: u32, times: u32, mut work: impl FnMut()) -> Duration {
    let round = |work: &mut dyn FnMut()| {
        let began = Instant::now();
        for _ in 0..times {
            work();
        }
        began.elapsed() / times
    };
    (0..rounds).map(|_| round(&mut work)).min().unwrap_or_default()
}

const CONDITION: &str = "contact.warmness >= 40 and not contact.opted_out and booking.status in [\"scheduled\", \"confirmed\"] and booking.appointment_datetime < now + 30.days";

#[test]
fn a_condition_takes_microseconds() {
    let rules = ruleset(Vec::new());
    let view = View::of_facts(&clinic(), &facts("booking_created"), monday());
    let (line, mut scope) = (expr(CONDITION), rules.host.scope(&view));
    assert_eq!(rules.host.holds(&line, &mut scope), Ok(true));
    let cost = fastest(20, 500, || assert!(rules.host.holds(&line, &mut scope).is_ok()));
    assert!(cost < Duration::from_micros(100), "{cost:?}");
}

#[test]
fn an_event_with_three_rules_a_text_and_a_task_takes_well_under_a_millisecond() {
    let others = ["booking.urgency_level == \"urgent\" and not booking.has_referral", "contact.warmness > 90"];
    let others = others.map(|line| rule(line, on("booking_created")).when_true(&[line]));
    let rules = ruleset_with(std::iter::once(new_booking()).chain(others).collect(), &[confirmation()], SCRIPTS);
    let facts = facts("booking_created");
    let cost = fastest(20, 100, || assert_eq!(evaluate(&rules, &facts, monday()).len(), 3));
    assert!(cost < Duration::from_millis(2), "{cost:?}");
}

#[test]
fn deriving_the_timers_of_a_contact_takes_microseconds() {
    let live = "booking.status in [\"scheduled\", \"confirmed\"]";
    let reminder =
        |hours| rule(&format!("r{hours}"), before_appointment(Millis::hours(hours), Millis::hours(4))).alive_while(live);
    let rules = ruleset(vec![reminder(48), reminder(24), reminder(2)]);
    let (contact, bookings) = (ana(), [Arc::new(scan())]);
    let cost = fastest(20, 200, || assert_eq!(derive(&rules, &contact, &bookings, monday()).len(), 3));
    assert!(cost < Duration::from_millis(1), "{cost:?}");
}

#[test]
fn a_ruleset_is_ready_in_milliseconds() {
    let cost = fastest(5, 10, || {
        let rules = ruleset_with(vec![new_booking()], &[confirmation()], SCRIPTS);
        assert_eq!(rules.rules.len(), 1);
    });
    assert!(cost < Duration::from_millis(100), "{cost:?}");
}
