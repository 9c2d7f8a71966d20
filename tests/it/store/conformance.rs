//! The list of what both databases must do. Each case gets an empty database of its own.

use super::{TestStore, failures, intake, lanes, planned, queue, waking};
use std::panic::{AssertUnwindSafe, catch_unwind};

pub type Case = (&'static str, fn(&TestStore));

fn all() -> Vec<Case> {
    [failures::CASES, intake::CASES, queue::CASES, lanes::CASES, planned::CASES, waking::CASES].concat()
}

#[test]
fn sqlite_keeps_every_promise() {
    run_all(1, || Some(TestStore::sqlite()));
}

/// Several at a time: most of the time goes into making databases.
#[test]
fn postgres_keeps_every_promise() {
    run_all(4, TestStore::postgres);
}

fn run_all(at_once: usize, open: fn() -> Option<TestStore>) {
    let cases = all();
    let broken: Vec<&str> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..at_once)
            .map(|n| {
                scope.spawn({
                    let cases = &cases;
                    move || run(cases.iter().skip(n).step_by(at_once), open)
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    assert!(broken.is_empty(), "{broken:?}");
}

/// The names of those that failed.
fn run<'a>(cases: impl Iterator<Item = &'a Case>, open: fn() -> Option<TestStore>) -> Vec<&'static str> {
    let fails = |case: fn(&TestStore)| open().is_some_and(|store| catch_unwind(AssertUnwindSafe(|| case(&store))).is_err());
    cases.filter(|(_, case)| fails(*case)).map(|(name, _)| *name).collect()
}
