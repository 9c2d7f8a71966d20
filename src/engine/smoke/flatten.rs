//! The steps of a rule as one list in which each is reached: every way of `choose`, what comes after `stop` and `wait`.
//!
//! A condition is worked out by a step of its own. What remains of it before the steps it stands for is what it proves to be
//! there: those may rely on that, and on nothing else.

use crate::domain::time::Millis;
use crate::engine::check::{parser, proved};
use crate::engine::ruleset::{Branch, Expr, Rule, Step, StepAction, Text, TextPart, Value, Wait};
use std::collections::HashMap;

/// Paths that are there from here on.
type Known = Vec<String>;

/// What flattening needs of the ruleset.
pub(super) struct Flattening<'a> {
    pub rule: &'a Rule,
    /// What other rules are called among those that are tried.
    pub names: &'a HashMap<&'a str, String>,
}

impl Flattening<'_> {
    /// The conditions of the whole rule, reduced to what they prove, and all steps.
    pub fn whole(&self) -> (Vec<Expr>, Vec<Step>) {
        let lines = || self.rule.while_.iter().chain(&self.rule.if_);
        let mut steps = Vec::new();
        let known = lines().flat_map(|line| proved(&line.ast, true)).collect();
        lines().for_each(|line| steps.push(self.looking_at(line, &Known::new())));
        self.list(&self.rule.steps, &Known::new(), &mut steps);
        if self.rule.waits() {
            // So that `waited` is known.
            steps.push(self.step(&Known::new(), StepAction::Wait(Wait::For(Millis::MINUTE))));
        }
        (self.guards(&known), steps)
    }

    fn list(&self, steps: &[Step], known: &Known, into: &mut Vec<Step>) {
        let mut known = known.clone();
        for step in steps {
            let inside = self.conditions(&step.if_, &known, into);
            match &step.action {
                StepAction::Stop { .. } if step.if_.is_empty() => return,
                // Whoever comes past it did not stop.
                StepAction::Stop { .. } => known.extend(disproved(&step.if_)),
                StepAction::Wait(wait) => {
                    if let Wait::Until(Value::Expr(until)) = wait {
                        into.push(self.looking_at(until, &inside));
                    }
                    // Time passes: of records that were there, fields may be missing.
                    known.retain(|path| !path.contains('.'));
                }
                StepAction::Choose(branches) => self.branches(branches, &inside, into),
                StepAction::Each { list, name, steps, of_bookings } => {
                    let mut below = Vec::new();
                    self.list(steps, &Known::new(), &mut below);
                    let each =
                        StepAction::Each { list: list.clone(), name: name.clone(), steps: below, of_bookings: *of_bookings };
                    into.push(Step { if_: self.guards(&inside), action: each, ..step.clone() });
                }
                StepAction::Run(id) => {
                    let other = self.names.get(id.as_str()).unwrap_or(id).clone();
                    into.push(Step { if_: self.guards(&inside), action: StepAction::Run(other), ..step.clone() });
                }
                _ => into.push(Step { if_: self.guards(&inside), ..step.clone() }),
            }
        }
    }

    fn branches(&self, branches: &[Branch], known: &Known, into: &mut Vec<Step>) {
        let mut so_far = known.clone();
        for branch in branches {
            let inside = self.conditions(&branch.if_, &so_far, into);
            self.list(&branch.steps, &inside, into);
            so_far.extend(disproved(&branch.if_));
        }
    }

    /// Works the lines out, each knowing what those before it prove; answers with what is known behind them.
    fn conditions(&self, lines: &[Expr], known: &Known, into: &mut Vec<Step>) -> Known {
        let mut known = known.clone();
        for line in lines {
            into.push(self.looking_at(line, &known));
            known.extend(proved(&line.ast, true));
        }
        known
    }

    /// A step that does nothing but work the expression out.
    fn looking_at(&self, expr: &Expr, known: &Known) -> Step {
        self.step(known, StepAction::Note(Text { parts: vec![TextPart::Merge(expr.clone())] }))
    }

    fn step(&self, known: &Known, action: StepAction) -> Step {
        Step { path: "if".to_owned(), line: self.rule.line, if_: self.guards(known), action }
    }

    /// `path != ()` for each path, the shorter ones first.
    fn guards(&self, known: &Known) -> Vec<Expr> {
        let mut paths: Vec<&String> = known.iter().collect();
        paths.sort_by_key(|path| (path.len(), path.as_str()));
        paths.dedup();
        paths.into_iter().filter_map(|path| self.is_there(path)).collect()
    }

    fn is_there(&self, path: &str) -> Option<Expr> {
        let text = format!("{path} != ()");
        let mut ast = parser().compile_expression(&text).ok()?;
        ast.set_source(self.rule.file.as_ref());
        let (file, reads) = (self.rule.file.clone(), vec![path.to_owned()]);
        Some(Expr { text, ast, file, line: self.rule.line, column: 1, reads })
    }
}

/// What is there when a condition does not hold: known only of a single line.
fn disproved(lines: &[Expr]) -> Known {
    match lines {
        [line] => proved(&line.ast, false),
        _ => Known::new(),
    }
}
