//! Rules in, decisions out: every rule that listens to an event, in file order, with what it wants done or why it did not fire.

mod gate;
mod keep;
mod resume;
mod scripted;
mod step;
mod walk;
mod worth;

pub use resume::{Resumption, alive, lost, resume, stopped, switched_on};
pub use walk::{EACH_ROUNDS_MAX, PLANNED_STEPS_MAX};

use super::facts::{Asked, Facts};
use super::guard::Rollout;
use super::plan::{Outcome, RuleRun, StopReason, StoppedAt};
use super::ruleset::{Expr, Rule, Ruleset, Trigger};
use super::script::{ScriptError, View, limits};
use super::timers::find_date_trigger;
use crate::domain::event::{SCHEDULE_DUE, TIMER_DUE};
use crate::domain::rule_override::Overrides;
use crate::domain::time::Timestamp;
use rhai::Scope;
use std::panic::{AssertUnwindSafe, catch_unwind};
use walk::Walk;

/// Runs every rule that listens to the event of `facts`. For `timer_due` and `schedule_due` only the timer's own rule runs.
///
/// Never fails as a whole: a rule whose script fails has the outcome `failed` and the others go on. Pure: the same arguments
/// give the same runs, byte for byte. Needs a stack of [`super::script::STACK_BYTES_MIN`].
#[must_use]
pub fn evaluate(ruleset: &Ruleset, facts: &Facts, now: Timestamp) -> Vec<RuleRun> {
    evaluate_with(ruleset, &Overrides::default(), facts, now)
}

/// Like [`evaluate`], with rules that are switched off whatever their file says.
#[must_use]
pub fn evaluate_with(ruleset: &Ruleset, overrides: &Overrides, facts: &Facts, now: Timestamp) -> Vec<RuleRun> {
    let bench = Bench { ruleset, overrides, facts, view: View::of_facts(&ruleset.catalogue.clinic, facts, now) };
    let mut scope = ruleset.host.scope(&bench.view);
    match (&facts.asked, facts.event.event_type.as_str()) {
        (Asked::One(id), _) => bench.manual_run(id, &mut scope).into_iter().collect(),
        (_, TIMER_DUE | SCHEDULE_DUE) => bench.timer_run(&mut scope).into_iter().collect(),
        (_, event) => bench.event_runs(event, &mut scope),
    }
}

/// One evaluation: what all its rules share.
struct Bench<'a> {
    ruleset: &'a Ruleset,
    overrides: &'a Overrides,
    facts: &'a Facts,
    view: View,
}

/// Why a rule came to its end before its steps: boxed, because it is rare and large.
struct Stop(Box<StoppedAt>);

impl From<StoppedAt> for Stop {
    fn from(stopped: StoppedAt) -> Self {
        Self(Box::new(stopped))
    }
}

impl Bench<'_> {
    fn event_runs(&self, event: &str, scope: &mut Scope<'static>) -> Vec<RuleRun> {
        let listening = self.listening(event);
        let rules = || listening.iter().filter_map(|index| self.ruleset.rules.get(*index));
        let mut runs: Vec<RuleRun> = rules()
            .filter(|rule| !self.only_unhandled(rule, event))
            .map(|rule| self.run(rule, &self.label(rule, event), scope))
            .collect();
        let handled = runs.iter().any(|run| run.outcome == Outcome::Fired);
        for rule in rules().filter(|rule| self.only_unhandled(rule, event)) {
            let run = if handled && rule.enabled {
                skipped(rule, gate::handled_by_others(rule))
            } else {
                self.run(rule, &self.label(rule, event), scope)
            };
            runs.push(run);
        }
        runs
    }

    /// The rules that listen to the event or to its source, in file order.
    fn listening(&self, event: &str) -> Vec<usize> {
        let of = |found: Option<&Vec<usize>>| found.cloned().unwrap_or_default();
        let by_source = of(self.ruleset.by_source.get(&self.facts.event.source));
        if self.facts.asked == Asked::BySource {
            return by_source;
        }
        let mut listening = of(self.ruleset.by_event.get(event));
        if !by_source.is_empty() {
            listening.extend(by_source);
            listening.sort_unstable();
            listening.dedup();
        }
        listening
    }

    fn listens_by_source(&self, trigger: &Trigger) -> bool {
        matches!(trigger, Trigger::Webhook { source } if *source == self.facts.event.source)
    }

    /// The name of the first trigger that the event sets off.
    fn label(&self, rule: &Rule, event: &str) -> String {
        let named = |trigger: &Trigger| matches!(trigger, Trigger::Event { names, .. } if names.iter().any(|name| name == event));
        let by_name = self.facts.asked != Asked::BySource;
        let index = rule.triggers.iter().position(|t| (by_name && named(t)) || self.listens_by_source(t));
        rule.label(index.unwrap_or(0), event)
    }

    fn manual_run(&self, id: &str, scope: &mut Scope<'static>) -> Option<RuleRun> {
        let rule = self.ruleset.find_rule(id)?;
        let index = rule.triggers.iter().position(|trigger| matches!(trigger, Trigger::Manual { .. }))?;
        Some(self.run(rule, &rule.label(index, "manual"), scope))
    }

    fn timer_run(&self, scope: &mut Scope<'static>) -> Option<RuleRun> {
        let timer = self.facts.timer.as_ref()?;
        let rule = self.ruleset.rules.get(*self.ruleset.by_id.get(&timer.rule_id)?)?;
        let (index, trigger) = if self.facts.event.event_type == TIMER_DUE {
            find_date_trigger(rule, timer.trigger)?
        } else {
            let index = usize::try_from(timer.trigger).ok()?;
            (index, rule.triggers.get(index)?)
        };
        if rule.enabled
            && let Some(stop) = gate::late(rule, (index, trigger), timer, &self.view)
        {
            return Some(skipped(rule, stop));
        }
        Some(self.run(rule, &rule.label(index, &self.facts.event.event_type), scope))
    }

    /// One rule from its beginning.
    fn run(&self, rule: &Rule, trigger: &str, scope: &mut Scope<'static>) -> RuleRun {
        self.guarded(rule, trigger, scope, |walk, scope| self.decide(rule, walk, scope))
    }

    /// One rule, with its own account of operations, time and memory. A panic anywhere below is this rule's failure alone.
    fn guarded(
        &self,
        rule: &Rule,
        trigger: &str,
        scope: &mut Scope<'static>,
        work: impl FnOnce(&mut Walk<'_, '_>, &mut Scope<'static>) -> Result<(), Stop>,
    ) -> RuleRun {
        let height = scope.len();
        limits::begin_rule();
        let result = catch_unwind(AssertUnwindSafe(|| {
            scope.push_constant("trigger", trigger.to_owned());
            let mut walk = Walk::new(self);
            work(&mut walk, scope).map(|()| (walk.planned, walk.waiting))
        }));
        scope.rewind(height);
        let mut run = new_run(rule);
        trigger.clone_into(&mut run.trigger);
        match result {
            Ok(Ok((steps, waiting))) => {
                run.steps = steps;
                // A plan in the shadow waits for nothing.
                if rule.guard.rollout == Rollout::Shadow {
                    run.stopped_at = Some(*gate::shadow(rule).0);
                } else {
                    run.outcome = Outcome::Fired;
                    run.waiting = waiting;
                }
            }
            Ok(Err(stop)) => {
                run.outcome = if stop.0.reason == StopReason::Error { Outcome::Failed } else { Outcome::Skipped };
                run.stopped_at = Some(*stop.0);
            }
            Err(_) => {
                run.outcome = Outcome::Failed;
                run.stopped_at = Some(*gate::panicked(rule).0);
            }
        }
        run.ops = limits::operations();
        run
    }

    fn decide(&self, rule: &Rule, walk: &mut Walk<'_, '_>, scope: &mut Scope<'static>) -> Result<(), Stop> {
        if !rule.enabled {
            return Err(gate::disabled(rule));
        }
        gate::check_override(rule, self.overrides)?;
        gate::check_rollout(rule, self.facts, &self.view)?;
        gate::check_limit(rule, self.facts, &self.view)?;
        self.check(&rule.while_, "while", StopReason::While, scope)?;
        self.check(&rule.if_, "if", StopReason::If, scope)?;
        gate::check_running(rule, self.facts)?;
        self.set_vars(rule, scope)?;
        if rule.waits() {
            scope.push_constant("waited", "no".to_owned());
        }
        walk.steps(rule, &rule.steps, "do", scope).map(|_| ())
    }

    /// Works out the rule's variables.
    fn set_vars(&self, rule: &Rule, scope: &mut Scope<'static>) -> Result<(), Stop> {
        for (name, expr) in &rule.vars {
            let value = self
                .ruleset
                .host
                .eval(expr, scope)
                .map_err(|error| self.failed(format!("vars/{name}"), &error, Some(expr), scope))?;
            scope.push_constant_dynamic(name.as_str(), value);
        }
        Ok(())
    }

    /// The first line that is false stops, and tells what it saw.
    fn check(&self, lines: &[Expr], name: &str, reason: StopReason, scope: &mut Scope<'static>) -> Result<(), Stop> {
        for (index, expr) in lines.iter().enumerate() {
            let path = || format!("{name}/{index}");
            match self.ruleset.host.holds(expr, scope) {
                Ok(true) => {}
                Ok(false) => return Err(self.stopped(reason, path(), expr, scope)),
                Err(error) => return Err(self.failed(path(), &error, Some(expr), scope)),
            }
        }
        Ok(())
    }

    /// The rule listens to `event` only for the case that no other rule fired.
    fn only_unhandled(&self, rule: &Rule, event: &str) -> bool {
        let handles = |trigger: &Trigger| match trigger {
            Trigger::Event { names, unhandled: false } => names.iter().any(|name| name == event),
            other => self.listens_by_source(other),
        };
        !rule.triggers.iter().any(handles)
    }

    /// An error about a rule, with no place in an expression.
    fn stop_at(&self, rule: &Rule, path: &str, message: &str) -> Stop {
        self.failed(path.to_owned(), &ScriptError::at(&rule.file, rule.line, 1, message), None, &Scope::new())
    }

    fn stopped(&self, reason: StopReason, path: String, expr: &Expr, scope: &Scope<'static>) -> Stop {
        Stop::from(StoppedAt {
            reason,
            path,
            file: expr.file.to_string(),
            line: expr.line,
            column: expr.column,
            text: expr.text.clone(),
            values: self.view.seen(expr, scope),
        })
    }

    fn failed(&self, path: String, error: &ScriptError, expr: Option<&Expr>, scope: &Scope<'static>) -> Stop {
        Stop::from(StoppedAt {
            reason: StopReason::Error,
            path,
            file: error.file.to_string(),
            line: error.line,
            column: error.column,
            text: error.message.clone(),
            values: expr.map(|expr| self.view.seen(expr, scope)).unwrap_or_default(),
        })
    }
}

fn skipped(rule: &Rule, stop: Stop) -> RuleRun {
    RuleRun { stopped_at: Some(*stop.0), ..new_run(rule) }
}

fn new_run(rule: &Rule) -> RuleRun {
    RuleRun {
        rule_id: rule.id.clone(),
        file: rule.file.to_string(),
        line: rule.line,
        outcome: Outcome::Skipped,
        stopped_at: None,
        steps: Vec::new(),
        waiting: None,
        resumes: None,
        trigger: String::new(),
        ops: 0,
    }
}
