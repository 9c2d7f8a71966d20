//! Jobs of one lane run in order and never two at once.

use super::TestStore;
use super::conformance::Case;
use super::intake::{block_on, delivery};
use super::test_store::Queue;
use avatar::domain::job::NewJob;
use avatar::domain::time::Millis;
use avatar::store::jobs::{self, ClaimRequest, JobFilter};
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

pub const CASES: &[Case] = &[
    ("a_lane_gives_one_job_at_a_time_in_order", a_lane_gives_one_job_at_a_time_in_order),
    ("a_failing_job_holds_its_lane_until_it_dies", a_failing_job_holds_its_lane_until_it_dies),
    ("a_dead_job_comes_back_behind_who_is_in_its_lane", a_dead_job_comes_back_behind_who_is_in_its_lane),
    ("lanes_keep_their_order_under_concurrency", lanes_keep_their_order_under_concurrency),
];

fn laned(kind: &'static str, lane: &str) -> NewJob {
    NewJob { lane_key: Some(lane.into()), ..Queue::job(kind) }
}

fn a_lane_gives_one_job_at_a_time_in_order(t: &TestStore) {
    let (q, now) = (Queue::of(t), t.now());
    let batch = vec![laned("a", "1"), laned("b", "1"), Queue::job("free"), laned("c", "1"), laned("d", "2")];
    let ids = t.store.write_now(move |tx| jobs::enqueue_many(tx, &batch, now)).unwrap();
    assert!(ids.iter().all(Option::is_some));
    let first = q.claim(10);
    assert_eq!(first.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["a", "free", "d"]);
    q.complete(&first[0]).unwrap();
    let second = q.claim(10);
    assert_eq!(second.iter().map(|job| job.kind.as_str()).collect::<Vec<_>>(), ["b"]);
    let id = ids[3].unwrap();
    t.store.write_now(move |tx| jobs::cancel(tx, id, now)).unwrap();
    q.complete(&second[0]).unwrap();
    assert!(q.claim(10).is_empty());
}

fn a_failing_job_holds_its_lane_until_it_dies(t: &TestStore) {
    let q = Queue::of(t);
    q.enqueue(laned("a", "1")).unwrap();
    q.enqueue(laned("b", "1")).unwrap();
    let a = q.claim(10).remove(0);
    q.fail(&a, Some(Millis::MINUTE)).unwrap();
    assert!(q.claim(10).is_empty());
    t.clock.advance(Millis::MINUTE);
    let a = q.claim(10).remove(0);
    assert_eq!(a.kind, "a");
    q.fail(&a, None).unwrap();
    assert_eq!(q.claim(10).remove(0).kind, "b");
}

fn a_dead_job_comes_back_behind_who_is_in_its_lane(t: &TestStore) {
    let (q, now) = (Queue::of(t), t.now());
    for kind in ["a", "b", "c"] {
        q.enqueue(laned(kind, "1")).unwrap();
    }
    let a = q.claim(1).remove(0);
    q.fail(&a, None).unwrap();
    let b = q.claim(1).remove(0);
    assert_eq!(t.store.write_now(move |tx| jobs::retry_dead(tx, &JobFilter::default(), now)).unwrap(), 1);
    assert!(q.claim(10).is_empty(), "b is in the lane");
    q.complete(&b).unwrap();
    for kind in ["a", "c"] {
        let job = q.claim(10).remove(0);
        assert_eq!(job.kind, kind);
        q.complete(&job).unwrap();
    }
}

/// Four callers record events of five lanes while four workers finish them. Nobody may ever see two of a lane at once, nor an
/// older one after a younger one, and nothing may get stuck.
fn lanes_keep_their_order_under_concurrency(t: &TestStore) {
    const PER_CALLER: usize = 25;
    let done = AtomicUsize::new(0);
    let seen: Mutex<BTreeMap<String, Vec<i64>>> = Mutex::default();
    let running: Mutex<BTreeMap<String, i64>> = Mutex::default();
    std::thread::scope(|scope| {
        for caller in 0..4 {
            scope.spawn(move || {
                block_on(async {
                    for n in 0..PER_CALLER {
                        let lane = format!("contact:{}", n % 5);
                        t.store.append(delivery(&format!("{caller}-{n}"), Some(&lane)), t.now()).await.unwrap();
                    }
                });
            });
        }
        for _ in 0..4 {
            scope.spawn(|| {
                let q = Queue::of(t);
                let (worker, now) = (q.worker, t.now());
                while done.load(Ordering::SeqCst) < 4 * PER_CALLER {
                    let request = ClaimRequest { queue: "automation", limit: 3, turn: 0 };
                    let claimed = t.store.write_now(move |tx| jobs::claim(tx, worker, &request, now)).unwrap();
                    for job in &claimed {
                        let lane = job.lane_key.clone().unwrap();
                        assert_eq!(running.lock().unwrap().insert(lane.clone(), job.id), None, "two of one lane at once");
                        seen.lock().unwrap().entry(lane).or_default().push(job.id);
                    }
                    for job in claimed {
                        running.lock().unwrap().remove(job.lane_key.as_deref().unwrap());
                        q.complete(&job).unwrap();
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
    });
    for (lane, ids) in seen.into_inner().unwrap() {
        assert!(ids.is_sorted(), "{lane}: {ids:?}");
        assert_eq!(ids.len(), 20);
    }
}
