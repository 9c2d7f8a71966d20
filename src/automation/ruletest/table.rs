//! Rows of a script's table: `call`, `given`, `returns`.

use super::Failure;
use super::suite::TestResult;
use crate::automation::simulate::Rules;
use crate::domain::time::Timestamp;
use crate::engine::ruletest::{Call, Given, call, new_booking, new_person, parse_time};

/// Runs one row. What the row does not give comes from the file.
pub(super) fn run(rules: Rules<'_>, start: Timestamp, given: &Given, row: &Call) -> TestResult {
    let now = row.now.unwrap_or(start);
    let contact = row.given.contacts.first().or_else(|| given.contacts.first());
    let contact = contact.map(|facts| new_person(facts.text("id").unwrap_or("contact"), facts, now));
    let booking = row.given.bookings.first().or_else(|| given.bookings.first());
    let timezone = rules.clinic.calendar.tz.name();
    let booking = booking.and_then(|facts| new_booking(facts.text("id").unwrap_or("booking"), "contact", facts, timezone, now));
    let got = call(rules.ruleset, &row.text.text, contact.map(|p| (p.contact, p.touchpoints)), booking, now);
    let wanted = wanted(&row.returns.text, rules);
    let message = match got {
        Ok(got) if got == wanted => None,
        Ok(got) => Some(format!("{} returned {got}, not {wanted}", row.text.text)),
        Err(error) => Some(format!("{} failed: {}", row.text.text, error.message)),
    };
    let failure = |message| Failure {
        line: row.returns.at.line,
        column: row.returns.at.column,
        at: now,
        message,
        missing: Vec::new(),
        unexpected: Vec::new(),
        matched: Vec::new(),
        happened: None,
    };
    TestResult {
        name: format!("{} returns {}", row.text.text, row.returns.text),
        line: row.text.at.line,
        failures: message.map(failure).into_iter().collect(),
    }
}

/// As traces show it: times on the clinic's clock, nothing as `missing`.
fn wanted(text: &str, rules: Rules<'_>) -> String {
    if matches!(text, "" | "~" | "null" | "()") {
        return "missing".to_owned();
    }
    match parse_time(text, &rules.clinic.calendar) {
        Some(at) if text.contains(':') => super::differ::clock(rules.clinic, at),
        _ => text.to_owned(),
    }
}
