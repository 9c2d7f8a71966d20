//! Rules are tried out before they are in force: with everything there, everything missing, each word.

use super::clinic::{catalogue, shipped_catalogue, sources};
use super::compiles::clinic_files;
use super::host::workbench::on_script_thread;
use avatar::engine::schema::{RECORDS, Type};
use avatar::engine::script::View;
use avatar::engine::smoke::{Variant, smoke, variants};
use avatar::engine::{Diagnostic, compile};
use std::collections::BTreeSet;

/// Records of a set, as rules read them.
fn view(variant: &Variant) -> View {
    View::of_facts(&catalogue().clinic, &variant.facts, variant.now)
}

fn read(variant: &Variant, path: &str) -> String {
    let value = view(variant).read(path).unwrap_or_else(|| panic!("{path} can be read"));
    if value.is_unit() { "missing".to_owned() } else { value.to_string() }
}

#[test]
fn every_optional_field_is_there_once_and_missing_once_and_every_word_is_tried() {
    let all = variants(&shipped_catalogue());
    for record in RECORDS.iter().filter(|r| !matches!(r.name, "touchpoint" | "clinic")) {
        for field in record.fields {
            let path = format!("{}.{}", record.name, field.name);
            let seen: BTreeSet<String> = all.iter().map(|v| read(v, &path)).collect();
            if field.optional {
                assert!(seen.contains("missing") && seen.len() > 1, "{path}: {seen:?}");
            }
            if let Type::Enum(words) = field.ty {
                let lacking: Vec<&&str> = words.iter().filter(|w| !seen.contains(**w)).collect();
                assert!(lacking.is_empty(), "{path} is never {lacking:?}");
            }
        }
    }
    let stages: usize = shipped_catalogue().pipelines.pipelines.iter().map(|p| p.stages.len()).sum();
    let seen: BTreeSet<(String, String)> =
        all.iter().map(|v| (read(v, "contact.current_pipeline"), read(v, "contact.current_stage"))).collect();
    assert!(seen.len() > stages, "{} of {stages}", seen.len());
}

/// What comes of trying the rules out.
fn tried(text: &str, script: &str) -> Vec<Diagnostic> {
    let all = sources(&[("rules/test.yaml", text), ("rules/scripts/test.rhai", script)]);
    let compiled = compile(&all, &catalogue());
    let ruleset = compiled.ruleset.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics));
    on_script_thread(move || smoke(&ruleset))
}

#[test]
fn rules_that_check_clean_and_work_say_nothing() {
    let ruleset = compile(&sources(&clinic_files()), &catalogue()).ruleset.expect("it compiles");
    assert_eq!(on_script_thread(move || smoke(&ruleset)), Vec::new());
}

#[test]
fn what_fails_for_some_records_only_is_found_at_its_place() {
    let share = "/// share(no_shows: int) -> int\nfn share(no_shows) { 100 / no_shows }\n";
    let rule = |rest: &str| format!("rules:\n  - id: r\n    when: {{ event: booking_created }}\n{rest}");
    let found = tried(&rule("    if: share(contact.no_shows) > 10\n    do: [ { note: x } ]\n"), share);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((found[0].code.as_str(), found[0].line, found[0].column), ("R0501", 4, 9));
    assert!(found[0].message.contains("Division by zero"), "{}", found[0].message);
    let hidden = "    if: booking.urgency_level == \"urgent\"\n    do:\n      - set: { contact.warmness: =share(contact.no_shows) }\n        if: contact.is_existing_patient\n";
    let found = tried(&rule(hidden), share);
    assert_eq!(found.len(), 1, "behind conditions that are false for these records: {found:?}");
    assert_eq!(found[0].line, 6);
    let guarded = "    if: contact.no_shows > 0\n    do: [ { note: x } ]\n";
    assert_eq!(tried(&rule(guarded), share), Vec::new());
}

#[test]
fn guards_are_respected() {
    let text = "rules:\n  - id: r\n    when: { event: sms_received }\n    if:\n      - booking != ()\n      - booking.status == \"scheduled\"\n    do:\n      - note: \"{{booking.date}}\"\n      - note: \"{{contact.next_booking.date}}\"\n        if: contact.next_booking != ()\n";
    assert_eq!(tried(text, ""), Vec::new());
}

/// A division by zero in the middle of a rule for `booking_created`; where it was found.
fn found_in(steps: &str) -> Vec<usize> {
    let share = "/// share(no_shows: int) -> int\nfn share(no_shows) { 100 / no_shows }\n";
    let rules = format!("rules:\n  - id: r\n    when: {{ event: booking_created }}\n    do:\n{steps}");
    tried(&rules, share).iter().map(|d| d.line).collect()
}

const FAILING: &str = "set: { contact.warmness: =share(contact.no_shows) }";

#[test]
fn every_way_of_choose_is_tried() {
    let ways = |first: &str, second: &str, third: &str| {
        format!(
            "      - choose:\n          - if: booking.urgency_level == \"urgent\" and contact.interest == \"MRI\"\n            do: [ {{ {first} }} ]\n          - if: contact.warmness > 90\n            do: [ {{ {second} }} ]\n          - do: [ {{ {third} }} ]\n"
        )
    };
    assert_eq!(found_in(&ways(FAILING, "note: b", "note: c")), [7]);
    assert_eq!(found_in(&ways("note: a", FAILING, "note: c")), [9]);
    assert_eq!(found_in(&ways("note: a", "note: b", FAILING)), [10]);
    assert_eq!(found_in(&ways("note: a", "note: b", "note: c")), [0usize; 0]);
}

#[test]
fn a_condition_of_choose_is_tried_although_an_earlier_way_was_taken() {
    let steps = "      - choose:\n          - if: contact.no_shows == 0\n            do: [ { note: a } ]\n          - if: share(contact.no_shows) > 3\n            do: [ { note: b } ]\n";
    assert_eq!(found_in(steps), [8]);
}

#[test]
fn what_comes_after_a_stop_or_a_wait_is_tried() {
    let after = |step: &str| found_in(&format!("      - {step}\n      - {FAILING}\n"));
    assert_eq!(after("stop: enough\n        if: contact.is_existing_patient"), [7]);
    assert_eq!(after("wait: 2h"), [6]);
    assert_eq!(after("wait: { until: =booking.appointment_datetime }"), [6]);
    let waited =
        format!("      - wait: {{ event: booking_confirmed, for: 7d }}\n      - {FAILING}\n        if: waited == \"event\"\n");
    assert_eq!(found_in(&waited), [6]);
    assert_eq!(
        found_in(&format!(
            "      - each: {{ in: =contact.bookings, as: b, do: [ {{ {FAILING}, if: b.urgency_level == \"urgent\" }} ] }}\n"
        )),
        [5]
    );
}

#[test]
fn each_way_of_choose_knows_what_the_ways_before_it_have_made_certain() {
    let text = "rules:\n  - id: r\n    when: { event: sms_received }\n    do:\n      - choose:\n          - if: booking == ()\n            do: [ { note: nobody } ]\n          - if: contact.next_booking == ()\n            do: [ { note: \"{{booking.date}}\" } ]\n          - do: [ { note: \"{{booking.date}} {{contact.next_booking.date}}\" } ]\n      - stop: none\n        if: contact.interest == ()\n      - note: \"{{contact.interest}}\"\n";
    assert_eq!(tried(text, ""), Vec::new());
}

#[test]
fn a_rule_that_runs_another_is_tried() {
    let text = "rules:\n  - id: a\n    when: { event: booking_created }\n    do: [ { run: b } ]\n  - id: b\n    when: { event: booking_confirmed }\n    if: contact.warmness > 90\n    do: [ { note: \"{{booking.date}}\" } ]\n";
    assert_eq!(tried(text, ""), Vec::new());
}

#[test]
fn data_of_an_event_is_there_when_a_rule_reads_it() {
    let text = "rules:\n  - id: a\n    when: { event: booking_created }\n    do: [ { emit: { event: told, data: { page: x } } } ]\n  - id: b\n    when: { event: told }\n    if: event.data.page == \"x\"\n    do: [ { set: { contact.warmness: \"=100 / (contact.no_shows * 0)\" } } ]\n";
    assert_eq!(tried(text, "").iter().map(|d| d.line).collect::<Vec<_>>(), [8]);
}
