//! The clinic's default scores can be written as scripts, and come to what their formulas say.

use super::workbench::*;
use avatar::domain::touchpoint::Touchpoint;
use avatar::engine::evaluate::evaluate;
use avatar::engine::facts::Facts;
use avatar::engine::plan::{Action, FieldValue};
use avatar::engine::ruleset::StepAction;
use std::sync::Arc;

/// Warmness decays by half in a week and saturates towards 100; no answer three times cools down.
const SCORES: &str = r#"
/// warmness(contact: contact, now: time) -> int
fn warmness(contact, now) {
    let sum = 0.0;
    let unanswered = 0;
    for t in contact.touchpoints {
        if t.kind == "no_answer" { unanswered += 1; }
        let weight = switch t.kind {
            "booking" => 60.0,
            "call_in" => 40.0,
            "form" => 30.0,
            "sms_in" | "manychat_message" => 20.0,
            "ad_click" => 5.0,
            _ => 0.0
        };
        let age = now - t.at;
        sum += weight * pow(0.5, age.days / 7.0);
    }
    if unanswered >= 3 { sum -= 30.0; }
    clamp(round(100.0 * (1.0 - exp(-sum / 60.0))), 0, 100)
}

/// attribution(contact: contact) -> text
fn attribution(contact) {
    let first = contact.source;
    for t in contact.touchpoints {
        if t.channel in ["google", "facebook", "referral", "manychat"] { first = t.channel; }
    }
    first
}

/// task_priority(kind: text, contact: contact, booking: booking?, now: time) -> int
fn task_priority(kind, contact, booking, now) {
    let score = switch kind { "no_response_followup" => 60, "lead_call" => 40, _ => 30 };
    if booking != () {
        score += switch booking.urgency_level { "urgent" => 25, "soon" => 10, _ => 0 };
        if booking.appointment_datetime - now < 24.hours { score += 20; }
    }
    score += contact.warmness / 5;
    if not contact.is_existing_patient { score += 5; }
    clamp(score, 0, 100)
}
"#;

fn facts_with(touchpoints: Vec<Touchpoint>) -> Facts {
    let mut facts = facts("booking_created");
    let mut contact = (*contact_facts(ana())).clone();
    contact.touchpoints = touchpoints.into_iter().map(Arc::new).collect();
    facts.contact = Some(Arc::new(contact));
    facts
}

fn score(call: &str, touchpoints: Vec<Touchpoint>) -> FieldValue {
    let set = StepAction::Set(vec![("contact.warmness".to_owned(), value(call))]);
    let rules = ruleset_with(vec![rule("score", on("booking_created")).step(set)], &[], SCORES);
    let run = evaluate(&rules, &facts_with(touchpoints), monday()).remove(0);
    match run.steps.first().and_then(|step| step.action.clone()) {
        Some(Action::Set { value, .. }) => value,
        _ => panic!("{:?}", run.stopped_at),
    }
}

#[test]
fn warmness_follows_its_formula() {
    let warmness = |touchpoints| score("warmness(contact, now)", touchpoints);
    let week_ago = at("2026-11-16T09:00:00+11:00");
    assert_eq!(warmness(Vec::new()), FieldValue::Int(0));
    // 100 · (1 − e^(−60/60))
    assert_eq!(warmness(vec![touchpoint("booking", "wix", monday())]), FieldValue::Int(63));
    // A week later only half of it counts: 100 · (1 − e^(−30/60))
    assert_eq!(warmness(vec![touchpoint("booking", "wix", week_ago)]), FieldValue::Int(39));
    let silent = vec![touchpoint("no_answer", "phone", monday()); 3];
    assert_eq!(warmness(silent), FieldValue::Int(0), "never below nothing");
    let hundred = vec![touchpoint("call_in", "phone", monday()); 100];
    assert_eq!(warmness(hundred), FieldValue::Int(100));
}

#[test]
fn the_first_marketing_touch_is_credited() {
    let touches = vec![
        touchpoint("sms_in", "sms", monday()),
        touchpoint("form", "manychat", monday()),
        touchpoint("ad_click", "facebook", at("2026-11-20T09:00:00+11:00")),
    ];
    assert_eq!(score("attribution(contact)", touches), FieldValue::Text("facebook".to_owned()));
    assert_eq!(score("attribution(contact)", Vec::new()), FieldValue::Text("google".to_owned()));
}

#[test]
fn priority_adds_up_from_type_urgency_and_warmth() {
    let priority = |call: &str| score(call, Vec::new());
    assert_eq!(priority("task_priority(\"lead_call\", contact, (), now)"), FieldValue::Int(40 + 42 / 5 + 5));
    let soon = "task_priority(\"lead_call\", contact, booking, booking.appointment_datetime - 2.hours)";
    assert_eq!(priority(soon), FieldValue::Int(40 + 20 + 42 / 5 + 5));
}
