//! A call that is sent twice under one `Idempotency-Key` is carried out once.

use super::raw::{self, Answer, request, within};
use super::site::Site;
use avatar::automation::queues::{Verb, change_dead};
use avatar::domain::ids::new_id;
use avatar::domain::staff::Role;
use avatar::domain::time::Millis;
use avatar::store::StoreError;
use avatar::store::jobs::JobFilter;
use avatar::store::once::{self, Attempt, KEEP, LEASE, Reserved};
use diesel::connection::SimpleConnection;
use serde_json::json;
use tokio::io::AsyncWriteExt;

const DISCARD: &str = "/api/jobs/discard";
const ALL: &str = r#"{"all":true}"#;

/// One job that failed for good, and so can be thrown away once.
async fn dead_job(site: &Site, id: &str) {
    assert_eq!(site.lead(id).await.status, 200);
    site.sql("UPDATE jobs SET state = 'dead'");
}

async fn post(site: &Site, caller: &str, key: &str, body: &str) -> Answer {
    let bearer = format!("Bearer {caller}");
    site.send("POST", DISCARD, &[("Authorization", &bearer), ("Idempotency-Key", key)], body).await
}

fn changed(answer: &Answer) -> i64 {
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()["changed"].as_i64().unwrap()
}

fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_request_is_answered_again_and_not_carried_out_again() {
    for site in Site::of_each_database().await {
        let ops = site.key(Role::Ops).await;
        dead_job(&site, "one").await;
        let first = post(&site, &ops, "k1", ALL).await;
        assert_eq!((changed(&first), first.header("idempotent-replayed")), (1, None));
        dead_job(&site, "two").await;
        let again = post(&site, &ops, "k1", ALL).await;
        assert_eq!((changed(&again), again.header("idempotent-replayed")), (1, Some("true")));
        assert_eq!((&again.body, again.header("content-type")), (&first.body, first.header("content-type")));
        let total = async || site.get(&ops, "/api/jobs?state=dead").await.json()["total"].clone();
        assert_eq!(total().await, 1, "the second job is still there");

        let other = post(&site, &ops, "k1", r#"{"all":true,"dry_run":true}"#).await;
        assert_eq!(refusal(&other), (422, "idempotency_key_reused".into()));
        // Somebody else's key of the same name is another key.
        let manager = site.key(Role::Manager).await;
        assert_eq!(changed(&post(&site, &manager, "k1", ALL).await), 1);
        assert_eq!(total().await, 0);

        dead_job(&site, "three").await;
        site.test.clock.advance(KEEP);
        let later = post(&site, &ops, "k1", ALL).await;
        assert_eq!((changed(&later), later.header("idempotent-replayed")), (1, None), "a day later it is a new request");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_are_answered_again_and_what_is_not_the_callers_fault_is_tried_again() {
    let site = Site::open().await;
    let ops = site.key(Role::Ops).await;
    let refused = post(&site, &ops, "k1", r#"{"colour":"red"}"#).await;
    assert_eq!(refusal(&refused), (422, "invalid_fields".into()));
    let again = post(&site, &ops, "k1", r#"{"colour":"red"}"#).await;
    assert_eq!((again.body.as_str(), again.header("idempotent-replayed")), (refused.body.as_str(), Some("true")));

    // The site has no rules that could be published: that is 503, and of its moment.
    let publish = async || {
        let bearer = format!("Bearer {ops}");
        site.send("POST", "/api/rules/publish", &[("Authorization", &bearer), ("Idempotency-Key", "k2")], "{}").await
    };
    for _ in 0..2 {
        let answer = publish().await;
        assert_eq!((answer.status, answer.header("idempotent-replayed")), (503, None));
    }
    for bad in ["", &"k".repeat(256)] {
        assert_eq!(post(&site, &ops, bad, ALL).await.status, 400);
    }
}

/// Fails whatever would write down an answer, as the end of the process would.
const NO_ANSWERS_SQLITE: &str = "CREATE TRIGGER no_answers BEFORE UPDATE ON idempotency_keys WHEN NEW.state = 'done' \
     BEGIN SELECT RAISE(ABORT, 'no'); END";
const NO_ANSWERS_POSTGRES: &str = "CREATE FUNCTION no_answers() RETURNS trigger AS $$ BEGIN \
     IF NEW.state = 'done' THEN RAISE EXCEPTION 'no'; END IF; RETURN NEW; END $$ LANGUAGE plpgsql; \
     CREATE TRIGGER no_answers BEFORE UPDATE ON idempotency_keys FOR EACH ROW EXECUTE FUNCTION no_answers()";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_between_the_change_and_its_answer_does_not_do_it_twice() {
    for site in Site::of_each_database().await {
        let is_postgres = site.context.store.is_postgres();
        let ops = site.key(Role::Ops).await;
        site.sql(if is_postgres { NO_ANSWERS_POSTGRES } else { NO_ANSWERS_SQLITE });
        dead_job(&site, "one").await;
        assert_eq!(changed(&post(&site, &ops, "k1", ALL).await), 1);
        dead_job(&site, "two").await;
        let running = post(&site, &ops, "k1", ALL).await;
        assert_eq!(refusal(&running), (409, "still_running".into()));
        assert!(running.header("retry-after").is_some());
        site.test.clock.advance(LEASE);
        for _ in 0..2 {
            assert_eq!(refusal(&post(&site, &ops, "k1", ALL).await), (409, "answer_not_kept".into()));
        }
        assert_eq!(site.get(&ops, "/api/jobs?state=dead").await.json()["total"], 1, "nothing was done again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_before_the_change_lets_it_begin_anew_and_the_first_attempt_comes_too_late() {
    for site in Site::of_each_database().await {
        dead_job(&site, "one").await;
        let (store, clock) = (site.context.store.clone(), site.context.clock.clone());
        let attempt = || Attempt { caller: "key:7".into(), name: "k1".into(), token: new_id(site.test.now()) };
        let reserve = async |attempt: &Attempt| {
            let (attempt, now) = (attempt.clone(), site.test.now());
            store.write(move |tx| once::reserve(tx, &attempt, "request", now)).await.unwrap()
        };
        let (first, second) = (attempt(), attempt());
        assert_eq!(reserve(&first).await, Reserved::New);
        assert_eq!(reserve(&second).await, Reserved::Running);
        site.test.clock.advance(LEASE);
        assert_eq!(reserve(&second).await, Reserved::New);
        let discard = || change_dead(&store, &clock, JobFilter::default(), Verb::Discard, "test".into());
        let late = once::scope(first, discard()).await;
        assert!(matches!(late, Err(StoreError::Conflict { .. })), "{late:?}");
        assert_eq!(once::scope(second.clone(), discard()).await.unwrap(), 1, "the first one had changed nothing");
        site.test.clock.advance(Millis::hours(1));
        assert_eq!(reserve(&attempt()).await, Reserved::Unfinished, "what has changed something never begins anew");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_who_hangs_up_finds_the_answer_later() {
    let site = Site::open().await;
    let ops = site.key(Role::Ops).await;
    dead_job(&site, "one").await;
    // The key is known and remembered; from here on the database is taken.
    assert_eq!(site.get(&ops, "/api/jobs").await.status, 200);
    let mut other = site.database();
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    let mut connection = raw::connect(site.address).await;
    let bearer = format!("Bearer {ops}");
    let headers = [("Authorization", bearer.as_str()), ("Idempotency-Key", "k1")];
    connection.write_all(&request("POST", DISCARD, &headers, ALL)).await.unwrap();
    let waiting = post(&site, &ops, "k1", ALL);
    drop(connection);
    other.batch_execute("ROLLBACK").unwrap();
    let mut answer = waiting.await;
    within(async {
        while answer.status != 200 {
            assert!(matches!(answer.status, 409 | 429 | 503), "{}", answer.body);
            // So many tries have a limit, by the clock.
            site.test.clock.advance(Millis(100));
            answer = post(&site, &ops, "k1", ALL).await;
        }
    })
    .await;
    assert_eq!(changed(&answer), 1);
    dead_job(&site, "two").await;
    let again = post(&site, &ops, "k1", ALL).await;
    assert_eq!((changed(&again), again.header("idempotent-replayed")), (1, Some("true")));
    assert_eq!(site.get(&ops, "/api/jobs?state=dead").await.json()["total"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_under_one_key_are_carried_out_once() {
    for site in Site::of_each_database().await {
        let ops = site.key(Role::Ops).await;
        for number in 0..5 {
            assert_eq!(site.lead(&number.to_string()).await.status, 200);
        }
        site.sql("UPDATE jobs SET state = 'dead'");
        let all: Vec<_> = (0..8).map(|_| post(&site, &ops, "k1", ALL)).collect();
        let answers = futures_util::future::join_all(all).await;
        let first = answers.iter().filter(|a| a.status == 200 && a.header("idempotent-replayed").is_none()).count();
        assert_eq!(first, 1, "{answers:?}");
        assert!(answers.iter().all(|a| a.status == 409 || changed(a) == 5), "{answers:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn old_keys_are_forgotten_and_answers_can_be() {
    for site in Site::of_each_database().await {
        let ops = site.key(Role::Ops).await;
        assert_eq!(changed(&post(&site, &ops, "k1", ALL).await), 0);
        assert_eq!(changed(&post(&site, &ops, "k2", ALL).await), 0);
        let store = &site.context.store;
        assert_eq!(store.write(once::forget_answers).await.unwrap(), 2);
        assert_eq!(refusal(&post(&site, &ops, "k1", ALL).await), (409, "answer_not_kept".into()));
        let before = site.test.now() + Millis(1);
        assert_eq!(store.write(move |tx| once::prune(tx, before, 1)).await.unwrap(), 1);
        assert_eq!(store.write(move |tx| once::prune(tx, before, 9)).await.unwrap(), 1);
        assert_eq!(post(&site, &ops, "k1", ALL).await.header("idempotent-replayed"), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn jobs_that_failed_are_counted_put_back_and_queues_stopped() {
    for site in Site::of_each_database().await {
        let ops = site.key(Role::Ops).await;
        let bearer = format!("Bearer {ops}");
        let call = async |path: &str, body: &str| site.send("POST", path, &[("Authorization", &bearer)], body).await;
        assert_eq!(site.lead("one").await.status, 200);
        assert_eq!(site.lead("two").await.status, 200);
        site.sql("UPDATE jobs SET state = 'dead', last_error = '50% of it'");
        assert_eq!(refusal(&call("/api/jobs/retry", "{}").await), (422, "invalid_fields".into()), "not everything by mistake");
        let dry = call("/api/jobs/retry", r#"{"error":"0% O","dry_run":true}"#).await.json();
        let exact = call("/api/jobs/retry", r#"{"error":"50_","dry_run":true}"#).await.json();
        assert_eq!(exact["matched"], 0, "wildcards are letters");
        assert_eq!(dry["changed"], 0);
        let done = call("/api/jobs/retry", r#"{"error":"0% of","queue":"automation"}"#).await.json();
        assert_eq!(done, json!({ "matched": 2, "changed": 2, "dry_run": false }));
        assert_eq!(call("/api/queues/automation/pause", "").await.json(), json!({ "name": "automation", "paused": true }));
        assert_eq!(call("/api/queues/letters/pause", "").await.status, 404);
        let queues = site.get(&ops, "/api/queues").await.json();
        assert_eq!(queues["items"][0]["paused"], true, "{queues}");
        assert_eq!(call("/api/queues/automation/resume", "").await.json()["paused"], false);
        assert_eq!(site.get(&ops, "/api/queues").await.json()["items"][0]["paused"], false);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_of_another_request_is_refused_though_the_answer_has_a_secret() {
    let site = Site::open().await;
    let (admin, at) = (site.key(Role::Admin).await, "/api/users");
    let add = |email: &str| json!({ "email": email, "name": "Ann", "role": "ops" }).to_string();
    let post = async |body: String| {
        let bearer = format!("Bearer {admin}");
        site.send("POST", at, &[("Authorization", &bearer), ("Idempotency-Key", "k-1")], &body).await
    };
    assert_eq!(post(add("one@clinic.example")).await.status, 201);
    assert_eq!(refusal(&post(add("two@clinic.example")).await), (422, "idempotency_key_reused".to_owned()));
    assert_eq!(refusal(&post(add("one@clinic.example")).await), (409, "answer_not_kept".to_owned()));
}
