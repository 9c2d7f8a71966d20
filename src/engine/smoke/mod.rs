//! Tries every rule out with made-up records before it can touch a patient: each optional field there and missing, each word of
//! each list. What fails here although the checker found nothing is a mistake of the checker, and is reported all the same.

mod flatten;
mod forced;
mod records;

pub use records::{Variant, variants};

use super::diagnostic::{Diagnostic, Severity, names};
use super::evaluate::evaluate;
use super::facts::Facts;
use super::plan::{RuleRun, StopReason, StoppedAt};
use super::ruleset::Ruleset;
use crate::domain::event::{SCHEDULE_DUE, SubjectKind, TimerInput};
use forced::{Forced, force};

/// Rules tried with one set of records: beyond this, each further rule is tried with the first few sets only.
const RUNS_MAX: usize = 40_000;
/// Script operations spent on one rule: beyond this, it is tried no further.
const RULE_OPERATIONS_MAX: u64 = 300_000;
/// Sets that every rule is tried with: everything there, everything missing.
const BASE_VARIANTS: usize = 2;

/// What fails, at its place; each place once. Needs a stack of [`super::script::STACK_BYTES_MIN`].
#[must_use]
pub fn smoke(ruleset: &Ruleset) -> Vec<Diagnostic> {
    let variants = variants(&ruleset.catalogue);
    let forced = force(ruleset);
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut left = RUNS_MAX;
    for rule in &forced.rules {
        let mut operations = 0;
        for (index, variant) in variants.iter().enumerate() {
            let may = left > 0 && operations < RULE_OPERATIONS_MAX;
            if index >= BASE_VARIANTS && !(may && rule.concerns(variant)) {
                continue;
            }
            left = left.saturating_sub(1);
            let Some(run) = run(&forced.ruleset, &rule.facts(variant), &rule.id, variant) else { continue };
            operations += run.ops;
            if let Some(diagnostic) = failure(run, rule, variant) {
                if !found.iter().any(|d| (&d.file, d.line, d.column) == (&diagnostic.file, diagnostic.line, diagnostic.column)) {
                    found.push(diagnostic);
                }
                break;
            }
        }
    }
    found
}

fn failure(run: RuleRun, rule: &Forced, variant: &Variant) -> Option<Diagnostic> {
    let stop = run.stopped_at.filter(|stop| stop.reason == StopReason::Error)?;
    Some(diagnostic(&rule.name, &variant.name, &stop))
}

/// Only this rule: a slot of a schedule is for one.
fn run(ruleset: &Ruleset, facts: &Facts, rule_id: &str, variant: &Variant) -> Option<RuleRun> {
    let timer = TimerInput {
        rule_id: rule_id.to_owned(),
        trigger: 0,
        subject_kind: SubjectKind::Clinic,
        subject_id: None,
        contact_id: None,
        occurrence: String::new(),
        due_at: variant.now,
    };
    let mut facts = facts.clone();
    SCHEDULE_DUE.clone_into(&mut facts.event.event_type);
    facts.timer = Some(timer);
    evaluate(ruleset, &facts, variant.now).into_iter().next()
}

fn diagnostic(rule: &str, variant: &str, stop: &StoppedAt) -> Diagnostic {
    Diagnostic {
        code: names::FAILS_WHEN_RUN.to_owned(),
        severity: Severity::Error,
        file: stop.file.clone(),
        line: stop.line,
        column: stop.column,
        width: 1,
        message: format!("`{rule}` fails when it is tried out with {variant}: {}", stop.text),
        help: Some("`avatar explain R0501` says how rules are tried out".to_owned()),
    }
}
