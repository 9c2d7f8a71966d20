//! Goes through the steps of a rule: which are taken, in which order, and where the run waits or ends.

use super::worth::Worth;
use super::{Bench, Stop, keep};
use crate::domain::booking::Booking;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::plan::{Action, PlannedStep, StopReason, StoppedAt, Waiting};
use crate::engine::ruleset::{Branch, Expr, Rule, Step, StepAction, Wait};
use crate::engine::script::{ScriptError, booking_of};
use rhai::{Dynamic, Scope};

/// Rounds of one `each`; further items are left out, and the trace says so.
pub const EACH_ROUNDS_MAX: usize = 50;
/// Steps that one run may come to.
pub const PLANNED_STEPS_MAX: usize = 500;
/// Rules that run one another at run time; the checker refuses more.
const RUN_DEPTH_MAX: usize = 5;
/// Longest wait: what an expression comes to is held to it, too.
const WAIT_MAX: Millis = Millis::days(365);

/// What comes after a step.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Next,
    Stopped,
    Waiting,
}

pub(super) struct Walk<'b, 'r> {
    bench: &'b Bench<'r>,
    pub planned: Vec<PlannedStep>,
    pub waiting: Option<Waiting>,
    /// Rules that this one was run by.
    depth: usize,
    /// The booking that the steps are about, when that is not the run's own.
    about: Option<String>,
}

impl<'b, 'r> Walk<'b, 'r> {
    pub fn new(bench: &'b Bench<'r>) -> Self {
        Self { bench, planned: Vec::new(), waiting: None, depth: 0, about: None }
    }

    /// All steps of a list; `path` is that of the list.
    pub fn steps(&mut self, rule: &Rule, steps: &[Step], path: &str, scope: &mut Scope<'static>) -> Result<Flow, Stop> {
        self.from(rule, steps, path, 0, scope)
    }

    /// The steps after the one at `position`, a path inside of the list.
    pub fn after(
        &mut self,
        rule: &Rule,
        steps: &[Step],
        path: &str,
        position: &str,
        scope: &mut Scope<'static>,
    ) -> Result<Flow, Stop> {
        let gone = || self.bench.stop_at(rule, position, "the step that waited is no more");
        let rest = position.strip_prefix(path).and_then(|rest| rest.strip_prefix('/')).ok_or_else(gone)?;
        let (index, inner) = rest.split_once('/').map_or((rest, None), |(index, inner)| (index, Some(inner)));
        let index: usize = index.parse().map_err(|_| gone())?;
        let Some(inner) = inner else { return self.from(rule, steps, path, index + 1, scope) };
        let branch =
            inner.strip_prefix("choose/").and_then(|rest| rest.split('/').next()?.parse::<usize>().ok()).ok_or_else(gone)?;
        let Some(StepAction::Choose(branches)) = steps.get(index).map(|step| &step.action) else { return Err(gone()) };
        let found = branches.get(branch).ok_or_else(gone)?;
        let below = format!("{path}/{index}/choose/{branch}/do");
        match self.after(rule, &found.steps, &below, position, scope)? {
            Flow::Next => self.from(rule, steps, path, index + 1, scope),
            other => Ok(other),
        }
    }

    fn from(&mut self, rule: &Rule, steps: &[Step], path: &str, first: usize, scope: &mut Scope<'static>) -> Result<Flow, Stop> {
        for (index, step) in steps.iter().enumerate().skip(first) {
            let flow = self.step(rule, step, &format!("{path}/{index}"), scope)?;
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn step(&mut self, rule: &Rule, step: &Step, path: &str, scope: &mut Scope<'static>) -> Result<Flow, Stop> {
        if let Some(held) = self.held(&step.if_, &format!("{path}/if"), scope)? {
            self.push(rule, step.line, path, None, Some(held))?;
            return Ok(Flow::Next);
        }
        let worth = Worth { bench: self.bench, file: &rule.file, line: step.line, path };
        match &step.action {
            StepAction::Choose(branches) => return self.choose(rule, branches, path, scope),
            StepAction::Each { .. } => return self.each(rule, &step.action, path, scope),
            StepAction::Run(id) => return self.run(rule, step, id, path, scope),
            StepAction::Wait(wait) => return self.wait(rule, wait, &worth, scope),
            StepAction::Stop { reason } => {
                self.push(rule, step.line, path, Some(Action::Stop { reason: reason.clone() }), None)?;
                return Ok(Flow::Stopped);
            }
            StepAction::Plan(expr) => {
                for (index, actions) in self.bench.planned_by_script(rule, &worth, expr, scope)?.into_iter().enumerate() {
                    for (name, action) in actions {
                        let stops = matches!(action, Action::Stop { .. });
                        self.push(rule, step.line, &format!("{path}/plan/{index}{name}"), Some(action), None)?;
                        if stops {
                            return Ok(Flow::Stopped);
                        }
                    }
                }
            }
            StepAction::Set(fields) => {
                for (field, value) in fields {
                    let value = worth.field_value(field, value, scope)?;
                    let action = Action::Set { field: field.clone(), value };
                    self.push(rule, step.line, &format!("{path}/{field}"), Some(action), None)?;
                }
            }
            _ => {
                let action = self.bench.plan_action(rule, &step.action, &worth, scope)?;
                self.push(rule, step.line, path, Some(action), None)?;
            }
        }
        Ok(Flow::Next)
    }

    /// The first condition that does not hold; `None` when all do.
    fn held(&self, lines: &[Expr], path: &str, scope: &mut Scope<'static>) -> Result<Option<StoppedAt>, Stop> {
        match self.bench.check(lines, path, StopReason::If, scope) {
            Ok(()) => Ok(None),
            Err(stop) if stop.0.reason == StopReason::Error => Err(stop),
            Err(stop) => Ok(Some(*stop.0)),
        }
    }

    fn push(
        &mut self,
        rule: &Rule,
        line: usize,
        path: &str,
        action: Option<Action>,
        held_back: Option<StoppedAt>,
    ) -> Result<(), Stop> {
        if self.planned.len() >= PLANNED_STEPS_MAX {
            return Err(self.bench.stop_at(rule, path, &format!("a run has at most {PLANNED_STEPS_MAX} steps")));
        }
        let booking_id = self.about.clone();
        self.planned.push(PlannedStep { path: path.to_owned(), line, action, booking_id, held_back });
        Ok(())
    }

    fn choose(&mut self, rule: &Rule, branches: &[Branch], path: &str, scope: &mut Scope<'static>) -> Result<Flow, Stop> {
        for (index, branch) in branches.iter().enumerate() {
            let way = format!("{path}/choose/{index}");
            match self.held(&branch.if_, &format!("{way}/if"), scope)? {
                None => return self.steps(rule, &branch.steps, &format!("{way}/do"), scope),
                Some(held) => self.push(rule, branch.line, &way, None, Some(held))?,
            }
        }
        Ok(Flow::Next)
    }

    fn each(&mut self, rule: &Rule, each: &StepAction, path: &str, scope: &mut Scope<'static>) -> Result<Flow, Stop> {
        let StepAction::Each { list, name, of_bookings, steps } = each else { return Ok(Flow::Next) };
        let items = self.items(list, path, scope)?;
        let count = items.len();
        let height = scope.len();
        for (round, item) in items.into_iter().take(EACH_ROUNDS_MAX).enumerate() {
            scope.push_constant_dynamic(name.as_str(), item.clone());
            let below = format!("{path}/each/{round}/do");
            let flow = match booking_of(&item).filter(|_| *of_bookings) {
                Some(booking) => self.about(&booking, item, scope, |walk, scope| walk.steps(rule, steps, &below, scope))?,
                None => self.steps(rule, steps, &below, scope)?,
            };
            scope.rewind(height);
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        if count > EACH_ROUNDS_MAX {
            let left_out = format!(
                "`each` makes at most {EACH_ROUNDS_MAX} rounds: {} of {count} items were left out",
                count - EACH_ROUNDS_MAX
            );
            let mut stop = self.bench.stop_at(rule, &format!("{path}/each"), &left_out);
            stop.0.reason = StopReason::Limited;
            self.push(rule, list.line, &format!("{path}/each"), None, Some(*stop.0))?;
        }
        Ok(Flow::Next)
    }

    fn items(&self, list: &Expr, path: &str, scope: &mut Scope<'static>) -> Result<rhai::Array, Stop> {
        let value = self.bench.ruleset.host.eval(list, scope);
        let value = value.map_err(|error| self.bench.failed(format!("{path}/in"), &error, Some(list), scope))?;
        value.into_array().map_err(|got| {
            let error = ScriptError::in_expr(list, format!("`each` goes through a list, this is {got}"));
            self.bench.failed(format!("{path}/in"), &error, Some(list), scope)
        })
    }

    /// Steps about another booking than the run's own: texts, tasks, fields and other rules' steps see that one.
    fn about(
        &mut self,
        booking: &Booking,
        record: Dynamic,
        scope: &mut Scope<'static>,
        work: impl FnOnce(&mut Walk<'_, 'r>, &mut Scope<'static>) -> Result<Flow, Stop>,
    ) -> Result<Flow, Stop> {
        scope.push_constant_dynamic("booking", record.clone());
        let Bench { ruleset, overrides, facts, view } = self.bench;
        let bench = Bench { ruleset, overrides, facts, view: view.about_booking(record) };
        let planned = std::mem::take(&mut self.planned);
        let mut walk = Walk { bench: &bench, planned, waiting: None, depth: self.depth, about: Some(booking.id.clone()) };
        let flow = work(&mut walk, scope);
        self.planned = walk.planned;
        flow
    }

    /// `stop` in the other rule ends that rule alone.
    fn run(&mut self, rule: &Rule, step: &Step, id: &str, path: &str, scope: &mut Scope<'static>) -> Result<Flow, Stop> {
        let Some(other) = self.bench.ruleset.find_rule(id) else {
            return Err(self.bench.stop_at(rule, path, &format!("there is no rule {id}")));
        };
        if self.depth >= RUN_DEPTH_MAX {
            return Err(self.bench.stop_at(rule, path, &format!("rules run one another more than {RUN_DEPTH_MAX} deep")));
        }
        let inside = format!("{path}/run");
        if !other.enabled {
            let held = *super::gate::disabled(other).0;
            self.push(rule, step.line, &inside, None, Some(held))?;
            return Ok(Flow::Next);
        }
        if let Some(held) = self.held(&other.if_, &format!("{inside}/if"), scope)? {
            self.push(rule, step.line, &inside, None, Some(held))?;
            return Ok(Flow::Next);
        }
        self.depth += 1;
        let height = scope.len();
        self.bench.set_vars(other, scope)?;
        self.steps(other, &other.steps, &format!("{inside}/do"), scope)?;
        scope.rewind(height);
        self.depth -= 1;
        Ok(Flow::Next)
    }

    fn wait(&mut self, rule: &Rule, wait: &Wait, worth: &Worth<'_>, scope: &mut Scope<'static>) -> Result<Flow, Stop> {
        let now = self.bench.view.now;
        let (until, event): (Timestamp, Option<String>) = match wait {
            Wait::For(span) => (now + *span, None),
            Wait::Until(value) => (worth.due("until", value, scope)?, None),
            Wait::Event { name, limit } => (now + *limit, Some(name.clone())),
        };
        if until > now + WAIT_MAX {
            return Err(worth.error("until", &format!("a wait lasts at most {} days", WAIT_MAX.0 / Millis::DAY.0)));
        }
        let vars = keep::vars(rule, scope).map_err(|name| worth.error("vars", &format!("`{name}` cannot be kept")))?;
        self.waiting = Some(Waiting { path: worth.path.to_owned(), until, event, vars });
        Ok(Flow::Waiting)
    }
}
