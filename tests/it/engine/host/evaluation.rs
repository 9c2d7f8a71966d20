//! From rules and facts to runs: what fired, what did not and why.

use super::workbench::*;
use avatar::domain::event::SubjectKind;
use avatar::domain::time::Millis;
use avatar::engine::evaluate::evaluate;
use avatar::engine::facts::FiredBefore;
use avatar::engine::plan::{Action, FieldValue, Outcome, SeenValue, StopReason};
use avatar::engine::ruleset::{Limit, StepAction, Trigger, Value};
use rhai::OptimizationLevel;
use std::sync::Arc;

pub const SCRIPTS: &str = r#"
fn warmness(contact, now) {
    let score = switch contact.source { "referral" => 30, "google" => 20, _ => 5 };
    for t in contact.touchpoints {
        let age = now - t.at;
        if age > 90.days { continue; }
        let weight = if age < 2.days { 3 } else { 1 };
        score += switch t.kind { "form" => 6 * weight, "ad_click" => 2 * weight, _ => 1 };
    }
    if contact.opted_out { score = 0; }
    clamp(score, 0, 100)
}
fn task_priority(kind, contact, booking) {
    let base = if kind == "welcome_call" { 50 } else { 40 };
    if booking != () && booking.urgency_level != "routine" { base += 25; }
    if contact.warmness >= 70 { base += 15; }
    clamp(base, 0, 100)
}
fn fails(contact) {
    let x = 1;
    contact.nickname
}
"#;

pub fn new_booking() -> avatar::engine::ruleset::Rule {
    rule("booking-created", on("booking_created"))
        .var("score", "warmness(contact, now)")
        .step(StepAction::Move { pipeline: "pre_appointment".to_owned(), stage: "booking_confirmed".to_owned() })
        .step(StepAction::Sms { template: "booking_confirmation".to_owned() })
        .step(StepAction::Set(vec![("contact.warmness".to_owned(), value("score"))]))
        .step_if(
            "not contact.is_existing_patient",
            task(
                "welcome_call",
                "Welcome call: {{contact.first_name}} ({{booking.service_name}})",
                "end_of_day(now)",
                "task_priority(\"welcome_call\", contact, booking)",
            ),
        )
}

pub fn confirmation() -> avatar::engine::ruleset::Template {
    template(
        "booking_confirmation",
        "Hi {{contact.first_name}}, you’re booked at {{clinic.name}} on {{booking.date}} at {{booking.time}}{{#if booking.location}}, {{booking.location}}{{/if}}. Questions? {{clinic.phone}}\n",
    )
}

#[test]
fn a_new_booking_is_confirmed_scored_and_followed_by_a_call() {
    let rules = ruleset_with(vec![new_booking()], &[confirmation()], SCRIPTS);
    let runs = evaluate(&rules, &facts("booking_created"), monday());
    assert_eq!(runs.len(), 1);
    assert_eq!(runs[0].outcome, Outcome::Fired, "{:?}", runs[0].stopped_at);
    let actions: Vec<(&str, &Action)> =
        runs[0].steps.iter().map(|step| (step.path.as_str(), step.action.as_ref().expect("an action"))).collect();
    insta::assert_yaml_snapshot!(actions);
}

#[test]
fn the_first_false_line_stops_and_tells_what_it_saw() {
    let run = run_one(rule("urgent", on("booking_created")).when_true(&[
        "contact.opted_out == false",
        "booking.urgency_level == \"urgent\" and booking.appointment_datetime < now + 2.days and contact.last_visit_at == ()",
        "unknown_function()",
    ]));
    assert_eq!(run.outcome, Outcome::Skipped);
    let stop = run.stopped_at.expect("a reason");
    assert_eq!((stop.reason, stop.path.as_str(), stop.line, stop.column), (StopReason::If, "if/1", 10, 5));
    let seen = |path: &str, value: &str| SeenValue { path: path.to_owned(), value: value.to_owned() };
    assert_eq!(
        stop.values,
        [
            seen("booking.urgency_level", "routine"),
            seen("booking.appointment_datetime", "2026-12-04 10:30"),
            seen("now", "2026-11-23 09:00"),
            seen("contact.last_visit_at", "missing"),
        ]
    );
    assert!(run.steps.is_empty());
}

#[test]
fn a_failing_rule_leaves_the_others_alone() {
    let broken =
        rule("broken", on("booking_created")).step(note("before")).step(task("lead_call", "Call", "now", "fails(contact)"));
    let fine = rule("fine", on("booking_created")).step(note("Hello {{contact.first_name}}"));
    let runs = evaluate(&ruleset_with(vec![broken, fine], &[], SCRIPTS), &facts("booking_created"), monday());
    assert_eq!((runs[0].outcome, runs[1].outcome), (Outcome::Failed, Outcome::Fired));
    assert!(runs[0].steps.is_empty(), "no partial plan");
    let stop = runs[0].stopped_at.as_ref().expect("a reason");
    assert_eq!((stop.reason, stop.path.as_str(), stop.file.as_str()), (StopReason::Error, "do/1/priority", FILE));
    assert!(stop.text.starts_with("in fails (rules/scripts/test.rhai:21): "), "{}", stop.text);
    assert_eq!(runs[1].steps[0].action, Some(Action::Note { body: "Hello Ana".to_owned() }));
}

#[test]
fn an_error_in_a_function_names_the_file_it_stands_in() {
    let mut all = functions("fn first() { 1 }").expect("a script");
    let mut second =
        functions("\nfn second(contact) { helper(contact) }\nfn helper(contact) { contact.nickname }").expect("a script");
    second.set_source("rules/scripts/second.rhai");
    all.combine(second);
    let file = |name: &str, file: &str| (name.to_owned(), Arc::from(file));
    let files = [
        file("first", "rules/scripts/first.rhai"),
        file("second", "rules/scripts/second.rhai"),
        file("helper", "rules/scripts/second.rhai"),
    ];
    let broken = rule("broken", on("booking_created")).when_true(&["second(contact) == first()"]);
    let rules = ruleset_of(vec![broken], &[], all).with_function_files(files.into());
    let stop = evaluate(&rules, &facts("booking_created"), monday()).remove(0).stopped_at.expect("a reason");
    assert!(
        stop.text
            .starts_with("in second (rules/scripts/second.rhai:2): in helper (rules/scripts/second.rhai:3): Unknown property"),
        "{}",
        stop.text
    );
}

#[test]
fn unhandled_rules_run_only_when_no_other_fired() {
    let fallback = || {
        let mut last = rule("for-a-person", Trigger::Event { names: vec!["sms_received".to_owned()], unhandled: true });
        last = last.step(task(
            "sms_reply_review",
            "Reply to {{contact.first_name}}: {{message.body}}",
            "now.plus_business(1.hours)",
            "60",
        ));
        last
    };
    let yes = || rule("reply-yes", on("sms_received")).when_true(&["message.intent == \"yes\""]).step(note("confirmed"));
    // The fallback stands first in the file and is looked at last all the same.
    let rules = ruleset(vec![fallback(), yes()]);
    let runs = evaluate(&rules, &message("Yes!", "yes"), monday());
    let outcome = |index: usize| (runs[index].rule_id.as_str(), runs[index].outcome);
    assert_eq!((outcome(0), outcome(1)), (("reply-yes", Outcome::Fired), ("for-a-person", Outcome::Skipped)));
    assert_eq!(runs[1].stopped_at.as_ref().map(|stop| stop.reason), Some(StopReason::Unhandled));

    let runs = evaluate(&rules, &message("Is parking free?", "other"), monday());
    assert_eq!((runs[0].outcome, runs[1].outcome), (Outcome::Skipped, Outcome::Fired));
    let Some(Action::Task { title, .. }) = &runs[1].steps[0].action else { panic!("a task") };
    assert_eq!(title, "Reply to Ana: Is parking free?");
}

#[test]
fn an_essay_of_many_lines_makes_one_short_title() {
    let review = rule("review", on("sms_received"))
        .when_true(&["message.body.starts_with(\"Dear\") and message.body.len() > 1000"])
        .step(task("sms_reply_review", "Reply to {{contact.first_name}}: {{message.body}}", "now", "60"));
    let essay = format!("Dear clinic,\n\n  I write to you é{}", "é and so on ".repeat(3_000));
    let run = evaluate(&ruleset(vec![review]), &message(&essay, "other"), monday()).remove(0);
    assert_eq!(run.outcome, Outcome::Fired, "{:?}", run.stopped_at);
    let Some(Action::Task { title, .. }) = &run.steps[0].action else { panic!("a task") };
    assert!(title.starts_with("Reply to Ana: Dear clinic, I write to you é") && title.ends_with('…'), "{title}");
    assert_eq!(title.chars().count(), 200);
}

#[test]
fn a_limit_counts_what_fired_for_the_same_contact() {
    let mut limited = rule("lead", on("booking_created")).step(note("hello"));
    limited.limit = Some(Limit { max: 1, within: Millis::days(7), per: SubjectKind::Contact });
    let rules = ruleset(vec![limited]);
    let fired = |contact: &str, at| {
        Arc::new(FiredBefore { rule_id: "lead".to_owned(), contact_id: Some(contact.to_owned()), booking_id: None, at })
    };
    let mut facts = facts("booking_created");
    facts.fired = vec![fired("c2", monday()), fired("c1", at("2026-11-16T09:00:00+11:00"))];
    assert_eq!(evaluate(&rules, &facts, monday())[0].outcome, Outcome::Fired, "another contact, and exactly a week ago");
    facts.fired.push(fired("c1", at("2026-11-16T09:00:01+11:00")));
    let run = evaluate(&rules, &facts, monday()).remove(0);
    let stop = run.stopped_at.expect("a reason");
    assert_eq!(
        (stop.reason, stop.path.as_str(), stop.text.as_str()),
        (StopReason::Limited, "limit", "at most 1 per contact in 7d")
    );
    assert_eq!(stop.values[0].value, "1");
}

#[test]
fn disabled_and_dead_rules_say_so() {
    let mut off = rule("off", on("booking_created")).step(note("never"));
    off.enabled = false;
    let run = run_one(off);
    assert_eq!(run.stopped_at.map(|stop| (stop.reason, stop.path)), Some((StopReason::Disabled, "enabled".to_owned())));
    let run = run_one(rule("dead", on("booking_created")).alive_while("booking.status == \"cancelled\""));
    assert_eq!(run.stopped_at.map(|stop| (stop.reason, stop.path)), Some((StopReason::While, "while/0".to_owned())));
}

#[test]
fn a_timer_runs_its_own_rule_and_only_in_time() {
    let late = Millis::hours(4);
    let remind = || rule("reminder-48h", before_appointment(Millis::hours(48), late)).step(note("remind"));
    let rules =
        ruleset(vec![remind(), rule("other", before_appointment(Millis::hours(24), late)), rule("event", on("timer_due"))]);
    let due = at("2026-12-02T10:30:00+11:00");
    let mut facts = facts("timer_due");
    facts.timer = Some(timer_for("reminder-48h", Millis::hours(48), due));
    let runs = evaluate(&rules, &facts, due);
    assert_eq!(runs.len(), 1);
    assert_eq!((runs[0].rule_id.as_str(), runs[0].outcome), ("reminder-48h", Outcome::Fired));
    let run = evaluate(&rules, &facts, due + late + Millis(1)).remove(0);
    assert_eq!(run.stopped_at.map(|stop| stop.reason), Some(StopReason::Late));
    facts.timer = Some(timer_for("gone", Millis::hours(48), due));
    assert!(evaluate(&rules, &facts, due).is_empty());
}

#[test]
fn steps_keep_their_own_conditions_values_and_bounds() {
    let run = run_one(
        rule("values", on("booking_created"))
            .step_if("contact.is_existing_patient", note("held back"))
            .step(task("lead_call", "Call {{contact.first_name}} on {{booking.appointment_datetime}}", "now + 30.minutes", "250"))
            .step(StepAction::Set(vec![
                ("contact.recall_due_on".to_owned(), value("now.plus_days(365)")),
                ("contact.interest".to_owned(), Value::Nothing),
                ("contact.is_existing_patient".to_owned(), Value::Bool(true)),
            ]))
            .step(StepAction::CancelSms { template: None }),
    );
    assert_eq!(run.outcome, Outcome::Fired, "{:?}", run.stopped_at);
    let held = run.steps[0].held_back.as_ref().expect("held back");
    assert_eq!((held.path.as_str(), held.reason, run.steps[0].action.is_none()), ("do/0/if/0", StopReason::If, true));
    let Some(Action::Task { title, priority, due, .. }) = &run.steps[1].action else { panic!("a task") };
    assert_eq!((title.as_str(), *priority, *due), ("Call Ana on Fri 4 Dec 10:30 am", 100, monday() + Millis::minutes(30)));
    let set: Vec<&str> = run.steps[2..5].iter().map(|step| step.path.as_str()).collect();
    assert_eq!(set, ["do/2/contact.recall_due_on", "do/2/contact.interest", "do/2/contact.is_existing_patient"]);
    let Some(Action::Set { value, .. }) = &run.steps[2].action else { panic!("a set") };
    assert_eq!(*value, FieldValue::Time { time: at("2027-11-23T09:00:00+11:00") });
}

#[test]
fn a_condition_or_value_of_the_wrong_type_fails_the_rule() {
    for broken in [
        rule("number", on("booking_created")).when_true(&["contact.warmness"]),
        rule("due", on("booking_created")).step(task("lead_call", "Call", "\"tomorrow\"", "50")),
        rule("priority", on("booking_created")).step(task("lead_call", "Call", "now", "now")),
        rule("title", on("booking_created")).step(task("lead_call", "Call {{contact}}", "now", "50")),
        rule("set", on("booking_created")).step(StepAction::Set(vec![("contact.interest".to_owned(), value("contact"))])),
        rule("sms", on("booking_created")).step(StepAction::Sms { template: "no_such_template".to_owned() }),
    ] {
        let id = broken.id.clone();
        let run = run_one(broken);
        assert_eq!(run.outcome, Outcome::Failed, "{id}");
        assert_eq!(run.stopped_at.map(|stop| stop.reason), Some(StopReason::Error), "{id}");
    }
}

fn shipped_like() -> avatar::engine::ruleset::Ruleset {
    let others = [
        rule("urgent", on("booking_created")).when_true(&["booking.urgency_level == \"urgent\"", "not booking.has_referral"]),
        rule("fails", on("booking_created")).step(note("{{fails(contact)}}")),
    ];
    ruleset_with(std::iter::once(new_booking()).chain(others).collect(), &[confirmation()], SCRIPTS)
}

#[test]
fn the_same_input_gives_the_same_bytes_on_every_thread() {
    let serialise = || {
        let runs = evaluate(&shipped_like(), &facts("booking_created"), monday());
        serde_json::to_string(&runs).expect("runs are JSON")
    };
    let first = serialise();
    assert!(first.contains("\"ops\":"));
    assert_eq!(first, serialise());
    assert_eq!(first, on_script_thread(serialise));

    let shared = Arc::new(shipped_like());
    let on_one = Arc::clone(&shared);
    let elsewhere = on_script_thread(move || evaluate(&on_one, &facts("booking_created"), monday()));
    assert_eq!(evaluate(&shared, &facts("booking_created"), monday()), elsewhere);
}

#[test]
fn the_optimiser_of_the_script_engine_changes_no_answer() {
    let conditions = [
        "contact.warmness >= 40 and not contact.opted_out and booking.status in [\"scheduled\", \"confirmed\"] and now.hour < 20",
        "warmness(contact, now) == 40",
        "if 1 + 1 == 2 { booking.urgency_level == \"routine\" } else { false }",
        "booking.appointment_datetime - 48.hours > now or false",
    ];
    for condition in conditions {
        let answer = |level| {
            let line = expr_at(condition, level).expect("an expression");
            let functions = engine(level).compile(SCRIPTS).expect("scripts");
            let mut golden = rule("golden", on("booking_created"));
            golden.if_ = vec![line];
            let run = evaluate(&ruleset_of(vec![golden], &[], functions), &facts("booking_created"), monday()).remove(0);
            (run.outcome, run.stopped_at.map(|stop| stop.text))
        };
        assert_eq!(answer(OptimizationLevel::None), answer(OptimizationLevel::Simple), "{condition}");
        assert_eq!(answer(OptimizationLevel::None), (Outcome::Fired, None), "{condition}");
    }
}
