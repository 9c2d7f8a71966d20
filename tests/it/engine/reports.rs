//! The three forms of a report.

use super::clinic::{catalogue, full, sources};
use avatar::engine::diagnostic::{Format, codes, explain, render};
use avatar::engine::{Severity, compile};

const MISTAKES: &str = "rules:
  - id: reminder
    when: { event: booking_created }
    if:
      - booking.status == \"canceled\"
      - contact.last_visit_at > now - 30.days
      - contact.first_name != ()
    do:
      - sms: reminder_48h
";

#[test]
fn the_full_form_shows_the_line_the_mistake_and_what_to_write() {
    insta::assert_snapshot!(full(&[("rules/mistakes.yaml", MISTAKES)]), @r#"
    error[R0304]: "canceled" is not a value of `booking.status`
     --> rules/mistakes.yaml:5:27
      |
    5 |       - booking.status == "canceled"
      |                           ^^^^^^^^^^
      |
      = help: did you mean "cancelled"? it can be: pending, scheduled, confirmed, checked_in, completed, no_show, cancelled, declined, waitlisted

    error[R0307]: `contact.last_visit_at` may be missing (a time), and the comparison would then silently be false
     --> rules/mistakes.yaml:6:9
      |
    6 |       - contact.last_visit_at > now - 30.days
      |         ^^^^^^^^^^^^^^^^^^^^^
      |
      = help: test it first: `contact.last_visit_at != () and …`, or an `if` line of its own before this one

    warning[R0315]: `contact.first_name` is never missing
     --> rules/mistakes.yaml:7:9
      |
    7 |       - contact.first_name != ()
      |         ^^^^^^^^^^^^^^^^^^

    error[R0203]: there is no template `reminder_48h`
     --> rules/mistakes.yaml:9:14
      |
    9 |       - sms: reminder_48h
      |              ^^^^^^^^^^^^
      |
      = help: did you mean `reminder_48hr`?
    "#);
}

#[test]
fn the_concise_form_is_one_line_each() {
    let sources = sources(&[("rules/mistakes.yaml", MISTAKES)]);
    let diagnostics = compile(&sources, &catalogue()).diagnostics;
    insta::assert_snapshot!(render(&diagnostics, &sources, Format::Concise, false), @r#"
    rules/mistakes.yaml:5:27: error[R0304] "canceled" is not a value of `booking.status`
    rules/mistakes.yaml:6:9: error[R0307] `contact.last_visit_at` may be missing (a time), and the comparison would then silently be false
    rules/mistakes.yaml:7:9: warning[R0315] `contact.first_name` is never missing
    rules/mistakes.yaml:9:14: error[R0203] there is no template `reminder_48h`
    "#);
}

#[test]
fn the_json_form_is_one_object_for_programs() {
    let sources = sources(&[("rules/mistakes.yaml", MISTAKES)]);
    let diagnostics = compile(&sources, &catalogue()).diagnostics;
    let json: serde_json::Value = serde_json::from_str(&render(&diagnostics, &sources, Format::Json, false)).expect("it is JSON");
    assert_eq!((&json["errors"], &json["warnings"]), (&3.into(), &1.into()));
    assert_eq!(json["diagnostics"][0]["column"], 27);
}

#[test]
fn colour_is_only_there_when_asked_for() {
    let sources = sources(&[("rules/mistakes.yaml", MISTAKES)]);
    let diagnostics = compile(&sources, &catalogue()).diagnostics;
    assert!(render(&diagnostics, &sources, Format::Full, true).contains("\u{1b}["));
    assert!(!render(&diagnostics, &sources, Format::Full, false).contains("\u{1b}["));
}

#[test]
fn warnings_do_not_stop_a_ruleset() {
    let only_warning = MISTAKES.lines().filter(|l| !l.contains("canceled") && !l.contains("last_visit") && !l.contains("48h"));
    let text = format!("{}\n      - sms: reminder_48hr\n", only_warning.collect::<Vec<_>>().join("\n"));
    let compiled = compile(&sources(&[("rules/mistakes.yaml", &text)]), &catalogue());
    assert_eq!(compiled.diagnostics.len(), 1);
    assert_eq!(compiled.diagnostics[0].severity, Severity::Warning);
    assert!(compiled.ruleset.is_some());
}

#[test]
fn problems_of_all_files_are_reported_together_and_sorted() {
    let compiled = compile(
        &sources(&[
            ("sms_templates/bad.hbs", "{{!-- category: x --}}\n"),
            ("rules/b.yaml", MISTAKES),
            ("rules/a.yaml", "rulez: []\n"),
            ("rules/scripts/z.rhai", "fn f() { 1 }\n"),
        ]),
        &catalogue(),
    );
    let places: Vec<(String, usize)> = compiled.diagnostics.iter().map(|d| (d.file.clone(), d.line)).collect();
    let mut sorted = places.clone();
    sorted.sort();
    assert_eq!(places, sorted);
    let files: std::collections::BTreeSet<&str> = places.iter().map(|(f, _)| f.as_str()).collect();
    assert_eq!(files.len(), 4, "{places:?}");
}

#[test]
fn every_code_can_be_explained() {
    assert!(codes().count() > 60);
    let code = explain("R0307").expect("it is known");
    assert_eq!(code.title, "may be missing");
    assert_eq!(explain("s0307").expect("scripts share it").code, "R0307");
}
