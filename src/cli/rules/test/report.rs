//! What the tests came to: for people, for JUnit, as JSON.

use super::files::TestFile;
use super::{Ran, junit};
use crate::automation::ruletest::{Coverage, FileResult, Gap, TestResult, tell};
use crate::cli::Context;
use crate::cli::args::TestFormat;
use crate::cli::rules::check::counted_word;
use crate::config::Settings;
use crate::domain::clinic::Clinic;
use crate::engine::Ruleset;
use crate::engine::diagnostic::{Format, render};
use serde_json::{Value, json};

/// Version of the JSON that this command prints.
const SCHEMA: &str = "avatar.rules-test/1";

/// How much of the rules the tests have reached.
pub(super) struct Reached {
    gaps: Vec<Gap>,
    /// (all, reached)
    rules: (usize, usize),
    conditions: (usize, usize),
}

impl Reached {
    pub fn of(coverage: &Coverage, ruleset: &Ruleset) -> Self {
        let (gaps, rules, conditions) = coverage.gaps(ruleset);
        Self { gaps, rules: (rules.all, rules.seen), conditions: (conditions.all, conditions.seen) }
    }
}

pub(super) fn print(context: &Context<'_>, ran: &Ran, format: TestFormat, settings: &Settings) {
    match format {
        _ if context.output.json => context.output.object(&object(ran, settings)),
        TestFormat::Json => context.output.object(&object(ran, settings)),
        TestFormat::Junit => context.output.line(&junit::document(ran, &settings.clinic)),
        TestFormat::Human => human(context, ran, &settings.clinic),
    }
}

fn human(context: &Context<'_>, ran: &Ran, clinic: &Clinic) {
    for (file, result) in &ran.files {
        if !result.problems.is_empty() {
            let text = render(&result.problems, &ran.sources, Format::Full, context.output.color);
            context.output.line(text.trim_end());
            context.output.line(&format!("✗ {}  not run", file.shown));
            continue;
        }
        let failed: Vec<&TestResult> = result.tests.iter().filter(|t| !t.failures.is_empty()).collect();
        if failed.is_empty() && !context.output.quiet && !result.tests.is_empty() {
            context.output.line(&format!("✓ {}  {}", file.shown, counted_word(result.tests.len(), "test")));
        } else if !failed.is_empty() {
            let all = counted_word(result.tests.len(), "test");
            context.output.line(&format!("✗ {}  {} of {all} failed", file.shown, failed.len()));
        }
        for test in failed {
            for line in tell(&file.shown, test, clinic).lines() {
                context.output.line(&format!("  {line}"));
            }
        }
        if let Some(updated) = ran.updated.iter().find(|u| u.path == file.path) {
            let left = if updated.is_whole { "" } else { "; what else failed is for you to mend" };
            context.output.line(&format!("  {} has new expectations{left}: read them before you keep them", file.shown));
        }
    }
    if let Some(reached) = &ran.coverage {
        cover(context, reached);
    }
    if !context.output.quiet {
        context.output.line(&summary(ran));
    }
}

fn summary(ran: &Ran) -> String {
    let (tests, failed) = counts(ran);
    let broken = ran.files.iter().filter(|(_, r)| !r.problems.is_empty()).count();
    let broken = if broken == 0 { String::new() } else { format!(", {} not run", counted_word(broken, "file")) };
    let asked = ran.files.iter().filter(|(_, r)| !r.tests.is_empty() || !r.problems.is_empty()).count();
    let (tests, files) = (counted_word(tests, "test"), counted_word(asked, "file"));
    format!("{tests} in {files}, {failed} failed{broken}, in {} ms", ran.took.as_millis())
}

pub(super) fn counts(ran: &Ran) -> (usize, usize) {
    let tests = || ran.files.iter().flat_map(|(_, r)| &r.tests);
    (tests().count(), tests().filter(|t| !t.failures.is_empty()).count())
}

fn cover(context: &Context<'_>, reached: &Reached) {
    let (rules, conditions) = (reached.rules, reached.conditions);
    context.output.line(&format!(
        "coverage: {} of {} fired, {} of {} seen true and false",
        rules.1,
        counted_word(rules.0, "rule"),
        conditions.1,
        counted_word(conditions.0, "condition")
    ));
    let place = |gap: &Gap| format!("{}:{}:{}", gap.file, gap.line, gap.column);
    let width = reached.gaps.iter().map(|g| place(g).chars().count()).max().unwrap_or(0);
    for gap in &reached.gaps {
        let line = format!("  {:<11}  {:<width$}  {}  {}", gap.what, place(gap), gap.rule_id, gap.text);
        context.output.line(line.trim_end());
    }
}

fn object(ran: &Ran, settings: &Settings) -> Value {
    let (tests, failed) = counts(ran);
    let files: Vec<Value> = ran.files.iter().map(|(file, result)| file_object(file, result, settings)).collect();
    let mut object = json!({ "schema": SCHEMA, "tests": tests, "failed": failed, "files": files });
    if let Some(reached) = &ran.coverage {
        object["coverage"] = json!({
            "rules": { "all": reached.rules.0, "fired": reached.rules.1 },
            "conditions": { "all": reached.conditions.0, "seen_both_ways": reached.conditions.1 },
            "gaps": reached.gaps.iter().map(|g| json!({
                "rule_id": g.rule_id, "file": g.file, "line": g.line, "column": g.column, "what": g.what, "text": g.text,
            })).collect::<Vec<_>>(),
        });
    }
    object
}

fn file_object(file: &TestFile, result: &FileResult, settings: &Settings) -> Value {
    let test = |test: &TestResult| {
        let failures: Vec<Value> = test.failures.iter().map(|failure| failure_object(failure, settings)).collect();
        json!({ "name": test.name, "line": test.line, "passed": failures.is_empty(), "failures": failures })
    };
    json!({ "file": file.shown, "problems": result.problems, "tests": result.tests.iter().map(test).collect::<Vec<_>>() })
}

fn failure_object(failure: &crate::automation::ruletest::Failure, settings: &Settings) -> Value {
    let (clinic, zone) = (&settings.clinic, settings.clinic.calendar.tz);
    json!({
        "line": failure.line,
        "column": failure.column,
        "at": failure.at.to_rfc3339_in(zone),
        "message": failure.message,
        "missing": failure.missing.iter().map(|m| json!({ "what": m.what, "line": m.line, "why": m.why })).collect::<Vec<_>>(),
        "unexpected": failure.unexpected.iter().map(|h| json!({
            "what": h.written(clinic), "at": h.at.to_rfc3339_in(zone), "rule_id": h.rule_id, "file": h.file, "line": h.line,
        })).collect::<Vec<_>>(),
    })
}
