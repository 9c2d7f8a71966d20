//! A run goes on after a wait.

use super::{Bench, Stop};
use crate::domain::rule_override::Overrides;
use crate::domain::time::Timestamp;
use crate::engine::facts::Facts;
use crate::engine::plan::{Kept, Outcome, RuleRun, StopReason, StoppedAt};
use crate::engine::ruleset::Ruleset;
use crate::engine::script::{View, limits};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Where a run goes on, and what it has kept.
#[derive(Clone, Debug)]
pub struct Resumption<'a> {
    pub rule_id: &'a str,
    /// Path of the `wait`; empty for a run that has not begun.
    pub position: &'a str,
    pub vars: &'a BTreeMap<String, Kept>,
    /// `event` or `time`.
    pub waited: &'a str,
    /// What `trigger` said at the beginning.
    pub trigger: &'a str,
    /// The run's first part.
    pub first_run_id: &'a str,
}

/// The next part of a run, up to its end or its next wait. `ruleset` is the one it began with. `None` when that has no such rule.
///
/// Like [`super::evaluate`]: pure, never fails as a whole. Whether the run may go on at all is for [`alive`] to say.
#[must_use]
pub fn resume(ruleset: &Ruleset, overrides: &Overrides, facts: &Facts, now: Timestamp, at: &Resumption<'_>) -> Option<RuleRun> {
    let rule = ruleset.find_rule(at.rule_id)?;
    let bench = Bench { ruleset, overrides, facts, view: View::of_facts(&ruleset.catalogue.clinic, facts, now) };
    let mut scope = ruleset.host.scope(&bench.view);
    let mut run = if at.position.is_empty() {
        bench.run(rule, at.trigger, &mut scope)
    } else {
        bench.guarded(rule, at.trigger, &mut scope, |walk, scope| {
            for (name, _) in &rule.vars {
                let value = at.vars.get(name).map_or(rhai::Dynamic::UNIT, super::keep::restore);
                scope.push_constant_dynamic(name.as_str(), value);
            }
            scope.push_constant("waited", at.waited.to_owned());
            walk.after(rule, &rule.steps, "do", at.position, scope).map(|_| ())
        })
    };
    if !at.position.is_empty() {
        run.resumes = Some(at.first_run_id.to_owned());
    }
    Some(run)
}

/// Whether somebody has switched the rule off, or the program has paused it: a run that is due then does not go on.
///
/// # Errors
/// Who did, and why.
pub fn switched_on(ruleset: &Ruleset, overrides: &Overrides, rule_id: &str) -> Result<(), Box<StoppedAt>> {
    let Some(rule) = ruleset.find_rule(rule_id) else { return Ok(()) };
    super::gate::check_override(rule, overrides).map_err(|stop| stop.0)
}

/// Whether a run of the rule may go on, by the ruleset in force: it is there, enabled, and every line of `while` holds.
///
/// # Errors
/// What ends the run.
pub fn alive(ruleset: &Ruleset, rule_id: &str, facts: &Facts, now: Timestamp) -> Result<(), Box<StoppedAt>> {
    let Some(rule) = ruleset.find_rule(rule_id) else {
        return Err(Box::new(nowhere(StopReason::Disabled, "id", "the rule is no more")));
    };
    if !rule.enabled {
        return Err(super::gate::disabled(rule).0);
    }
    if rule.while_.is_empty() {
        return Ok(());
    }
    let overrides = Overrides::default();
    let view = View::of_facts(&ruleset.catalogue.clinic, facts, now);
    let bench = Bench { ruleset, overrides: &overrides, facts, view };
    let mut scope = ruleset.host.scope(&bench.view);
    limits::begin_rule();
    let checked = catch_unwind(AssertUnwindSafe(|| bench.check(&rule.while_, "while", StopReason::While, &mut scope)));
    let stop: Stop = match checked {
        Ok(Ok(())) => return Ok(()),
        Ok(Err(stop)) => stop,
        Err(_) => super::gate::panicked(rule),
    };
    Err(stop.0)
}

/// A run that could not go on: its ruleset cannot be had any more.
#[must_use]
pub fn lost(rule_id: &str, first_run_id: &str, why: &str) -> RuleRun {
    stopped(rule_id, first_run_id, nowhere(StopReason::Error, "do", why))
}

/// A run that may not go on.
#[must_use]
pub fn stopped(rule_id: &str, first_run_id: &str, stop: StoppedAt) -> RuleRun {
    RuleRun {
        rule_id: rule_id.to_owned(),
        file: stop.file.clone(),
        line: stop.line,
        outcome: if stop.reason == StopReason::Error { Outcome::Failed } else { Outcome::Skipped },
        stopped_at: Some(stop),
        steps: Vec::new(),
        waiting: None,
        resumes: Some(first_run_id.to_owned()),
        trigger: String::new(),
        ops: 0,
    }
}

/// Stopped by something that stands in no file.
fn nowhere(reason: StopReason, path: &str, text: &str) -> StoppedAt {
    StoppedAt {
        reason,
        path: path.to_owned(),
        file: String::new(),
        line: 0,
        column: 0,
        text: text.to_owned(),
        values: Vec::new(),
    }
}
