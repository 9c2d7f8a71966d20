//! Which rules fired in no test, and which conditions no test saw true, or saw false.

use crate::automation::simulate::{Ran, Simulation};
use crate::domain::booking::Booking;
use crate::engine::plan::{Outcome, RuleRun, StopReason, StoppedAt};
use crate::engine::ruleset::{Expr, Rule, Ruleset, Step, StepAction};
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
            let owners = owners_of(rule);
            for step in &run.steps {
                self.see_step(&run.rule_id, &owners, &step.path, step.held_back.as_ref());
            }
            if let Some(waiting) = &run.waiting {
                self.see_step(&run.rule_id, &owners, &waiting.path, None);
            }
        } else if let Some(stopped) = &run.stopped_at {
            if stopped.reason == StopReason::If {
                self.all_true(&run.rule_id, "while", rule.while_.len());
            }
            self.stopped(&run.rule_id, stopped);
        }
    }

    /// Whoever came as far as this step found the conditions true of all that it stands in.
    fn see_step(&mut self, rule_id: &str, owners: &[(String, &[Expr])], path: &str, held: Option<&StoppedAt>) {
        let path = any_round(path);
        for (owner, lines) in owners.iter().filter(|(owner, _)| is_in(&path, owner)) {
            match held.filter(|held| is_in(&any_round(&held.path), &format!("{owner}/if"))) {
                Some(held) => self.stopped(rule_id, held),
                None => self.all_true(rule_id, &format!("{owner}/if"), lines.len()),
            }
        }
    }

    /// The line that stopped was false, and those before it were true.
    fn stopped(&mut self, rule_id: &str, stopped: &StoppedAt) {
        if !matches!(stopped.reason, StopReason::If | StopReason::While) {
            return;
        }
        let path = any_round(&stopped.path);
        let Some((list, index)) = path.rsplit_once('/') else { return };
        self.all_true(rule_id, list, index.parse().unwrap_or(0));
        self.seen_false.insert((rule_id.to_owned(), path));
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
    for (owner, lines) in owners_of(rule) {
        add(&format!("{owner}/if"), lines);
    }
    found
}

/// Every step and every way of a `choose`, with its conditions, by its path. All rounds of an `each` are one.
fn owners_of(rule: &Rule) -> Vec<(String, &[Expr])> {
    let mut owners = Vec::new();
    collect(&rule.steps, "do", &mut owners);
    owners
}

fn collect<'r>(steps: &'r [Step], path: &str, owners: &mut Vec<(String, &'r [Expr])>) {
    for (index, step) in steps.iter().enumerate() {
        let own = format!("{path}/{index}");
        owners.push((own.clone(), step.if_.as_slice()));
        match &step.action {
            StepAction::Choose(branches) => {
                for (index, branch) in branches.iter().enumerate() {
                    let way = format!("{own}/choose/{index}");
                    owners.push((way.clone(), branch.if_.as_slice()));
                    collect(&branch.steps, &format!("{way}/do"), owners);
                }
            }
            StepAction::Each { steps, .. } => collect(steps, &format!("{own}/each/{ANY_ROUND}/do"), owners),
            _ => {}
        }
    }
}

const ANY_ROUND: &str = "any";

/// The path with the rounds of `each` made one: `do/2/each/7/do/0` → `do/2/each/any/do/0`.
fn any_round(path: &str) -> String {
    let mut after_each = false;
    let part = |part: &str| {
        let is_round = std::mem::replace(&mut after_each, part == "each") && part.bytes().all(|b| b.is_ascii_digit());
        if is_round { ANY_ROUND.to_owned() } else { part.to_owned() }
    };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn is_in(path: &str, owner: &str) -> bool {
    path.strip_prefix(owner).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_are_one_and_neighbours_are_not() {
        assert_eq!(any_round("do/2/each/7/do/0/if/1"), "do/2/each/any/do/0/if/1");
        assert_eq!(any_round("do/2/choose/7/do/0"), "do/2/choose/7/do/0");
        assert!(is_in("do/1/contact.warmness", "do/1") && is_in("do/1", "do/1"));
        assert!(!is_in("do/10", "do/1") && !is_in("do/1", "do/1/if"));
    }
}
