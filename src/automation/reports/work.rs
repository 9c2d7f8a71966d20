//! Figures about what staff and rules did.

use super::definitions as d;
use super::figure::{Figure, fold};
use super::period::Period;
use crate::domain::time::Timestamp;
use crate::store::reports::{runs, tasks};
use crate::store::{Conn, StoreResult};
use std::collections::BTreeMap;

/// Tasks that are nobody's.
const NOBODY: &str = "(nobody)";
/// Tasks that are done, and nobody in particular did.
const UNKNOWN: &str = "(unknown)";

#[derive(Clone, Copy, Default)]
struct Tasks {
    due: i64,
    done: i64,
    in_time: i64,
    overdue: i64,
}

#[derive(Clone, Copy, Default)]
struct Runs {
    fired: i64,
    failed: i64,
}

pub(super) fn count(conn: &mut Conn, period: Period, now: Timestamp) -> StoreResult<Vec<Figure>> {
    let mut figures = tasks_due(conn, period, now)?;
    figures.extend(rule_runs(conn, period)?);
    Ok(figures)
}

fn tasks_due(conn: &mut Conn, period: Period, now: Timestamp) -> StoreResult<Vec<Figure>> {
    let mut all = Tasks::default();
    let mut staff: BTreeMap<String, Tasks> = BTreeMap::new();
    let mut doers: BTreeMap<String, i64> = BTreeMap::new();
    for row in tasks::count_due(conn, period.span, now)? {
        let counted = Tasks { due: row.due, done: row.done, in_time: row.in_time, overdue: row.overdue };
        all.add(counted);
        if row.done > 0 {
            *doers.entry(row.completed_by.unwrap_or_else(|| UNKNOWN.to_owned())).or_default() += row.done;
        }
        staff.entry(row.assigned_to.unwrap_or_else(|| NOBODY.to_owned())).or_default().add(counted);
    }
    let staff = fold(staff, |t| t.due, Tasks::add);
    let by_staff = staff.iter().flat_map(|(who, tasks)| tasks.figures(Some(who)));
    let doers = fold(doers, |n| *n, |all, n| *all += n);
    let by_doer = doers.iter().map(|(who, n)| Figure::count(&d::TASKS_DONE_BY, Some(who), *n));
    let done = Figure::count(&d::TASKS_DONE_BY, None, all.done);
    Ok(all.figures(None).into_iter().chain(by_staff).chain([done]).chain(by_doer).collect())
}

impl Tasks {
    fn add(&mut self, other: Self) {
        self.due += other.due;
        self.done += other.done;
        self.in_time += other.in_time;
        self.overdue += other.overdue;
    }

    fn figures(self, who: Option<&str>) -> [Figure; 4] {
        [
            Figure::count(&d::TASKS_DUE, who, self.due),
            Figure::rate(&d::TASKS_DONE, who, (self.done, self.due)),
            Figure::rate(&d::TASKS_IN_TIME, who, (self.in_time, self.due)),
            Figure::rate(&d::TASKS_OVERDUE, who, (self.overdue, self.due)),
        ]
    }
}

fn rule_runs(conn: &mut Conn, period: Period) -> StoreResult<Vec<Figure>> {
    let mut all = Runs::default();
    let mut rules: BTreeMap<String, Runs> = BTreeMap::new();
    for row in runs::count(conn, period.span)? {
        let counted = Runs { fired: row.fired, failed: row.failed };
        all.add(counted);
        rules.entry(row.rule_id).or_default().add(counted);
    }
    let rules = fold(rules, |r| r.fired + r.failed, Runs::add);
    let by_rule = rules.iter().flat_map(|(rule, runs)| runs.figures(Some(rule)));
    Ok(all.figures(None).into_iter().chain(by_rule).collect())
}

impl Runs {
    fn add(&mut self, other: Self) {
        self.fired += other.fired;
        self.failed += other.failed;
    }

    fn figures(self, rule: Option<&str>) -> [Figure; 2] {
        let all = self.fired + self.failed;
        [Figure::count(&d::RULE_RUNS, rule, all), Figure::rate(&d::RULE_FAILURES, rule, (self.failed, all))]
    }
}
