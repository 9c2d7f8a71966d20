//! Steps that lead to others: what they come to, and under which paths.

use super::clinic::{catalogue, report, report_of, sources};
use super::host::workbench::{at, facts, monday};
use avatar::domain::rule_override::Overrides;
use avatar::domain::time::Millis;
use avatar::engine::evaluate::{Resumption, evaluate, resume};
use avatar::engine::facts::Facts;
use avatar::engine::plan::{Action, Kept, Outcome, RuleRun};
use avatar::engine::{Ruleset, compile};
use std::collections::BTreeMap;

fn ruleset(files: &[(&str, &str)]) -> Ruleset {
    let sources = sources(files);
    let compiled = compile(&sources, &catalogue());
    compiled.ruleset.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

pub fn rules(text: &str) -> Ruleset {
    ruleset(&[("rules/test.yaml", text)])
}

/// `path action`, one for each step; held back ones with the condition.
pub fn told(run: &RuleRun) -> Vec<String> {
    assert_eq!(run.outcome, Outcome::Fired, "{:?}", run.stopped_at);
    let steps = run.steps.iter().map(|step| {
        let what = match (&step.action, &step.held_back) {
            (Some(Action::Note { body }), _) => format!("note {body}"),
            (Some(Action::Stop { reason }), _) => format!("stop {}", reason.as_deref().unwrap_or("-")),
            (Some(Action::Task { title, .. }), _) => format!("task {title}"),
            (Some(Action::Emit { event, data }), _) => format!("emit {event} {data:?}"),
            (Some(Action::Alert { body, assign }), _) => format!("alert {assign}: {body}"),
            (Some(Action::Tag { tag }), _) => format!("tag {tag}"),
            (Some(Action::Untag { tag }), _) => format!("untag {tag}"),
            (Some(Action::Move { stage, .. }), _) => format!("move {stage}"),
            (Some(Action::Set { field, .. }), _) => format!("set {field}"),
            (None, Some(held)) => format!("not {}", held.text),
            (other, _) => format!("{other:?}"),
        };
        format!("{} {what}", step.path)
    });
    let waits = run.waiting.as_ref().map(|w| format!("{} waits for {:?}", w.path, w.event));
    steps.chain(waits).collect()
}

fn run(ruleset: &Ruleset, facts: &Facts) -> Vec<String> {
    told(&evaluate(ruleset, facts, monday())[0])
}

pub fn on(event: &str, rest: &str) -> String {
    format!("rules:\n  - id: r\n    when: {{ event: {event} }}\n{rest}")
}

#[test]
fn the_first_way_whose_conditions_hold_is_taken() {
    let rules = rules(&on(
        "lead_created",
        r#"    do:
      - choose:
          - if: contact.warmness > 90
            do: [ { note: hot } ]
          - if:
              - contact.warmness > 40
              - contact.source == "google"
            do:
              - note: warm
              - choose:
                  - if: contact.no_shows > 3
                    do: [ { note: never comes } ]
                  - do: [ { note: inner } ]
          - do: [ { note: cold } ]
      - note: after
"#,
    ));
    assert_eq!(
        run(&rules, &facts("lead_created")),
        [
            "do/0/choose/0 not contact.warmness > 90",
            "do/0/choose/1/do/0 note warm",
            "do/0/choose/1/do/1/choose/0 not contact.no_shows > 3",
            "do/0/choose/1/do/1/choose/1/do/0 note inner",
            "do/1 note after",
        ]
    );
}

#[test]
fn stop_ends_the_rule_and_proves_that_it_did_not() {
    let rules = rules(&on(
        "sms_received",
        r#"    do:
      - stop: Nothing is booked
        if: booking == ()
      - note: "{{booking.date}}"
      - stop
      - note: never
"#,
    ));
    let facts = facts("sms_received");
    assert_eq!(run(&rules, &facts), ["do/0 not booking == ()", "do/1 note Fri 4 Dec", "do/2 stop -"]);
    let without = Facts { booking: None, ..facts };
    assert_eq!(run(&rules, &without), ["do/0 stop Nothing is booked"]);
}

#[test]
fn each_goes_round_by_round_and_stops_after_fifty() {
    let rules = rules(&on(
        "lead_created",
        r#"    do:
      - each:
          in: =contact.bookings
          as: visit
          do: [ { note: "{{visit.date}}" } ]
      - each:
          in: =contact.touchpoints
          as: touch
          do:
            - note: "{{touch.kind}}"
              if: touch.kind == "form"
"#,
    ));
    let mut facts = facts("lead_created");
    assert_eq!(
        run(&rules, &facts),
        ["do/0/each/0/do/0 note Fri 4 Dec", "do/1/each/0/do/0 note form", "do/1/each/1/do/0 not touch.kind == \"form\"",]
    );
    let mut contact = (*facts.contact.clone().expect("a contact")).clone();
    let one = contact.touchpoints[0].clone();
    contact.touchpoints = vec![one; 60];
    facts.contact = Some(contact.into());
    let told = run(&rules, &facts);
    assert_eq!(told.len(), 52, "{told:#?}");
    assert_eq!(told[51], "do/1/each not `each` makes at most 50 rounds: 10 of 60 items were left out");
}

#[test]
fn a_rule_runs_another_with_its_conditions_and_variables() {
    let rules = rules(
        r#"rules:
  - id: first
    when: { event: booking_created }
    vars: { greeting: ="hello" }
    do:
      - run: welcome
      - run: never
      - note: "{{greeting}}"
  - id: welcome
    when: { manual: contact }
    if: contact.warmness > 10
    vars: { greeting: ="welcome" }
    do:
      - note: "{{greeting}} {{contact.first_name}}"
      - stop
      - note: not here
  - id: never
    when: { manual: contact }
    if: contact.warmness > 99
    do: [ { note: no } ]
"#,
    );
    assert_eq!(
        run(&rules, &facts("booking_created")),
        ["do/0/run/do/0 note welcome Ana", "do/0/run/do/1 stop -", "do/1/run not contact.warmness > 99", "do/2 note hello",]
    );
}

const PLAN: &str = r#"/// followups(contact: contact, now: time) -> [step]
/// What to do with a lead.
fn followups(contact, now) {
    let steps = [#{ note: `Score ${contact.warmness}` }];
    if contact.warmness > 40 {
        steps += #{ task: #{ type: "lead_call", title: "Call", due: now + 1.hours, priority: 80 } };
        steps += #{ set: #{ "contact.warmness": 50, "contact.interest": "MRI" } };
        steps += #{ tag: "hot" };
    }
    steps
}

/// wrong(what: string, now: time) -> [step]
/// Mistakes.
fn wrong(what, now) {
    switch what {
        "template" => [#{ sms: "nothing" }],
        "key" => [#{ nte: "x" }],
        "two" => [#{ note: "x", tag: "y" }],
        "type" => [#{ note: "fine" }, #{ task: #{ type: "lead_cal", title: "x", due: now } }],
        "due" => [#{ task: #{ type: "lead_call", title: "x", due: 5 } }],
        "stage" => [#{ move: #{ pipeline: "lead", stage: "nowhere" } }],
        "field" => [#{ set: #{ "contact.warmness": "high" } }],
        "name" => [#{ emit: "booking_created" }],
        _ => [5]
    }
}
"#;

#[test]
fn a_script_plans_steps_that_are_held_to_the_rules_of_steps() {
    let rule = on("lead_created", "    do:\n      - plan: =followups(contact, now)\n");
    let plain = ruleset(&[("rules/scripts/plan.rhai", PLAN), ("rules/test.yaml", &rule)]);
    assert_eq!(
        run(&plain, &facts("lead_created")),
        [
            "do/0/plan/0 note Score 42",
            "do/0/plan/1 task Call",
            "do/0/plan/2/contact.interest set contact.interest",
            "do/0/plan/2/contact.warmness set contact.warmness",
            "do/0/plan/3 tag hot",
        ]
    );
    for (what, said) in [
        ("template", "there is no template `nothing`"),
        ("key", "a script cannot plan `nte`; did you mean `note`?"),
        ("two", "a step has exactly one of"),
        ("type", "there is no task type `lead_cal`"),
        ("due", "a task needs `due`, a time"),
        ("stage", "there is no stage `nowhere` in a pipeline `lead`"),
        ("field", "`contact.warmness` cannot hold this value"),
        ("name", "`booking_created` is not a name for an event of a rule"),
        ("", "a step is a map"),
    ] {
        let rule = on("lead_created", &format!("    do:\n      - plan: =wrong(\"{what}\", now)\n"));
        let wrong = ruleset(&[("rules/scripts/plan.rhai", PLAN), ("rules/test.yaml", &rule)]);
        let run = &evaluate(&wrong, &facts("lead_created"), monday())[0];
        assert_eq!(run.outcome, Outcome::Failed);
        let stopped = run.stopped_at.as_ref().expect("a reason");
        assert!(stopped.text.contains(said), "{what}: {}", stopped.text);
        assert!(stopped.path.starts_with("do/0/plan"), "{}", stopped.path);
        assert!(run.steps.is_empty(), "nothing of a failed plan is done");
    }
}

#[test]
fn what_a_script_plans_must_be_steps() {
    let rule = on("lead_created", "    do:\n      - plan: =warmness(contact, now)\n");
    assert_eq!(report(&rule), "5:16[22] R0311 `plan` is a list of steps, and this is a whole number");
}

#[test]
fn alerts_tags_and_events() {
    let rules = rules(
        r#"rules:
  - id: r
    owner: reception
    when: { event: lead_created }
    do:
      - alert: "Look at {{contact.first_name}}"
      - tag: vip
        if: not ("vip" in contact.tags)
      - untag: cold
      - emit: lead_lost
      - emit: { event: lead_scored, data: { score: "{{contact.warmness}}" } }
  - id: s
    when: { event: lead_scored }
    do: [ { note: "{{contact.first_name}}: {{event.data.score}}" } ]
"#,
    );
    assert_eq!(
        run(&rules, &facts("lead_created")),
        [
            "do/0 alert reception: Look at Ana",
            "do/1 tag vip",
            "do/2 untag cold",
            "do/3 emit lead_lost {}",
            "do/4 emit lead_scored {\"score\": \"42\"}",
        ]
    );
}

/// A run goes on where it waited, inside of a `choose` too, with its variables.
#[test]
fn a_wait_keeps_the_place_and_the_variables() {
    let rules = rules(&on(
        "booking_created",
        r#"    vars: { score: =contact.warmness, since: =now, gap: =2.hours }
    do:
      - choose:
          - if: score > 40
            do:
              - note: "before {{score}}"
              - wait: { event: sms_received, for: 2d }
              - note: "{{waited}} {{score}} {{since.date}} {{now.date}}"
          - do: [ { note: cold } ]
      - wait: { until: =booking.appointment_datetime - gap }
      - note: "end {{score}} {{waited}}"
"#,
    ));
    let facts = facts("booking_created");
    let first = &evaluate(&rules, &facts, monday())[0];
    assert_eq!(told(first), ["do/0/choose/0/do/0 note before 42", "do/0/choose/0/do/1 waits for Some(\"sms_received\")"]);
    let waiting = first.waiting.clone().expect("a wait");
    assert_eq!(waiting.until, monday() + Millis::days(2));
    assert_eq!(waiting.vars["score"], Kept::Int(42));
    let later = at("2026-11-24T12:00:00+11:00");
    let at_wait = Resumption {
        rule_id: "r",
        position: &waiting.path,
        vars: &waiting.vars,
        waited: "event",
        trigger: "booking_created",
        first_run_id: "run-1",
    };
    let second = resume(&rules, &Overrides::default(), &facts, later, &at_wait).expect("a rule");
    assert_eq!(told(&second), ["do/0/choose/0/do/2 note event 42 2026-11-23 2026-11-24", "do/1 waits for None"]);
    assert_eq!(second.resumes.as_deref(), Some("run-1"));
    let waiting = second.waiting.clone().expect("another wait");
    assert_eq!(waiting.until, at("2026-12-04T08:30:00+11:00"));
    let at_wait = Resumption { position: &waiting.path, vars: &waiting.vars, waited: "time", ..at_wait };
    let third = resume(&rules, &Overrides::default(), &facts, waiting.until, &at_wait).expect("a rule");
    assert_eq!(told(&third), ["do/2 note end 42 time"]);
    let gone = Resumption { position: "do/7", ..at_wait };
    assert_eq!(resume(&rules, &Overrides::default(), &facts, later, &gone).expect("a rule").steps, []);
    let gone = BTreeMap::new();
    assert!(resume(&rules, &Overrides::default(), &facts, later, &Resumption { rule_id: "x", vars: &gone, ..at_wait }).is_none());
}

#[test]
fn old_traces_are_still_read() {
    let text = r#"{"rule_id":"r","file":"rules/a.yaml","line":3,"outcome":"fired","steps":[{"path":"do/0","line":4,"action":{"action":"note","body":"x"}}],"ops":3}"#;
    let run: RuleRun = serde_json::from_str(text).expect("a trace of before");
    assert_eq!((run.waiting, run.resumes, run.trigger.as_str()), (None, None, ""));
}

#[test]
fn the_trigger_is_known_by_its_name() {
    let rules = rules(
        r#"rules:
  - id: r
    when:
      - { event: lead_created }
      - { event: sms_received, as: answer }
      - { webhook: website_form, as: form }
    do:
      - note: "{{trigger}}"
"#,
    );
    assert_eq!(run(&rules, &facts("lead_created")), ["do/0 note lead_created"]);
    assert_eq!(run(&rules, &facts("sms_received")), ["do/0 note answer"]);
    let mut form = facts("anything");
    form.event.source = "website_form".to_owned();
    assert_eq!(run(&rules, &form), ["do/0 note form"]);
    assert!(evaluate(&rules, &facts("anything"), monday()).is_empty());
}

fn said(step: &str) -> String {
    report(&on("lead_created", &format!("    do:\n      - {step}\n")))
}

#[test]
fn mistakes_in_steps_are_told_at_their_place() {
    let mut told = String::new();
    for step in [
        "stop: false",
        "choose: []",
        "choose: [ { do: [ { note: a } ] }, { if: contact.opted_out, do: [ { note: b } ] } ]",
        "emit: booking_created",
        "emit: form_sent",
        "emit: Lead-Lost",
        "emit: { event: lead_lost, dat: {} }",
        "tag: VIP",
        "each: { in: =contact.warmness, as: x, do: [ { note: a } ] }",
        "each: { in: =contact.bookings, as: booking, do: [ { note: a } ] }",
        "each: { in: contact.bookings, as: x, do: [ { note: a } ] }",
        "each: { in: =contact.bookings, as: x, do: [ { wait: 2h } ] }",
        "close_tasks: { type: any, of: contacts }",
        "close_tasks: { type: any, of: booking }",
        "run: nothing",
        "run: r",
        "wait: 2",
        "wait: 400d",
        "wait: 0m",
        "wait: { event: lead_created }",
        "wait: { event: lead_creatd, for: 2h }",
        "wait: { until: =2.hours }",
        "wait: {}",
        "plan: followups(contact)",
        "alert: \"{{contact.frst_name}}\"",
    ] {
        told.push_str(&format!("{step}\n  {}\n", said(step).replace('\n', "\n  ")));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn mistakes_in_triggers_are_told_at_their_place() {
    let mut told = String::new();
    for trigger in [
        "{ holds: contact.warmness > 50 }",
        "{ holds: contact.opted_out, for: 0m }",
        "{ holds: now > contact.created_at, for: 4h }",
        "{ holds: clinic.is_open, for: 4h }",
        "{ holds: event.source == \"wix\", for: 4h }",
        "{ holds: contact.warmnes > 50, for: 4h }",
        "{ holds: contact.opted_out, for: 4h, hours: office }",
        "{ manual: clinic }",
        "{ webhook: website_from }",
        "{ event: lead_created, as: Lead Created }",
    ] {
        let text = format!("rules:\n  - id: r\n    when: {trigger}\n    do: [ {{ note: x }} ]\n");
        told.push_str(&format!("{trigger}\n  {}\n", report(&text).replace('\n', "\n  ")));
    }
    insta::assert_snapshot!(told);
}

#[test]
fn rules_that_run_one_another_need_an_end_and_their_records() {
    let circle = r"rules:
  - id: a
    when: { manual: contact }
    do: [ { run: b } ]
  - id: b
    when: { manual: contact }
    do: [ { run: c } ]
  - id: c
    when: { manual: contact }
    do: [ { run: a } ]
  - id: d
    when: { event: lead_created }
    do: [ { run: e }, { run: w } ]
  - id: e
    when: { event: booking_created }
    do: [ { note: x } ]
  - id: f
    when: { event: sms_received }
    do:
      - run: e
      - run: e
        if: booking != ()
  - id: w
    when: { manual: contact }
    vars: { next: =contact.next_booking }
    if_running: later
    do: [ { wait: 2h } ]
";
    insta::assert_snapshot!(report(circle));
}

/// Whoever listens to an event of rules finds what all of its senders have, also over several of them.
#[test]
fn an_event_of_rules_brings_what_its_senders_have() {
    let text = |also: &str| {
        format!(
            r#"rules:
  - id: a
    when: {{ event: booking_created }}
    do: [ {{ emit: first_sent }} ]
  - id: b
    when: {{ event: first_sent }}
    do: [ {{ emit: second_sent }}, {{ note: "{{{{booking.date}}}}" }} ]
  - id: c
    when: {{ event: second_sent }}
    do: [ {{ note: "{{{{booking.date}}}} {{{{contact.first_name}}}}" }} ]
{also}"#
        )
    };
    assert_eq!(report(&text("")), "");
    let lead = "  - id: d\n    when: { event: lead_created }\n    do: [ { emit: first_sent } ]\n";
    let told = report_of(&[("rules/test.yaml", &text(lead))]);
    assert!(told.contains("7:45[7] R0302 there is no `booking` here"), "{told}");
    assert!(told.contains("10:22[7] R0302 there is no `booking` here"), "{told}");
}
