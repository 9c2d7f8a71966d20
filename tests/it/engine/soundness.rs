//! What is said to be impossible is impossible: whatever conditions are put together, a rule that is called dead is true of none of
//! the records that rules are tried out with.

use super::clinic::{catalogue, sources};
use super::host::workbench::on_script_thread;
use avatar::engine::script::View;
use avatar::engine::smoke::variants;
use avatar::engine::{Ruleset, compile};
use proptest::prelude::*;
use proptest::sample::select;

/// Conditions that are true of some of the records.
const ATOMS: &[&str] = &[
    "booking.status == \"scheduled\"",
    "booking.status != \"scheduled\"",
    "booking.status in [\"scheduled\", \"confirmed\"]",
    "booking.status !in [\"cancelled\", \"no_show\"]",
    "booking.urgency_level == \"urgent\"",
    "booking.urgency_level != \"routine\"",
    "booking.urgency_level != \"soon\"",
    "contact.opted_out",
    "not contact.opted_out",
    "contact.is_existing_patient",
    "contact.is_existing_patient == false",
    "contact.warmness > 40",
    "contact.warmness <= 40",
    "40 < contact.warmness",
    "contact.warmness == 100",
    "contact.no_shows >= 5",
    "contact.no_shows != 0",
    "contact.last_visit_at == ()",
    "contact.last_visit_at != ()",
    "contact.last_visit_at != () and contact.last_visit_at > now - 90.days",
    "contact.last_visit_at != () and contact.last_visit_at <= now - 100.days",
    "booking.appointment_datetime > now + 2.days",
    "booking.appointment_datetime < now",
    "now - 1.day > booking.created_at",
    "booking.created_at < booking.appointment_datetime",
    "booking.appointment_datetime - 1.day < booking.created_at",
    "contact.current_stage == \"new_lead\"",
    "contact.current_stage in [\"contacted\", \"reminded\"]",
    "contact.current_pipeline == \"lead\"",
    "contact.current_pipeline != \"lead\"",
    "contact.phone_status == \"valid\"",
    "contact.source == \"google\"",
    "contact.first_source == \"facebook\"",
    "contact.next_booking?.status == \"scheduled\"",
    "contact.next_booking?.status != \"scheduled\"",
    "event.actor in [\"staff\", \"system\"]",
    "true",
];

fn condition() -> impl Strategy<Value = String> {
    let atom = select(ATOMS).prop_map(str::to_owned);
    atom.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("not ({a})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a}) and ({b})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a}) or ({b}) or ({c})")),
        ]
    })
}

/// Names of the records of which every line is true.
fn true_of(ruleset: &Ruleset) -> Vec<String> {
    let lines = &ruleset.rules[0].if_;
    let holds = |view: &View| lines.iter().all(|line| ruleset.host.holds(line, &mut ruleset.host.scope(view)).unwrap_or(false));
    let all = variants(&catalogue()).into_iter();
    all.filter(|v| holds(&View::of_facts(&ruleset.catalogue.clinic, &v.facts, v.now))).map(|v| v.name).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_rule_called_dead_is_true_of_no_record(lines in prop::collection::vec(condition(), 1..5)) {
        let listed: Vec<String> = lines.iter().map(|line| format!("      - '{line}'\n")).collect();
        let text = format!("rules:\n  - id: r\n    when: {{ event: booking_created }}\n    if:\n{}    do: [ {{ note: x }} ]\n", listed.concat());
        let compiled = compile(&sources(&[("rules/test.yaml", &text)]), &catalogue());
        let dead = compiled.diagnostics.iter().any(|d| d.code == "R0401");
        let Some(ruleset) = compiled.ruleset.filter(|_| dead) else { return Ok(()) };
        let witnesses = on_script_thread(move || true_of(&ruleset));
        prop_assert!(witnesses.is_empty(), "{text} is true of {witnesses:?}");
    }
}
