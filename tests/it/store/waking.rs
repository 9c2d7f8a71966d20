//! Workers hear of work after the commit, on every node.

use super::TestStore;
use super::conformance::Case;
use super::intake::{block_on, delivery};
use avatar::store::RUN_EVENT_QUEUE;
use std::time::Duration;

pub const CASES: &[Case] = &[("a_worker_is_woken_by_the_commit", a_worker_is_woken_by_the_commit)];

/// On SQLite a second node is another process and polls; here only PostgreSQL reaches it.
fn a_worker_is_woken_by_the_commit(t: &TestStore) {
    let listener = if t.store.is_postgres() { t.another_node() } else { t.store.clone() };
    let bell = listener.wakeups().bell(RUN_EVENT_QUEUE);
    block_on(async {
        let woken = async {
            for attempt in 0.. {
                t.store.append(delivery(&attempt.to_string(), None), t.now()).await.unwrap();
                if tokio::time::timeout(Duration::from_millis(500), bell.notified()).await.is_ok() {
                    return;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(10), woken).await.unwrap();
    });
}
