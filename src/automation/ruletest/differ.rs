//! Failures as people read them.

use super::{Failure, TestResult};
use crate::automation::simulate::{Happening, Landed, Worth};
use crate::domain::clinic::Clinic;
use crate::domain::time::Timestamp;
use crate::engine::ruletest::Wanted;
use std::fmt::Write;

/// Longest value that is shown.
const VALUE_CHARS_MAX: usize = 80;
/// Fields that say little in a list.
const QUIET: &[&str] = &["category", "encoding", "immediate", "body", "note", "title"];

/// `Thu 5 Mar 10:00`, on the clinic's clock.
pub(super) fn clock(clinic: &Clinic, at: Timestamp) -> String {
    at.local(clinic.calendar.tz).format("%Y-%m-%d %H:%M").to_string()
}

/// An expectation as it was written.
pub(super) fn wanted(wanted: &Wanted) -> String {
    let mut parts = Vec::new();
    if let Some(kind) = &wanted.kind {
        let fields: Vec<String> = wanted.fields.iter().map(|(name, want)| format!("{name}: {}", want.text)).collect();
        match &wanted.main {
            Some(main) => parts.push(format!("{kind}: {}", main.text)),
            None => parts.push(format!("{kind}: {{ {} }}", fields.join(", "))),
        }
    }
    if let Some(rule) = &wanted.rule {
        parts.push(format!("rule: {}", rule.text));
    }
    if let Some(booking) = &wanted.booking {
        parts.push(format!("booking: {}", booking.text));
    }
    parts.join(", ")
}

impl Happening {
    /// A field that is text.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        match self.fields.get(field)? {
            Worth::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_called(&self, name: &str) -> bool {
        self.landed == Landed::Done
            && (self.rule_id == name || self.text("template") == Some(name) || self.text("type") == Some(name))
    }

    /// `task: { type: welcome_call, due: 2026-03-02 17:30 }`
    #[must_use]
    pub fn written(&self, clinic: &Clinic) -> String {
        let simple = |field: &str| self.text(field).map(str::to_owned);
        match (self.kind.as_str(), simple("template")) {
            ("sms", Some(template)) => format!("sms: {template}"),
            ("cancel", template) => template.map_or_else(|| "cancel: sms".to_owned(), |t| format!("cancel: {{ template: {t} }}")),
            (kind, _) => {
                let shown = self.fields.iter().filter(|(name, _)| !QUIET.contains(&name.as_str()));
                let fields: Vec<String> = shown.map(|(name, worth)| format!("{name}: {}", value(worth, clinic))).collect();
                if fields.is_empty() {
                    let body = simple("body").or_else(|| simple("text")).unwrap_or_default();
                    return format!("{kind}: {}", quoted(&body));
                }
                format!("{kind}: {{ {} }}", fields.join(", "))
            }
        }
    }
}

/// A value as it is written in a test.
pub(super) fn value(worth: &Worth, clinic: &Clinic) -> String {
    match worth {
        Worth::Nothing => "null".to_owned(),
        Worth::Bool(yes) => yes.to_string(),
        Worth::Int(number) => number.to_string(),
        Worth::Text(text) => quoted(text),
        Worth::Time(at) => clock(clinic, *at),
    }
}

/// Plain when YAML leaves it alone.
pub(super) fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+'))
        && !matches!(text, "null" | "true" | "false" | "any" | "nothing" | "yes" | "no")
        && !text.starts_with('-');
    let short: String = text.chars().take(VALUE_CHARS_MAX).collect();
    if plain { short } else { serde_json::to_string(&short).unwrap_or(short) }
}

/// One failed test, with everything that helps to see why.
#[must_use]
pub fn tell(file: &str, test: &TestResult, clinic: &Clinic) -> String {
    let mut out = format!("✗ {}\n", test.name);
    for failure in &test.failures {
        let written = write_failure(&mut out, file, failure, clinic);
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
    out
}

fn write_failure(out: &mut String, file: &str, failure: &Failure, clinic: &Clinic) -> std::fmt::Result {
    writeln!(out, "    {file}:{}:{}  {}", failure.line, failure.column, failure.message)?;
    writeln!(out, "    at {} in the test", clock(clinic, failure.at))?;
    for happening in &failure.matched {
        writeln!(out, "      = {}", happening.written(clinic))?;
    }
    for missing in &failure.missing {
        writeln!(out, "      - expected  {}  ({file}:{})", missing.what, missing.line)?;
        for why in &missing.why {
            writeln!(out, "          {why}")?;
        }
    }
    for happening in &failure.unexpected {
        let by = format!("{} ({}:{})", happening.rule_id, happening.file, happening.line);
        writeln!(out, "      + got       {}  at {} by {by}", happening.written(clinic), clock(clinic, happening.at))?;
    }
    Ok(())
}
