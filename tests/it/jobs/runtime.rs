use super::scripted::Scripted;
use crate::store::{Queue, TestStore};
use avatar::domain::job::NewJob;
use avatar::domain::time::Millis;
use avatar::jobs::{QueueOptions, Registry, Runner, RunnerOptions, work_available};
use avatar::store::jobs::{self, Job, JobFilter};
use avatar::store::workers;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

fn scripted(payload: &str) -> NewJob {
    NewJob { payload: payload.into(), ..Queue::job("scripted") }
}

fn put(t: &TestStore, jobs: Vec<NewJob>) {
    let now = t.now();
    t.store.write_now(move |tx| jobs::enqueue_many(tx, &jobs, now)).unwrap();
}

fn live(t: &TestStore) -> Vec<Job> {
    t.store.read_now(|conn| jobs::list(conn, &JobFilter::default(), None, 100)).unwrap()
}

fn runner(t: &TestStore, registry: &Registry, workers: usize) -> Runner {
    let queue = QueueOptions { name: "test".into(), workers, batch: 4 };
    let options = RunnerOptions {
        heartbeat: Duration::from_millis(20),
        poll: Duration::from_millis(20),
        grace: Duration::from_millis(50),
        ..RunnerOptions::new("node", vec![queue])
    };
    Runner::new(t.store.clone(), t.clock.clone(), registry.clone(), options)
}

#[tokio::test]
async fn a_queue_is_worked_off_with_a_standing_clock() {
    let t = TestStore::sqlite();
    let handler = Scripted { batch: 3, ..Scripted::default() };
    let registry = Registry::new().with(handler.clone());
    let mut work: Vec<NewJob> = ["1", "2", "3", "retry", "fail", "snooze", "forget"].map(scripted).to_vec();
    work.push(Queue::job("unheard_of"));
    put(&t, work);
    assert_eq!(work_available(&t.store, &registry, "test").await.unwrap(), 8);
    assert_eq!(handler.calls.lock().unwrap().concat(), ["1", "2", "3", "retry", "fail", "snooze", "forget"]);
    assert_eq!(handler.calls.lock().unwrap()[0].len(), 3);
    let left: Vec<(String, i32, Option<String>)> =
        live(&t).into_iter().rev().map(|job| (job.state, job.attempt, job.last_error)).collect();
    let error = |text: &str| Some(text.to_owned());
    assert_eq!(
        left,
        [
            ("ready".into(), 1, error("no answer")),
            ("dead".into(), 1, error("rejected")),
            ("ready".into(), 0, None),
            ("ready".into(), 1, error("the handler gave no answer for this job")),
            ("ready".into(), 1, error("no handler for this kind of job")),
        ]
    );
    t.clock.advance(Millis::HOUR);
    assert_eq!(work_available(&t.store, &registry, "test").await.unwrap(), 3);
    t.clock.advance(Millis::HOUR);
    assert_eq!(work_available(&t.store, &registry, "test").await.unwrap(), 3);
    assert_eq!(live(&t).iter().filter(|job| job.state == "dead").count(), 4, "unknown kinds park too");
}

#[tokio::test]
async fn a_panic_spoils_only_its_own_job() {
    let t = TestStore::sqlite();
    let handler = Scripted { batch: 10, ..Scripted::default() };
    let registry = Registry::new().with(handler.clone());
    put(&t, ["1", "panic", "3"].map(scripted).to_vec());
    assert_eq!(work_available(&t.store, &registry, "test").await.unwrap(), 3);
    assert_eq!(handler.calls.lock().unwrap().len(), 4, "together, then one by one");
    let left = live(&t);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].last_error.as_deref(), Some("the handler panicked"));
}

#[tokio::test]
async fn a_handler_that_hangs_fails_at_its_deadline() {
    let t = TestStore::sqlite();
    let registry = Registry::new().with(Scripted::default());
    put(&t, vec![NewJob { timeout: Millis(20), ..scripted("hang") }, scripted("next")]);
    assert_eq!(work_available(&t.store, &registry, "test").await.unwrap(), 2);
    assert_eq!(live(&t)[0].last_error.as_deref(), Some("the handler passed its deadline"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_hands_unfinished_jobs_back() {
    let t = TestStore::sqlite();
    let handler = Scripted::default();
    let registry = Registry::new().with(handler.clone());
    let stop = CancellationToken::new();
    let running = tokio::spawn(runner(&t, &registry, 2).run(stop.clone()));
    let now = t.now();
    // One of them ends when asked, the other has to be stopped.
    for payload in ["polite", "hang"] {
        t.store.write(move |tx| jobs::enqueue(tx, &scripted(payload), now)).await.unwrap();
        handler.called.notified().await;
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    let states: Vec<(String, i32)> = live(&t).into_iter().map(|job| (job.state, job.attempt)).collect();
    assert_eq!(states, [("ready".to_owned(), 0), ("ready".to_owned(), 0)]);
    assert!(t.store.read_now(avatar::store::workers::alive).unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_job_that_is_cancelled_makes_room_for_the_next() {
    let t = TestStore::sqlite();
    let handler = Scripted::default();
    let registry = Registry::new().with(handler.clone());
    let stop = CancellationToken::new();
    let running = tokio::spawn(runner(&t, &registry, 1).run(stop.clone()));
    let now = t.now();
    let hanging = t.store.write(move |tx| jobs::enqueue(tx, &scripted("hang"), now)).await.unwrap().unwrap();
    handler.called.notified().await;
    let asked = t.store.write(move |tx| jobs::cancel(tx, hanging, now)).await.unwrap();
    assert_eq!(asked, jobs::Cancelled::Asked);
    t.store.write(move |tx| jobs::enqueue(tx, &scripted("next"), now)).await.unwrap();
    handler.called.notified().await;
    stop.cancel();
    running.await.unwrap().unwrap();
    assert!(live(&t).is_empty(), "neither is left");
    assert_eq!(handler.calls.lock().unwrap().concat(), ["hang", "next"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_declared_dead_drops_its_jobs_and_begins_a_new_life() {
    let t = TestStore::sqlite();
    let handler = Scripted::default();
    let registry = Registry::new().with(handler.clone());
    let stop = CancellationToken::new();
    let running = tokio::spawn(runner(&t, &registry, 1).run(stop.clone()));
    let now = t.now();
    t.store.write(move |tx| jobs::enqueue(tx, &scripted("hang"), now)).await.unwrap();
    handler.called.notified().await;
    // The machine slept for longer than the lease, and others declared the process dead before it woke: the job is taken and
    // runs again in a new life.
    t.clock.advance(Millis::MINUTE);
    let later = t.now();
    t.store
        .write(move |tx| {
            for worker in workers::alive(tx)? {
                workers::retire(tx, worker.id, later)?;
            }
            jobs::rescue(tx, later)
        })
        .await
        .unwrap();
    handler.called.notified().await;
    stop.cancel();
    running.await.unwrap().unwrap();
    let job = live(&t).remove(0);
    assert_eq!((job.state.as_str(), job.attempt, job.rescues), ("ready", 1, 1));
    assert!(handler.calls.lock().unwrap().len() >= 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_workers_finish_everything_once() {
    let stores = [Some(TestStore::sqlite()), tokio::task::block_in_place(TestStore::postgres)];
    for t in stores.into_iter().flatten() {
        let handler = Scripted { batch: 4, ..Scripted::default() };
        let registry = Registry::new().with(handler.clone());
        let stop = CancellationToken::new();
        let running = tokio::spawn(runner(&t, &registry, 4).run(stop.clone()));
        let now = t.now();
        for n in 0..20 {
            let batch: Vec<NewJob> = (0..10).map(|m| scripted(&format!("{}", n * 10 + m))).collect();
            t.store.write(move |tx| jobs::enqueue_many(tx, &batch, now)).await.unwrap();
        }
        let all_seen = async {
            while handler.calls.lock().unwrap().concat().len() < 200 {
                handler.called.notified().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), all_seen).await.unwrap();
        stop.cancel();
        running.await.unwrap().unwrap();
        assert!(live(&t).is_empty(), "what was run is settled before the end");
        let mut seen = handler.calls.lock().unwrap().concat();
        let total = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((seen.len(), total), (200, 200), "each ran once");
    }
}
