//! Holds every planned action against the promises, with the records as they are right before it.

use super::alerts::Alert;
use super::apply::Applying;
use super::quiet;
use super::world::World;
use crate::domain::event::SubjectKind;
use crate::domain::ids::derived_id;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::facts::{ContactFacts, TOUCHPOINTS_MAX};
use crate::engine::plan::{Action, PlannedStep, SeenValue};
use crate::engine::promise::{ActionLimit, Candidate, Promise, Promised, Then, Trial, Verdict, action_name};
use crate::engine::ruleset::Expr;
use crate::engine::script::View;
use crate::telemetry::{Metric, metrics};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One action that counts for limits: when, what, for which booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecentAction {
    /// `sms` or `task`.
    pub action: &'static str,
    /// When a text leaves or left; when a task was made.
    pub at: Timestamp,
    pub booking_id: Option<String>,
}

/// A promise that an action would break, as the trace keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokenPromise {
    pub id: String,
    /// `block`, `move_to_window` or `alert`.
    pub then: String,
    pub file: String,
    pub line: usize,
    /// The promise in words, or why its condition failed.
    pub text: String,
    pub values: Vec<SeenValue>,
}

/// What becomes of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// It is done, at this time.
    Free(Timestamp),
    /// It is not done; the id of the promise that says so.
    Blocked(String),
}

/// The answer of all promises together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub hold: Hold,
    pub broken: Vec<BrokenPromise>,
}

/// Longest span that a text waits from its planning to its leaving: what was planned so long before may still count.
pub const WAITS_MAX: Millis = Millis::DAY;

/// Asks all promises about one action that would take effect at `at`.
pub fn check(world: &World, with: Applying<'_>, action: &Action, at: Timestamp, is_immediate: bool) -> Held {
    let promises = &with.ruleset.promises;
    if !promises.iter().any(|promise| promise.concerns(action_name(action))) {
        return Held { hold: Hold::Free(at), broken: Vec::new() };
    }
    let asking = Asking { world, with, view: view(world, with), action };
    let broken = asking.broken(at, is_immediate);
    let strictest = |then: Then| broken.iter().find(|(promise, _)| promise.then == then).map(|(promise, _)| promise.id.clone());
    let hold = match (strictest(Then::Block), strictest(Then::MoveToWindow)) {
        (Some(id), _) => Hold::Blocked(id),
        (None, Some(id)) => asking.in_window(at, id),
        (None, None) => Hold::Free(at),
    };
    Held { hold, broken: broken.into_iter().map(|(promise, verdict)| told(promise, verdict)).collect() }
}

struct Asking<'a> {
    world: &'a World,
    with: Applying<'a>,
    view: View,
    action: &'a Action,
}

impl<'a> Asking<'a> {
    fn broken(&self, at: Timestamp, is_immediate: bool) -> Vec<(&'a Promise, Verdict)> {
        let candidate = Candidate { action: self.action, rule_id: self.with.rule_id, at, is_immediate };
        let mut trial = Trial::new(self.with.ruleset, &self.view, candidate);
        let promises = self.with.ruleset.promises.iter().filter(|promise| promise.concerns(action_name(self.action)));
        promises.map(|p| (p, self.verdict(p, &mut trial, at))).filter(|(_, verdict)| *verdict != Verdict::Kept).collect()
    }

    fn verdict(&self, promise: &Promise, trial: &mut Trial<'_>, at: Timestamp) -> Verdict {
        match &promise.what {
            Promised::Never(lines) => trial.check_never(lines),
            Promised::Limit(limit) if limit.action == action_name(self.action) => self.count(*limit, at),
            Promised::Limit(_) => Verdict::Kept,
        }
    }

    /// Also what leaves later than this one counts: no span of that length may hold more.
    fn count(&self, limit: ActionLimit, at: Timestamp) -> Verdict {
        let since = at - limit.within;
        let booking = self.with.booking_id;
        let is_counted = |recent: &&RecentAction| {
            let same_subject = limit.per != SubjectKind::Booking || recent.booking_id.as_deref() == booking;
            recent.action == limit.action && recent.at > since && same_subject
        };
        let count = self.world.recent.iter().filter(is_counted).count();
        if count < limit.max as usize {
            return Verdict::Kept;
        }
        Verdict::Broken(vec![SeenValue { path: limit.action.to_owned(), value: count.to_string() }])
    }

    /// A text moves to when texts may leave; if that keeps the promise no better, it does not leave at all.
    fn in_window(&self, at: Timestamp, promise_id: String) -> Hold {
        if !matches!(self.action, Action::Sms { .. }) {
            return Hold::Blocked(promise_id);
        }
        let moved = quiet::next_allowed(self.with.clinic, at);
        let forbids = |(promise, _): &(&Promise, Verdict)| promise.then != Then::Alert;
        match self.broken(moved, false).iter().find(|broken| forbids(broken)) {
            Some((promise, _)) => Hold::Blocked(promise.id.clone()),
            None => Hold::Free(moved),
        }
    }
}

fn view(world: &World, with: Applying<'_>) -> View {
    // Up to a hundred records, copied for every action: only where somebody reads them.
    let wanted = if reads_touchpoints(&with.ruleset.promises) { TOUCHPOINTS_MAX } else { 0 };
    let touchpoints = world.touchpoints.iter().take(wanted).cloned().collect();
    let contact =
        world.contact_facts(with.now).map(|facts| Arc::new(ContactFacts { touchpoints, ..Arc::unwrap_or_clone(facts) }));
    let booking = with.booking_id.and_then(|id| world.find_booking(id)).cloned().map(Arc::new);
    View::of_records(&with.ruleset.catalogue.clinic, contact.as_ref(), booking.as_ref(), with.now)
}

fn reads_touchpoints(promises: &[Promise]) -> bool {
    const READ: [&str; 3] = ["contact", "contact.touchpoints", "contact.last_touch_at"];
    let reads = |line: &Expr| line.reads.iter().any(|path| READ.contains(&path.as_str()));
    promises.iter().any(|promise| matches!(&promise.what, Promised::Never(lines) if lines.iter().any(reads)))
}

/// How often promises were broken: counted once it is written.
pub fn count_broken(broken: &[String]) {
    for then in broken {
        metrics::counter(Metric::PromisesBroken, &[("then", then)], 1);
    }
}

fn told(promise: &Promise, verdict: Verdict) -> BrokenPromise {
    let (text, values) = match verdict {
        Verdict::Failed(why) => (format!("the condition failed: {why}"), Vec::new()),
        Verdict::Broken(values) => (promise.text(), values),
        Verdict::Kept => (promise.text(), Vec::new()),
    };
    let then = promise.then.as_str().to_owned();
    BrokenPromise { id: promise.id.clone(), then, file: promise.file.to_string(), line: promise.line, text, values }
}

/// Notes what was broken: for the metrics, and in front of a person where the promise asks for that.
pub fn note(world: &mut World, with: Applying<'_>, step: &PlannedStep, broken: &[BrokenPromise]) {
    for promise in broken {
        world.changes.promises_broken.push(promise.then.clone());
        if promise.then == Then::Alert.as_str() {
            alert(world, with, step, promise);
        }
    }
}

fn alert(world: &mut World, with: Applying<'_>, step: &PlannedStep, broken: &BrokenPromise) {
    let Some(promise) = with.ruleset.promises.iter().find(|p| p.id == broken.id) else { return };
    let contact_id = world.contact.as_ref().map(|c| c.id.clone());
    let alert = Alert {
        key: format!("promise:{}:{}", promise.id, contact_id.as_deref().unwrap_or("-")),
        title: format!("Promise {} was broken", promise.id),
        because: format!("Rule {} did what {} should not happen: {}", with.rule_id, place(promise), broken.text),
        owner: promise.owner.clone(),
        contact_id,
        run_id: Some(with.run_id.to_owned()),
    };
    let key = alert.dedupe_key();
    if world.open_tasks.iter().any(|t| t.dedupe_key.as_ref() == Some(&key) && t.status.is_open()) {
        return;
    }
    let id = derived_id(with.event.timestamp, &[with.run_id, &step.path, "promise", &promise.id]);
    let mut task = alert.task(id, with.clinic, with.now);
    if task.contact_id.is_none() {
        world.changes.loose_tasks.push(task);
        return;
    }
    task.is_demo = world.contact.as_ref().is_some_and(|c| c.is_demo);
    world.changes.tasks.insert(task.id.clone());
    world.changes.contact = true;
    world.open_tasks.push(Arc::new(task));
}

fn place(promise: &Promise) -> String {
    format!("by {}:{}", promise.file, promise.line)
}
