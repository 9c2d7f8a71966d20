//! The job table against a model of it in memory: any sequence of operations, by workers and zombies alike, some of which die
//! right before their commit, leaves both the same.

use super::TestStore;
use super::test_store::{Queue, START};
use avatar::domain::job::ClaimedJob;
use avatar::domain::time::{Millis, Timestamp};
use avatar::store::jobs::{self, ClaimRequest, JobFilter, RESCUES_MAX};
use avatar::store::{StoreError, StoreResult, Tx, workers};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::Config;
use std::collections::BTreeMap;

#[derive(Clone, Debug)]
enum Op {
    Enqueue {
        lane: Option<u8>,
        unique: Option<u8>,
    },
    Claim {
        limit: usize,
    },
    Complete {
        held: usize,
    },
    Fail {
        held: usize,
        retry: bool,
    },
    Snooze {
        held: usize,
    },
    Release {
        held: usize,
    },
    Cancel {
        nth: usize,
    },
    RetryDead,
    Discard,
    /// All workers die and their jobs are rescued.
    Rescue,
    Wait,
}

fn op() -> impl Strategy<Value = Op> {
    let held = 0usize..8;
    prop_oneof![
        4 => (proptest::option::of(0u8..2), proptest::option::weighted(0.3, 0u8..2)).prop_map(|(lane, unique)| Op::Enqueue { lane, unique }),
        4 => (1usize..4).prop_map(|limit| Op::Claim { limit }),
        3 => held.clone().prop_map(|held| Op::Complete { held }),
        3 => (held.clone(), any::<bool>()).prop_map(|(held, retry)| Op::Fail { held, retry }),
        1 => held.clone().prop_map(|held| Op::Snooze { held }),
        1 => held.clone().prop_map(|held| Op::Release { held }),
        1 => held.prop_map(|nth| Op::Cancel { nth }),
        1 => Just(Op::RetryDead),
        1 => Just(Op::Discard),
        2 => Just(Op::Rescue),
        2 => Just(Op::Wait),
    ]
}

/// What the model knows of a job; compared field by field with the row.
#[derive(Clone, Debug, PartialEq)]
struct Modelled {
    state: &'static str,
    lane: Option<String>,
    unique: Option<String>,
    run_at: i64,
    attempt: i32,
    rescues: i32,
    token: i64,
}

#[derive(Clone, Default)]
struct Model {
    jobs: BTreeMap<i64, Modelled>,
}

const ATTEMPTS_MAX: i32 = 3;

impl Model {
    fn lane_is_free(&self, lane: Option<&String>) -> bool {
        lane.is_none() || !self.jobs.values().any(|j| j.lane.as_ref() == lane && matches!(j.state, "ready" | "running"))
    }

    fn promote(&mut self, lane: Option<String>) {
        if lane.is_some()
            && let Some(next) = self.jobs.values_mut().find(|j| j.lane == lane && j.state == "lane_blocked")
        {
            next.state = "ready";
        }
    }

    fn remove(&mut self, id: i64) {
        let gone = self.jobs.remove(&id);
        if let Some(gone) = gone.filter(|gone| matches!(gone.state, "ready" | "running")) {
            self.promote(gone.lane);
        }
    }

    fn kill(&mut self, id: i64) {
        let job = self.jobs.get_mut(&id).unwrap();
        job.state = "dead";
        let lane = job.lane.clone();
        self.promote(lane);
    }

    fn enqueue(&mut self, id: Option<i64>, lane: Option<String>, unique: Option<String>, now: Timestamp) {
        let known = unique.is_some() && self.jobs.values().any(|j| j.unique == unique);
        assert_eq!(id.is_none(), known);
        let state = if self.lane_is_free(lane.as_ref()) { "ready" } else { "lane_blocked" };
        if let Some(id) = id {
            self.jobs.insert(id, Modelled { state, lane, unique, run_at: now.0, attempt: 0, rescues: 0, token: 0 });
        }
    }

    fn claim(&mut self, limit: usize, now: Timestamp) -> Vec<i64> {
        let mut due: Vec<(i64, i64)> =
            self.jobs.iter().filter(|(_, j)| j.state == "ready" && j.run_at <= now.0).map(|(id, j)| (j.run_at, *id)).collect();
        due.sort_unstable();
        let ids: Vec<i64> = due.into_iter().take(limit).map(|(_, id)| id).collect();
        for id in &ids {
            let job = self.jobs.get_mut(id).unwrap();
            (job.state, job.unique) = ("running", None);
            job.attempt += 1;
            job.token += 1;
        }
        ids
    }

    /// The fence.
    fn holds(&self, job: &ClaimedJob) -> bool {
        self.jobs.get(&job.id).is_some_and(|j| j.state == "running" && j.token == job.lease_token)
    }

    fn fail(&mut self, id: i64, retry_at: Option<Timestamp>, now: Timestamp) {
        let job = self.jobs.get_mut(&id).unwrap();
        job.run_at = now.0;
        match retry_at.filter(|_| job.attempt < ATTEMPTS_MAX) {
            Some(at) => (job.state, job.run_at) = ("ready", at.0),
            None => self.kill(id),
        }
    }

    fn hand_back(&mut self, id: i64, run_at: Option<Timestamp>) {
        let job = self.jobs.get_mut(&id).unwrap();
        job.state = "ready";
        job.attempt -= 1;
        job.token += 1;
        job.run_at = run_at.map_or(job.run_at, |t| t.0);
    }

    fn rescue(&mut self, now: Timestamp) {
        let running: Vec<i64> = self.jobs.iter().filter(|(_, j)| j.state == "running").map(|(id, _)| *id).collect();
        for id in running {
            let job = self.jobs.get_mut(&id).unwrap();
            job.rescues += 1;
            job.token += 1;
            job.run_at = now.0;
            job.state = "ready";
            if job.rescues >= RESCUES_MAX || job.attempt >= ATTEMPTS_MAX {
                self.kill(id);
            }
        }
    }

    fn dead(&self) -> Vec<i64> {
        self.jobs.iter().filter(|(_, j)| j.state == "dead").map(|(id, _)| *id).collect()
    }

    fn retry_dead(&mut self, now: Timestamp) {
        for id in self.dead() {
            let state = if self.lane_is_free(self.jobs[&id].lane.as_ref()) { "ready" } else { "lane_blocked" };
            let job = self.jobs.get_mut(&id).unwrap();
            (job.state, job.run_at, job.attempt, job.rescues) = (state, now.0, 0, 0);
        }
    }
}

/// The store, the model, and every claim that anybody ever held.
struct Both {
    t: TestStore,
    model: Model,
    held: Vec<ClaimedJob>,
    worker: i64,
}

impl Both {
    fn new() -> Self {
        let t = TestStore::sqlite();
        let worker = Queue::of(&t).worker;
        Self { t, model: Model::default(), held: Vec::new(), worker }
    }

    /// Runs it in a transaction; `dies` ends the process's life right before the commit.
    fn write<T: Send + 'static>(
        &self,
        dies: bool,
        work: impl FnOnce(&mut Tx<'_>) -> StoreResult<T> + Send + 'static,
    ) -> StoreResult<T> {
        self.t.store.write_now(move |tx| {
            let done = work(tx)?;
            if dies { Err(StoreError::Unavailable { reason: "died".into() }) } else { Ok(done) }
        })
    }

    fn apply(&mut self, op: &Op, dies: bool) {
        let now = self.t.now();
        match op {
            Op::Enqueue { lane, unique } => {
                let mut job = Queue::job("k");
                job.run_at = now;
                job.lane_key = lane.map(|n| format!("lane{n}"));
                job.unique_key = unique.map(|n| format!("unique{n}"));
                let (lane, unique) = (job.lane_key.clone(), job.unique_key.clone());
                if let Ok(id) = self.write(dies, move |tx| jobs::enqueue(tx, &job, now)) {
                    self.model.enqueue(id, lane, unique, now);
                }
            }
            Op::Claim { limit } => {
                let (worker, limit) = (self.worker, *limit);
                let request = ClaimRequest { queue: "test", limit, turn: 0 };
                if let Ok(claimed) = self.write(dies, move |tx| jobs::claim(tx, worker, &request, now)) {
                    let expected = self.model.claim(limit, now);
                    assert_eq!(claimed.iter().map(|job| job.id).collect::<Vec<_>>(), expected);
                    self.held.extend(claimed);
                }
            }
            Op::Complete { held } => {
                self.fenced(*held, dies, now, jobs::complete, |m, id, _| m.remove(id));
            }
            Op::Fail { held, retry } => {
                let retry_at = retry.then_some(now + Millis::MINUTE);
                let work = move |tx: &mut Tx<'_>, job: &ClaimedJob, now| jobs::fail(tx, job, "no", retry_at, now).map(drop);
                self.fenced(*held, dies, now, work, |m, id, now| m.fail(id, retry_at, now));
            }
            Op::Snooze { held } => {
                let until = now + Millis::MINUTE;
                let work = move |tx: &mut Tx<'_>, job: &ClaimedJob, now| jobs::snooze(tx, job, until, now);
                self.fenced(*held, dies, now, work, |m, id, _| m.hand_back(id, Some(until)));
            }
            Op::Release { held } => {
                self.fenced(*held, dies, now, jobs::release, |m, id, _| m.hand_back(id, None));
            }
            Op::Cancel { nth } => {
                let id = self.model.jobs.iter().filter(|(_, j)| j.state != "running").map(|(id, _)| *id).nth(*nth);
                let Some(id) = id else { return };
                if self.write(dies, move |tx| jobs::cancel(tx, id, now)).is_ok() {
                    self.model.remove(id);
                }
            }
            Op::RetryDead => {
                if self.write(dies, move |tx| jobs::retry_dead(tx, &JobFilter::default(), now)).is_ok() {
                    self.model.retry_dead(now);
                }
            }
            Op::Discard => {
                if self.write(dies, move |tx| jobs::discard(tx, &JobFilter::default(), now)).is_ok() {
                    self.model.dead().into_iter().for_each(|id| self.model.remove(id));
                }
            }
            Op::Rescue => {
                let worker = self.worker;
                let work = move |tx: &mut Tx<'_>| {
                    workers::retire(tx, worker, now)?;
                    jobs::rescue(tx, now)
                };
                if self.write(dies, work).is_ok() {
                    self.model.rescue(now);
                    self.worker = Queue::of(&self.t).worker;
                }
            }
            Op::Wait => self.t.clock.advance(Millis::seconds(40)),
        }
    }

    /// Any claim ever made may try, whether its lease is lost or not.
    fn fenced(
        &mut self,
        held: usize,
        dies: bool,
        now: Timestamp,
        work: impl FnOnce(&mut Tx<'_>, &ClaimedJob, Timestamp) -> StoreResult<()> + Send + 'static,
        model: impl FnOnce(&mut Model, i64, Timestamp),
    ) {
        let Some(job) = self.held.iter().rev().nth(held).cloned() else { return };
        let id = job.id;
        let holds = self.model.holds(&job);
        let done = self.write(dies, move |tx| work(tx, &job, now));
        assert_eq!(matches!(done, Err(StoreError::LeaseLost)), !holds);
        if done.is_ok() {
            model(&mut self.model, id, now);
        }
    }

    fn compare(&self, after: &Op) {
        let rows = self.t.store.read_now(|conn| jobs::list(conn, &JobFilter::default(), None, 200)).unwrap();
        let rows: BTreeMap<i64, _> = rows
            .into_iter()
            .map(|j| (j.id, (j.state, j.lane_key, j.unique_key, j.run_at, j.attempt, j.rescues, j.lease_token)))
            .collect();
        let expected = self.model.jobs.iter().map(|(id, j)| {
            (*id, (j.state.to_owned(), j.lane.clone(), j.unique.clone(), j.run_at, j.attempt, j.rescues, j.token))
        });
        assert_eq!(rows, expected.collect::<BTreeMap<_, _>>(), "after {after:?}");
    }
}

proptest! {
    #![proptest_config(Config { cases: 24, failure_persistence: None, ..Config::default() })]
    #[test]
    fn the_table_and_the_model_agree(ops in vec((op(), prop::bool::weighted(0.1)), 20..60)) {
        let mut both = Both::new();
        assert_eq!(both.t.now(), START);
        for (op, dies) in &ops {
            both.apply(op, *dies);
            both.compare(op);
        }
    }
}
