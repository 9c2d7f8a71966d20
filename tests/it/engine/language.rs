//! The JSON Schema for editors, the definitions for scripts and the tables of the manual.

use super::clinic::{catalogue, shipped_catalogue, sources};
use super::compiles::clinic_files;
use avatar::engine::language::{Live, definitions, reference, schema};
use avatar::engine::{Catalogue, Sources};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The shipped rule files and templates.
fn shipped() -> Sources {
    let mut sources = Sources::default();
    for (folder, ending) in [("rules", "yaml"), ("sms_templates", "hbs")] {
        for entry in std::fs::read_dir(root(folder)).expect("a shipped folder").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_rules = name.ends_with(ending) && !name.ends_with(".test.yaml") && name != "policies.yaml";
            if is_rules {
                sources.files.insert(format!("{folder}/{name}"), std::fs::read_to_string(entry.path()).expect("a file"));
            }
        }
    }
    sources
}

/// What the schema of this clinic says about a rule file; empty when it is fine.
fn said(sources: &Sources, catalogue: &Catalogue, text: &str) -> Vec<String> {
    let schema = schema(&Live::new(sources, catalogue));
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let file: Value = serde_yaml::from_str(text.trim_start_matches('\u{feff}')).expect("YAML");
    validator.iter_errors(&file).map(|e| format!("{} {}", e.instance_path(), e)).collect()
}

#[test]
fn the_schema_of_the_shipped_clinic_changes_only_on_purpose() {
    let (sources, catalogue) = (shipped(), shipped_catalogue());
    let schema = schema(&Live::new(&sources, &catalogue));
    insta::assert_snapshot!("schema", format!("{schema:#}"));
}

#[test]
fn every_shipped_rule_file_fits_it() {
    let (sources, catalogue) = (shipped(), shipped_catalogue());
    let rules: Vec<(&String, &String)> = sources.files.iter().filter(|(path, _)| path.starts_with("rules/")).collect();
    assert!(rules.len() >= 5);
    for (path, text) in rules {
        assert_eq!(said(&sources, &catalogue, text), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn every_rule_file_that_compiles_fits_it() {
    let (sources, catalogue) = (sources(&[]), catalogue());
    for (path, text) in
        clinic_files().into_iter().filter(|(path, _)| !path.ends_with(".test.yaml") && !path.ends_with("policies.yaml"))
    {
        assert_eq!(said(&sources, &catalogue, text), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn typical_mistakes_do_not() {
    let (sources, catalogue) = (shipped(), shipped_catalogue());
    let rule = |rest: &str| format!("rules:\n  - id: r\n{rest}");
    let on = "    when: { event: lead_created }\n";
    let step = |step: &str| rule(&format!("{on}    do:\n      - {step}\n"));
    let fine = step("note: Seen");
    assert_eq!(said(&sources, &catalogue, &fine), Vec::<String>::new());
    for wrong in [
        "rulez: []\n".to_owned(),
        rule("    do: [ { note: x } ]\n"),
        rule(on),
        rule(&format!("{on}    iff: contact.opted_out\n    do: [ {{ note: x }} ]\n")),
        rule(&format!("{on}    enabled: sometimes\n    do: [ {{ note: x }} ]\n")),
        rule(&format!("{on}    limit: {{ max: 0, in: 7d }}\n    do: [ {{ note: x }} ]\n")),
        rule(&format!("{on}    limit: {{ max: 1, in: a week }}\n    do: [ {{ note: x }} ]\n")),
        rule("    when: { event: booking_canceled, each: contact }\n    do: [ { note: x } ]\n"),
        rule("    when: { event: lead_created, date: booking.appointment_datetime }\n    do: [ { note: x } ]\n"),
        rule("    when: { date: booking.status }\n    do: [ { note: x } ]\n"),
        rule("    when: { date: booking.appointment_datetime, before: 2 days }\n    do: [ { note: x } ]\n"),
        rule("    when: { every: fortnight }\n    do: [ { note: x } ]\n"),
        step("sms: reminder_48h"),
        step("move: { pipeline: lead, stage: reminded }"),
        step("move: { pipeline: leads, stage: new_lead }"),
        step("move: { pipeline: lead }"),
        step("task: { type: lead_call, title: Call }"),
        step("task: { type: lead_cal, title: Call, due: =now }"),
        step("task: { type: lead_call, title: Call, due: tomorrow }"),
        step("task: { type: lead_call, title: Call, due: =now, priority: 900 }"),
        step("task: { type: lead_call, title: Call, due: =now, assign: nobody }"),
        step("set: { contact.opted_out: true }"),
        step("set: { booking.status: canceled }"),
        step("set: { contact.warmness: hot }"),
        step("{ note: x, sms: lead_ack }"),
        step("if: contact.opted_out"),
        step("close_tasks: { type: calls }"),
        step("close_tasks: { type: any, of: everybody }"),
        step("cancel: everything"),
    ] {
        assert_ne!(said(&sources, &catalogue, &wrong), Vec::<String>::new(), "{wrong}");
    }
}

#[test]
fn hover_texts_are_the_words_of_the_manual() {
    let schema = schema(&Live::new(&shipped(), &shipped_catalogue()));
    let about = &schema["$defs"]["rule"]["properties"]["while"]["description"];
    assert!(about.as_str().is_some_and(|text| reference().contains(text)), "{about}");
}

#[test]
fn definitions_for_scripts_change_only_on_purpose() {
    insta::assert_snapshot!("definitions", definitions());
}

/// Set to write the block anew: `AVATAR_WRITE_DOCS=1 cargo test manual`.
const WRITE: &str = "AVATAR_WRITE_DOCS";
const BEGIN: &str = "<!-- begin: avatar rules reference -->\n";
const END: &str = "<!-- end: avatar rules reference -->";

#[test]
#[expect(clippy::disallowed_methods, reason = "a switch for people who change the language, not a setting")]
fn the_tables_of_the_manual_are_those_of_the_program() {
    let path = root("docs/RULES.md");
    let manual = std::fs::read_to_string(&path).expect("the manual");
    let (before, rest) = manual.split_once(BEGIN).expect("a place for the tables");
    let (tables, after) = rest.split_once(END).expect("an end of the tables");
    if std::env::var(WRITE).is_ok() {
        std::fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", reference())).expect("the manual is written");
        return;
    }
    assert!(tables == reference(), "the tables of docs/RULES.md are not those of the program: run the tests with {WRITE}=1");
}
