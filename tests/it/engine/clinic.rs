//! A small clinic to compile rules for.

use avatar::domain::calendar::Calendar;
use avatar::domain::clinic::{Clinic, QuietHours, TextSettings};
use avatar::domain::keywords::Keywords;
use avatar::domain::pipeline::{Pipeline, Pipelines, Stage};
use avatar::engine::diagnostic::{Format, render};
use avatar::engine::{Catalogue, Compiled, Sources, compile};
use std::sync::Arc;

pub const CONFIRMATION: &str = "{{!-- category: transactional, staff: true --}}\n\
    Hi {{contact.first_name}}, see you {{booking.date}} at {{booking.time}}. {{clinic.name}}\n";
pub const LEAD: &str =
    "{{!-- category: transactional, staff: true --}}\nHi {{contact.first_name}}, we will call you. {{clinic.name}}\n";

pub const SCORES: &str = r#"/// warmness(contact: contact, now: time) -> int
/// How likely this person is to book, 0 to 100.
fn warmness(contact, now) {
    let score = switch contact.source {
        "referral" => 30,
        "google" => 20,
        "facebook" | "manychat" => 15,
        _ => 5
    };
    for t in contact.touchpoints {
        let age = now - t.at;
        if age > 90.days { continue; }
        let weight = if age < 2.days { 3 } else if age < 14.days { 2 } else { 1 };
        switch t.kind {
            "sms_in" => score += 6 * weight,
            "call_in" => score += 8 * weight,
            "no_answer" => score -= 3,
            _ => score += 1
        }
    }
    if contact.last_visit_at != () && contact.last_visit_at > now - 365.days { score += 15; }
    score -= 10 * contact.no_shows;
    if contact.opted_out { score = 0; }
    clamp(score, 0, 100)
}

/// task_priority(kind: string, contact: contact, booking: booking?) -> int
/// Higher is more urgent; the task list is sorted by it.
fn task_priority(kind, contact, booking) {
    let base = switch kind {
        "no_response_followup" => 90,
        "lead_call" => 60,
        _ => 40
    };
    if booking != () && booking.urgency_level != "routine" { base += 25; }
    if contact.warmness >= 70 { base += 15; }
    if contact.no_shows > 0 { base -= 5; }
    clamp(base, 0, 100)
}

/// attribution(contact: contact) -> string
/// First marketing touch wins; falls back to the contact's own source.
fn attribution(contact) {
    for t in contact.touchpoints {
        if t.channel in ["google", "facebook", "referral", "manychat"] { return t.channel; }
    }
    contact.source
}
"#;

fn pipeline(name: &str, stages: &[&str]) -> Pipeline {
    let stage = |name: &&str| Stage {
        name: (*name).to_owned(),
        label: (*name).to_owned(),
        sla_hours: None,
        terminal: false,
        next: vec![],
    };
    Pipeline { name: name.to_owned(), label: name.to_owned(), stages: stages.iter().map(stage).collect() }
}

pub fn catalogue() -> Catalogue {
    let clinic = Clinic {
        name: "Harbour Imaging".to_owned(),
        phone: "02 9000 0000".to_owned(),
        calendar: Calendar::weekdays(chrono_tz::Australia::Sydney),
        quiet_hours: QuietHours { from_minute: 8 * 60, until_minute: 20 * 60 },
        keywords: Keywords::default(),
        texts: TextSettings::default(),
        teams: vec!["reception".to_owned(), "manager".to_owned()],
        task_types: vec!["parking_note".to_owned()],
        test_contacts: vec![],
    };
    let pipelines = Pipelines {
        pipelines: vec![
            pipeline("lead", &["new_lead", "contacted", "no_response", "dormant"]),
            pipeline("pre_appointment", &["booking_confirmed", "reminded", "cancelled", "no_show"]),
        ],
    };
    Catalogue {
        clinic: Arc::new(clinic),
        pipelines: Arc::new(pipelines),
        declared_events: vec!["form_sent".to_owned()],
        declared_sources: vec!["website_form".to_owned()],
    }
}

/// The given files beside the clinic's scripts and templates.
pub fn sources(files: &[(&str, &str)]) -> Sources {
    let mut sources = Sources::default();
    let mut add = |path: &str, text: &str| sources.files.insert(path.to_owned(), text.to_owned());
    add("rules/scripts/scores.rhai", SCORES);
    for name in
        ["booking_confirmation", "reminder_48hr", "reminder_24hr", "reminder_2hr", "thanks_confirmed", "booking_cancelled"]
    {
        add(&format!("sms_templates/{name}.hbs"), CONFIRMATION);
    }
    for name in ["lead_ack", "recall_due", "no_show_followup"] {
        add(&format!("sms_templates/{name}.hbs"), LEAD);
    }
    for (path, text) in files {
        add(path, text);
    }
    sources
}

pub fn compile_files(files: &[(&str, &str)]) -> Compiled {
    compile(&sources(files), &catalogue())
}

/// What is said about the files, with the lines and carets.
pub fn full(files: &[(&str, &str)]) -> String {
    let sources = sources(files);
    render(&compile(&sources, &catalogue()).diagnostics, &sources, Format::Full, false)
}

/// One line for each problem: `line:column[width] code message | help`.
pub fn report(text: &str) -> String {
    report_of(&[("rules/test.yaml", text)])
}

pub fn report_of(files: &[(&str, &str)]) -> String {
    let compiled = compile_files(files);
    let errors = compiled.diagnostics.iter().any(|d| d.severity == avatar::engine::Severity::Error);
    assert_eq!(compiled.ruleset.is_none(), errors, "a ruleset is there exactly if nothing is an error");
    let lines: Vec<String> = compiled
        .diagnostics
        .iter()
        .map(|d| {
            let help = d.help.as_ref().map(|h| format!(" | {h}")).unwrap_or_default();
            format!("{}:{}[{}] {} {}{help}", d.line, d.column, d.width, d.code, d.message)
        })
        .collect();
    lines.join("\n")
}

/// A rule with one condition on an event.
pub fn rule_if(event: &str, condition: &str) -> String {
    format!("rules:\n  - id: r\n    when: {{ event: {event} }}\n    if: {condition}\n    do:\n      - note: seen\n")
}

/// A rule with one step on an event.
pub fn rule_do(event: &str, step: &str) -> String {
    format!("rules:\n  - id: r\n    when: {{ event: {event} }}\n    do:\n      - {step}\n")
}

/// What the shipped rules may name.
pub fn shipped_catalogue() -> Catalogue {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    let text = |name: &str| std::fs::read_to_string(root.join(name)).expect("a shipped file");
    let clinic = avatar::config::load_clinic(&text("clinic.yaml"), chrono_tz::Australia::Sydney).expect("the shipped clinic");
    let pipelines = avatar::config::load_pipelines(&text("pipelines.yaml")).expect("the shipped pipelines");
    Catalogue {
        clinic: Arc::new(clinic),
        pipelines: Arc::new(pipelines),
        declared_events: Vec::new(),
        declared_sources: ["wix", "manychat"].map(str::to_owned).to_vec(),
    }
}
