//! What one event costs in the rule engine: `cargo bench --bench engine`.
//!
//! Goals on a release build: a condition of four clauses in 2 µs, an event with three rules, a text and a task in 50 µs.

#[path = "../tests/it/engine/host/workbench.rs"]
#[expect(dead_code, clippy::expect_used, reason = "shared with the tests, which use all of it")]
mod workbench;

use avatar::domain::time::Millis;
use avatar::engine::evaluate::evaluate;
use avatar::engine::script::View;
use avatar::engine::timers::derive;
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use std::sync::Arc;
use workbench::{
    RuleExt, ana, before_appointment, clinic, expr, facts, monday, on, rule, ruleset, ruleset_with, scan, task, template,
};

const CONDITION: &str = "contact.warmness >= 40 and not contact.opted_out and booking.status in [\"scheduled\", \"confirmed\"] \
     and booking.appointment_datetime < now + 30.days";
const TEXT: &str = "Hi {{contact.first_name}}, you are booked at {{clinic.name}} on {{booking.date}} at {{booking.time}}\
     {{#if booking.location}}, {{booking.location}}{{/if}}. Questions? {{clinic.phone}}";
const SCRIPT: &str = "fn warmness(contact, now) { let score = 20; for t in contact.touchpoints { let age = now - t.at; \
     if age > 90.days { continue; } score += switch t.kind { \"form\" => 6, _ => 1 }; } clamp(score, 0, 100) }";

fn condition(c: &mut Criterion) {
    let rules = ruleset(Vec::new());
    let view = View::of_facts(&clinic(), &facts("booking_created"), monday());
    let (line, mut scope) = (expr(CONDITION), rules.host.scope(&view));
    c.bench_function("condition of four clauses", |b| b.iter(|| rules.host.holds(black_box(&line), &mut scope)));
}

fn event(c: &mut Criterion) {
    let greet = rule("greet", on("booking_created"))
        .var("score", "warmness(contact, now)")
        .step(avatar::engine::ruleset::StepAction::Sms { template: "text".to_owned() })
        .step(task("welcome_call", "Call {{contact.first_name}}", "end_of_day(now)", "50 + score / 5"));
    let urgent =
        rule("urgent", on("booking_created")).when_true(&["booking.urgency_level == \"urgent\"", "not booking.has_referral"]);
    let warm = rule("warm", on("booking_created")).when_true(&[CONDITION, "contact.warmness > 90"]);
    let rules = ruleset_with(vec![greet, urgent, warm], &[template("text", TEXT)], SCRIPT);
    let facts = facts("booking_created");
    c.bench_function("event with three rules", |b| b.iter(|| evaluate(&rules, black_box(&facts), monday())));
}

fn timers(c: &mut Criterion) {
    let live = "booking.status in [\"scheduled\", \"confirmed\"]";
    let reminder =
        |hours| rule(&format!("r{hours}"), before_appointment(Millis::hours(hours), Millis::hours(4))).alive_while(live);
    let rules = ruleset(vec![reminder(48), reminder(24), reminder(2)]);
    let (contact, bookings) = (ana(), [Arc::new(scan())]);
    c.bench_function("timers of one booking", |b| b.iter(|| derive(&rules, black_box(&contact), &bookings, monday())));
}

fn assemble(c: &mut Criterion) {
    c.bench_function("assemble a ruleset", |b| b.iter(|| ruleset_with(Vec::new(), &[template("text", TEXT)], SCRIPT)));
}

criterion_group!(benches, condition, event, timers, assemble);
criterion_main!(benches);
