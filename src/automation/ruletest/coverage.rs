//! Which rules fired in no test, and which conditions no test saw true, or saw false.

use crate::automation::simulate::{Ran, Simulation};
use crate::domain::booking::Booking;
use crate::engine::plan::{Outcome, RuleRun, StopReason, StoppedAt};
use crate::engine::ruleset::{Expr, Ruleset};
use crate::engine::ruletest::lifetimes;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What tests have seen. Conditions are known by (rule, path), such as `if/1` or `do/2/if/0`.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    fired: BTreeSet<String>,
    seen_true: BTreeSet<(String, String)>,
    seen_false: BTreeSet<(String, String)>,
}

/// A rule or condition that no test has seen one way or the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    pub rule_id: String,
    pub file: String,
    pub line: usize,
    pub column: usize,
    /// `never fired`, `never true`, `never false`.
    pub what: &'static str,
    /// The condition; empty for a whole rule.
    pub text: String,
}

/// (all, seen both ways): how much of the rules tests have reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub all: usize,
    pub seen: usize,
}

impl Coverage {
    /// Learns from runs.
    pub(super) fn see(&mut self, ruleset: &Ruleset, ran: &[Ran]) {
        for run in ran.iter().map(|r| &r.trace.run) {
            self.see_run(ruleset, run);
        }
    }

    fn see_run(&mut self, ruleset: &Ruleset, run: &RuleRun) {
        let Some(rule) = ruleset.by_id.get(&run.rule_id).and_then(|i| ruleset.rules.get(*i)) else { return };
        if run.outcome == Outcome::Fired {
            self.fired.insert(run.rule_id.clone());
            self.all_true(&run.rule_id, "while", rule.while_.len());
            self.all_true(&run.rule_id, "if", rule.if_.len());
            for step in &run.steps {
                if let Some(held) = &step.held_back {
                    self.stopped(&run.rule_id, held);
                } else {
                    // A `set` has a path for each of its fields below its own.
                    let path = step.path.splitn(3, '/').take(2).collect::<Vec<_>>().join("/");
                    let lines = rule.steps.iter().find(|s| s.path == path).map_or(0, |s| s.if_.len());
                    self.all_true(&run.rule_id, &format!("{path}/if"), lines);
                }
            }
        } else if let Some(stopped) = &run.stopped_at {
            if stopped.reason == StopReason::If {
                self.all_true(&run.rule_id, "while", rule.while_.len());
            }
            self.stopped(&run.rule_id, stopped);
        }
    }

    /// The line that stopped was false, and those before it were true.
    fn stopped(&mut self, rule_id: &str, stopped: &StoppedAt) {
        if !matches!(stopped.reason, StopReason::If | StopReason::While) {
            return;
        }
        let Some((list, index)) = stopped.path.rsplit_once('/') else { return };
        self.all_true(rule_id, list, index.parse().unwrap_or(0));
        self.seen_false.insert((rule_id.to_owned(), stopped.path.clone()));
    }

    fn all_true(&mut self, rule_id: &str, list: &str, count: usize) {
        for index in 0..count {
            self.seen_true.insert((rule_id.to_owned(), format!("{list}/{index}")));
        }
    }

    /// Learns what `while` of dated rules says at this moment.
    pub(super) fn see_lifetimes(&mut self, ruleset: &Ruleset, simulation: &Simulation<'_>) {
        let records = simulation.records();
        for world in records.contact_ids().iter().filter_map(|id| records.person(id)) {
            let Some(facts) = world.contact_facts(simulation.now()) else { continue };
            let bookings: Vec<Arc<Booking>> = world.bookings.iter().cloned().map(Arc::new).collect();
            for (rule, line, holds) in lifetimes(ruleset, &facts, &bookings, simulation.now()) {
                let Some(rule) = ruleset.rules.get(rule) else { continue };
                let seen = if holds { &mut self.seen_true } else { &mut self.seen_false };
                seen.insert((rule.id.clone(), format!("while/{line}")));
            }
        }
    }

    pub(super) fn merge(&mut self, other: Self) {
        self.fired.extend(other.fired);
        self.seen_true.extend(other.seen_true);
        self.seen_false.extend(other.seen_false);
    }

    /// What is missing, in the order of files; with how many rules and conditions there are.
    #[must_use]
    pub fn gaps(&self, ruleset: &Ruleset) -> (Vec<Gap>, Count, Count) {
        let mut gaps = Vec::new();
        let (mut rules, mut conditions) = (Count::default(), Count::default());
        for rule in ruleset.rules.iter().filter(|r| r.enabled) {
            let gap = |line, column, what, text: &str| Gap {
                rule_id: rule.id.clone(),
                file: rule.file.to_string(),
                line,
                column,
                what,
                text: text.to_owned(),
            };
            rules.all += 1;
            if self.fired.contains(&rule.id) {
                rules.seen += 1;
            } else {
                gaps.push(gap(rule.line, 1, "never fired", ""));
            }
            for (path, expr) in conditions_of(ruleset, &rule.id) {
                let key = (rule.id.clone(), path);
                let (yes, no) = (self.seen_true.contains(&key), self.seen_false.contains(&key));
                conditions.all += 1;
                conditions.seen += usize::from(yes && no);
                if !yes {
                    gaps.push(gap(expr.line, expr.column, "never true", &expr.text));
                }
                if !no {
                    gaps.push(gap(expr.line, expr.column, "never false", &expr.text));
                }
            }
        }
        (gaps, rules, conditions)
    }
}

/// Every condition of a rule, by its path.
fn conditions_of<'r>(ruleset: &'r Ruleset, rule_id: &str) -> BTreeMap<String, &'r Expr> {
    let mut found = BTreeMap::new();
    let Some(rule) = ruleset.by_id.get(rule_id).and_then(|i| ruleset.rules.get(*i)) else { return found };
    let mut add = |list: &str, lines: &'r [Expr]| {
        found.extend(lines.iter().enumerate().map(|(index, expr)| (format!("{list}/{index}"), expr)));
    };
    add("while", &rule.while_);
    add("if", &rule.if_);
    for step in &rule.steps {
        add(&format!("{}/if", step.path), &step.if_);
    }
    found
}
