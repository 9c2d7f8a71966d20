//! What the job table promises: one claim, a fence, rescue, parking, unique keys.

use super::TestStore;
use super::conformance::Case;
use super::test_store::Queue;
use avatar::domain::time::Millis;
use avatar::store::jobs::{self, Cancelled, ClaimRequest, Failed, JobFilter};
use avatar::store::{StoreError, workers};

pub const CASES: &[Case] = &[
    ("a_job_exists_only_if_its_cause_committed", a_job_exists_only_if_its_cause_committed),
    ("a_job_is_claimed_once", a_job_is_claimed_once),
    ("a_zombie_cannot_finish_what_was_taken_from_it", a_zombie_cannot_finish_what_was_taken_from_it),
    ("a_dead_workers_jobs_are_rescued_and_a_live_ones_are_not", a_dead_workers_jobs_are_rescued_and_a_live_ones_are_not),
    ("a_job_past_its_deadline_is_rescued", a_job_past_its_deadline_is_rescued),
    ("a_poison_job_parks_and_comes_back_by_hand", a_poison_job_parks_and_comes_back_by_hand),
    ("a_job_rescued_three_times_parks", a_job_rescued_three_times_parks),
    ("a_unique_key_is_free_again_at_the_claim", a_unique_key_is_free_again_at_the_claim),
    ("better_priorities_come_first_but_starve_nobody", better_priorities_come_first_but_starve_nobody),
    ("a_paused_queue_rests", a_paused_queue_rests),
    ("release_and_snooze_give_the_attempt_back", release_and_snooze_give_the_attempt_back),
    ("a_job_can_be_cancelled_in_any_state", a_job_can_be_cancelled_in_any_state),
    ("history_tells_how_a_job_ended_and_is_pruned", history_tells_how_a_job_ended_and_is_pruned),
    ("many_jobs_are_completed_with_one_statement", many_jobs_are_completed_with_one_statement),
    ("a_worker_declared_dead_learns_of_it", a_worker_declared_dead_learns_of_it),
];

fn a_job_exists_only_if_its_cause_committed(t: &TestStore) {
    let q = Queue::of(t);
    let now = t.now();
    let undone = t.store.write_now(move |tx| {
        jobs::enqueue(tx, &Queue::job("send"), now)?;
        Err::<(), _>(StoreError::Conflict { what: "something else" })
    });
    assert!(undone.is_err());
    assert!(q.claim(10).is_empty());
    q.enqueue(Queue::job("send")).unwrap();
    assert_eq!(q.claim(10).len(), 1);
}

fn a_job_is_claimed_once(t: &TestStore) {
    let q = Queue::of(t);
    for _ in 0..40 {
        q.enqueue(Queue::job("send")).unwrap();
    }
    let mut ids: Vec<i64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| Queue::of(t).claim(15))).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).map(|job| job.id).collect()
    });
    ids.extend(q.claim(40).iter().map(|job| job.id));
    ids.sort_unstable();
    let before = ids.len();
    ids.dedup();
    assert_eq!((before, ids.len()), (40, 40));
}

fn a_zombie_cannot_finish_what_was_taken_from_it(t: &TestStore) {
    let zombie = Queue::of(t);
    zombie.enqueue(Queue::job("send")).unwrap();
    let held = zombie.claim(1).remove(0);
    t.clock.advance(Millis::HOUR);
    assert_eq!(zombie.rescue(), 1);
    let other = Queue::of(t);
    let taken = other.claim(1).remove(0);
    assert_eq!(taken.id, held.id);
    // The zombie wakes up while the other one works, and again when the other one is done.
    for _ in 0..2 {
        let (job, now) = (held.clone(), t.now());
        let finished = t.store.write_now(move |tx| {
            jobs::complete(tx, &job, now)?;
            jobs::enqueue(tx, &Queue::job("effect"), now)
        });
        assert!(matches!(finished, Err(StoreError::LeaseLost)));
        assert!(matches!(zombie.fail(&held, Some(Millis::SECOND)), Err(StoreError::LeaseLost)));
        let (job, now) = (held.clone(), t.now());
        assert!(matches!(t.store.write_now(move |tx| jobs::release(tx, &job, now)), Err(StoreError::LeaseLost)));
        let (job, now) = (taken.clone(), t.now());
        drop(t.store.write_now(move |tx| jobs::complete(tx, &job, now)));
    }
    assert!(other.claim(10).is_empty(), "the zombie's effect was undone");
}

fn a_dead_workers_jobs_are_rescued_and_a_live_ones_are_not(t: &TestStore) {
    let (dead, alive) = (Queue::of(t), Queue::of(t));
    for _ in 0..2 {
        dead.enqueue(Queue::job("send")).unwrap();
    }
    let (lost, kept) = (dead.claim(1).remove(0), alive.claim(1).remove(0));
    t.clock.advance(Millis::seconds(5));
    assert!(alive.heartbeat());
    t.clock.advance(Millis::seconds(4));
    assert_eq!(alive.rescue(), 1);
    let again = alive.claim(10);
    assert_eq!(again.iter().map(|job| (job.id, job.attempt, job.rescues)).collect::<Vec<_>>(), [(lost.id, 2, 1)]);
    assert!(again[0].lease_token > lost.lease_token);
    alive.complete(&kept).unwrap();
}

fn a_job_past_its_deadline_is_rescued(t: &TestStore) {
    let q = Queue::of(t);
    let mut job = Queue::job("send");
    job.timeout = Millis::seconds(2);
    q.enqueue(job).unwrap();
    q.claim(1);
    t.clock.advance(Millis::seconds(4));
    assert!(q.heartbeat());
    assert_eq!(q.rescue(), 0, "the worker itself has until the grace is over");
    t.clock.advance(Millis(1));
    assert_eq!(q.rescue(), 1);
}

fn a_poison_job_parks_and_comes_back_by_hand(t: &TestStore) {
    let q = Queue::of(t);
    let id = q.enqueue(Queue::job("send")).unwrap();
    for attempt in 1..=3 {
        let job = q.claim(1).remove(0);
        assert_eq!(job.attempt, attempt);
        let failed = q.fail(&job, Some(Millis::SECOND)).unwrap();
        assert_eq!(failed, if attempt < 3 { Failed::Retry } else { Failed::Dead });
        assert!(q.claim(1).is_empty(), "not before its time");
        t.clock.advance(Millis::SECOND);
    }
    assert!(q.claim(1).is_empty());
    let detail = t.store.read_now(move |conn| jobs::show(conn, id)).unwrap().unwrap();
    assert_eq!(detail.job.unwrap().last_error.as_deref(), Some("no answer"));
    assert_eq!(detail.attempts.iter().map(|a| a.outcome.as_str()).collect::<Vec<_>>(), ["retry", "retry", "dead"]);
    let now = t.now();
    let by_kind = |kind: &str| JobFilter { kind: Some(kind.into()), ..JobFilter::default() };
    let (wrong, right) = (by_kind("other"), by_kind("send"));
    assert_eq!(t.store.write_now(move |tx| jobs::retry_dead(tx, &wrong, now)).unwrap(), 0);
    assert_eq!(t.store.write_now(move |tx| jobs::retry_dead(tx, &right, now)).unwrap(), 1);
    let job = q.claim(1).remove(0);
    assert_eq!((job.id, job.attempt), (id, 1));
    q.fail(&job, None).unwrap();
    assert_eq!(t.store.write_now(move |tx| jobs::discard(tx, &JobFilter::default(), now)).unwrap(), 1);
    let detail = t.store.read_now(move |conn| jobs::show(conn, id)).unwrap().unwrap();
    assert_eq!(detail.finished.unwrap().outcome, "discarded");
}

fn a_job_rescued_three_times_parks(t: &TestStore) {
    let mut job = Queue::job("send");
    job.max_attempts = 100;
    let id = Queue::of(t).enqueue(job).unwrap();
    for _ in 0..3 {
        let crashing = Queue::of(t);
        assert_eq!(crashing.claim(1).len(), 1);
        t.clock.advance(Millis::HOUR);
        assert_eq!(crashing.rescue(), 1);
    }
    assert!(Queue::of(t).claim(1).is_empty());
    assert_eq!(t.store.read_now(move |conn| jobs::show(conn, id)).unwrap().unwrap().job.unwrap().state, "dead");
}

fn a_unique_key_is_free_again_at_the_claim(t: &TestStore) {
    let q = Queue::of(t);
    let keyed = || {
        let mut job = Queue::job("sync");
        job.unique_key = Some("sync:1".into());
        job
    };
    let first = q.enqueue(keyed()).unwrap();
    assert_eq!(q.enqueue(keyed()), None);
    let running = q.claim(1).remove(0);
    assert_eq!(running.id, first);
    let second = q.enqueue(keyed()).unwrap();
    q.fail(&running, Some(Millis(0))).unwrap();
    let mut both: Vec<i64> = q.claim(10).iter().map(|job| job.id).collect();
    both.sort_unstable();
    assert_eq!(both, [first, second]);
}

fn better_priorities_come_first_but_starve_nobody(t: &TestStore) {
    let q = Queue::of(t);
    for priority in [3, 2, 1, 0] {
        for _ in 0..2 {
            let mut job = Queue::job("send");
            job.priority = priority;
            q.enqueue(job).unwrap();
        }
    }
    let mut future = Queue::job("send");
    (future.priority, future.run_at) = (0, t.now() + Millis::HOUR);
    q.enqueue(future).unwrap();
    let (worker, now) = (q.worker, t.now());
    let claim = |turn, limit| {
        let claimed = t.store.write_now(move |tx| jobs::claim(tx, worker, &ClaimRequest { queue: "test", limit, turn }, now));
        claimed.unwrap().iter().map(|job| job.id).collect::<Vec<_>>()
    };
    assert_eq!(claim(0, 3), [7, 8, 5].map(|n| n + first_id(t)));
    assert_eq!(claim(15, 1), [1].map(|n| n + first_id(t)), "every sixteenth claim begins at the other end");
    assert_eq!(claim(16, 10).len(), 4);
}

/// Ids need not begin at 1; all jobs of a case are in one row.
fn first_id(t: &TestStore) -> i64 {
    let all = t.store.read_now(|conn| jobs::list(conn, &JobFilter::default(), None, 100)).unwrap();
    all.iter().map(|job| job.id).min().unwrap() - 1
}

fn a_paused_queue_rests(t: &TestStore) {
    let (q, now) = (Queue::of(t), t.now());
    q.enqueue(Queue::job("send")).unwrap();
    t.store.write_now(move |tx| jobs::pause(tx, "test", now)).unwrap();
    assert!(q.claim(1).is_empty());
    let stats = t.store.read_now(move |conn| jobs::stats(conn, now + Millis::MINUTE)).unwrap();
    assert_eq!((stats[0].paused, stats[0].ready, stats[0].oldest_ready_age), (true, 1, Millis::MINUTE));
    t.store.write_now(|tx| jobs::resume(tx, "test")).unwrap();
    assert_eq!(q.claim(1).len(), 1);
}

fn release_and_snooze_give_the_attempt_back(t: &TestStore) {
    let (q, now) = (Queue::of(t), t.now());
    q.enqueue(Queue::job("send")).unwrap();
    let job = q.claim(1).remove(0);
    t.store.write_now(move |tx| jobs::release(tx, &job, now)).unwrap();
    let job = q.claim(1).remove(0);
    assert_eq!(job.attempt, 1);
    let later = now + Millis::MINUTE;
    t.store.write_now(move |tx| jobs::snooze(tx, &job, later, now)).unwrap();
    assert!(q.claim(1).is_empty());
    t.clock.set(later);
    let job = q.claim(1).remove(0);
    assert_eq!((job.attempt, job.lease_token), (1, 5), "raised at each claim and each return");
}

fn a_job_can_be_cancelled_in_any_state(t: &TestStore) {
    let (q, now) = (Queue::of(t), t.now());
    let cancel = |id| t.store.write_now(move |tx| jobs::cancel(tx, id, now));
    let waiting = q.enqueue(Queue::job("send")).unwrap();
    assert_eq!(cancel(waiting).unwrap(), Cancelled::Gone);
    assert!(matches!(cancel(waiting), Err(StoreError::NotFound { .. })));
    let running = q.enqueue(Queue::job("send")).unwrap();
    let job = q.claim(1).remove(0);
    assert_eq!(cancel(running).unwrap(), Cancelled::Asked);
    let worker = q.worker;
    assert_eq!(t.store.write_now(move |tx| jobs::cancel_wishes(tx, worker)).unwrap(), [running]);
    assert_eq!(q.fail(&job, Some(Millis(0))).unwrap(), Failed::Cancelled);
    assert!(q.claim(1).is_empty());
    let crashed = q.enqueue(Queue::job("send")).unwrap();
    q.claim(1);
    assert_eq!(cancel(crashed).unwrap(), Cancelled::Asked);
    t.clock.advance(Millis::HOUR);
    q.rescue();
    assert!(Queue::of(t).claim(1).is_empty());
}

fn history_tells_how_a_job_ended_and_is_pruned(t: &TestStore) {
    let q = Queue::of(t);
    let id = q.enqueue(Queue::job("send")).unwrap();
    let job = q.claim(1).remove(0);
    q.fail(&job, Some(Millis(0))).unwrap();
    let job = q.claim(1).remove(0);
    q.complete(&job).unwrap();
    let detail = t.store.read_now(move |conn| jobs::show(conn, id)).unwrap().unwrap();
    let finished = detail.finished.unwrap();
    assert_eq!((finished.outcome.as_str(), finished.attempts), ("done", 2));
    assert_eq!(detail.attempts.iter().map(|a| a.outcome.as_str()).collect::<Vec<_>>(), ["retry", "done"]);
    let now = t.now();
    let prune = |before| t.store.write_now(move |tx| jobs::prune(tx, before, 100)).unwrap();
    assert_eq!(prune(now), 0);
    assert_eq!(prune(now + Millis(1)), 1);
    assert_eq!(t.store.read_now(move |conn| jobs::show(conn, id)).unwrap(), None);
}

fn many_jobs_are_completed_with_one_statement(t: &TestStore) {
    let (q, now) = (Queue::of(t), t.now());
    for n in 0..90 {
        let mut job = Queue::job("send");
        job.lane_key = Some(format!("contact:{}", n / 2));
        q.enqueue(job).unwrap();
    }
    let mut mine = q.claim(200);
    assert_eq!(mine.len(), 45);
    let stolen = mine[7].clone();
    q.complete(&stolen).unwrap();
    mine[9].lease_token += 1;
    let done = t.store.write_now(move |tx| jobs::complete_many(tx, &mine.iter().collect::<Vec<_>>(), now)).unwrap();
    let lost: Vec<usize> = done.iter().enumerate().filter(|(_, done)| !**done).map(|(n, _)| n).collect();
    assert_eq!(lost, [7, 9]);
    assert_eq!(q.claim(200).len(), 44, "the next of every lane but the one that is still held");
}

fn a_worker_declared_dead_learns_of_it(t: &TestStore) {
    let q = Queue::of(t);
    assert!(q.heartbeat());
    t.clock.advance(Millis::seconds(8));
    q.rescue();
    assert!(!q.heartbeat());
    let next = Queue::of(t);
    assert!(next.worker > q.worker);
    let alive = t.store.read_now(workers::alive).unwrap();
    assert_eq!(alive.iter().map(|w| w.id).collect::<Vec<_>>(), [next.worker]);
}
