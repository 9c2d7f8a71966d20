//! Schedules, duties and rate buckets over several nodes.

use super::TestStore;
use super::conformance::Case;
use super::test_store::Queue;
use avatar::domain::time::{Millis, Timestamp};
use avatar::store::schedules::{self, Fired, Misfire, ScheduleSpec};
use avatar::store::{Store, StoreError, duties, rate};

pub const CASES: &[Case] = &[
    ("a_slot_fires_once_over_two_nodes", a_slot_fires_once_over_two_nodes),
    ("a_schedule_keeps_clinic_time_when_clocks_change", a_schedule_keeps_clinic_time_when_clocks_change),
    ("missed_slots_follow_the_policy_after_a_restart", missed_slots_follow_the_policy_after_a_restart),
    ("a_schedule_can_be_changed_paused_and_removed", a_schedule_can_be_changed_paused_and_removed),
    ("a_duty_is_taken_by_one_node", a_duty_is_taken_by_one_node),
    ("a_rate_bucket_counts_over_all_nodes", a_rate_bucket_counts_over_all_nodes),
];

fn spec(name: &str, expr: &str, misfire: Misfire) -> ScheduleSpec {
    ScheduleSpec {
        name: name.into(),
        expr: expr.into(),
        tz: "Australia/Sydney".into(),
        misfire,
        queue: "test".into(),
        kind: "daily_report".into(),
        payload: r#"{"rule":"r"}"#.into(),
    }
}

fn upsert(t: &TestStore, spec: ScheduleSpec) -> Result<(), StoreError> {
    let now = t.now();
    t.store.write_now(move |tx| schedules::upsert(tx, &spec, now))
}

fn fire(store: &Store, now: Timestamp) -> Vec<Fired> {
    store.write_now(move |tx| schedules::fire_due(tx, now)).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).unwrap()
}

fn a_slot_fires_once_over_two_nodes(t: &TestStore) {
    upsert(t, spec("report", "0 17 * * *", Misfire::Once)).unwrap();
    assert!(fire(&t.store, t.now()).is_empty());
    t.clock.set(at("2026-03-02T17:00:00+11:00"));
    let (other, now) = (t.another_node(), t.now());
    let fired: Vec<Fired> = std::thread::scope(|scope| {
        let nodes: Vec<_> = (0..8)
            .map(|n| {
                scope.spawn({
                    let store = if n % 2 == 0 { &t.store } else { &other };
                    move || fire(store, now)
                })
            })
            .collect();
        nodes.into_iter().flat_map(|node| node.join().unwrap()).collect()
    });
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0].slot, now);
    let job = Queue::of(t).claim(10).remove(0);
    assert_eq!(job.kind, "daily_report");
    assert_eq!(job.payload, format!(r#"{{"data":{{"rule":"r"}},"schedule":"report","slot":{}}}"#, now.0));
}

fn a_schedule_keeps_clinic_time_when_clocks_change(t: &TestStore) {
    t.clock.set(at("2026-10-02T09:00:00+10:00"));
    upsert(t, spec("morning", "0 8 * * *", Misfire::All)).unwrap();
    upsert(t, spec("night", "30 2 * * *", Misfire::All)).unwrap();
    t.clock.set(at("2026-10-06T09:00:00+11:00"));
    let zone = "Australia/Sydney".parse().unwrap();
    let mut slots: Vec<String> =
        fire(&t.store, t.now()).iter().map(|f| format!("{} {}", f.slot.to_rfc3339_in(zone), f.name)).collect();
    slots.sort();
    assert_eq!(
        slots,
        [
            "2026-10-03T02:30:00+10:00 night",
            "2026-10-03T08:00:00+10:00 morning",
            "2026-10-04T03:00:00+11:00 night",
            "2026-10-04T08:00:00+11:00 morning",
            "2026-10-05T02:30:00+11:00 night",
            "2026-10-05T08:00:00+11:00 morning",
            "2026-10-06T02:30:00+11:00 night",
            "2026-10-06T08:00:00+11:00 morning",
        ]
    );
    assert!(fire(&t.store, t.now()).is_empty());
}

fn missed_slots_follow_the_policy_after_a_restart(t: &TestStore) {
    for (name, misfire) in [("skip", Misfire::Skip), ("once", Misfire::Once), ("all", Misfire::All)] {
        upsert(t, spec(name, "0 * * * *", misfire)).unwrap();
    }
    t.clock.advance(Millis(4 * 3_600_000 + 1_800_000));
    let count = |fired: &[Fired], name: &str| fired.iter().filter(|f| f.name == name).count();
    let fired = fire(&t.another_node(), t.now());
    assert_eq!((count(&fired, "skip"), count(&fired, "once"), count(&fired, "all")), (0, 1, 4));
    t.clock.advance(Millis::minutes(30));
    let fired = fire(&t.store, t.now());
    assert_eq!((count(&fired, "skip"), count(&fired, "once"), count(&fired, "all")), (1, 1, 1));
}

fn a_schedule_can_be_changed_paused_and_removed(t: &TestStore) {
    assert!(matches!(upsert(t, spec("x", "61 * * * *", Misfire::Once)), Err(StoreError::InvalidSchedule { .. })));
    let next = || t.store.read_now(schedules::list).unwrap()[0].next_at - t.now().0;
    upsert(t, spec("x", "@every 1h", Misfire::Once)).unwrap();
    t.clock.advance(Millis::minutes(40));
    let before = next();
    upsert(t, ScheduleSpec { kind: "other".into(), ..spec("x", "@every 1h", Misfire::Once) }).unwrap();
    assert_eq!(next(), before, "a change that is not of its times moves nothing");
    upsert(t, spec("x", "@every 15m", Misfire::Once)).unwrap();
    assert!(next() <= Millis::minutes(15).0);
    let now = t.now();
    t.store.write_now(move |tx| schedules::set_paused(tx, "x", true, now)).unwrap();
    t.clock.advance(Millis::HOUR);
    assert!(fire(&t.store, t.now()).is_empty());
    t.store.write_now(move |tx| schedules::set_paused(tx, "x", false, now)).unwrap();
    assert_eq!(fire(&t.store, t.now()).len(), 1);
    assert!(t.store.write_now(|tx| schedules::remove(tx, "x")).unwrap());
    assert!(!t.store.write_now(|tx| schedules::remove(tx, "x")).unwrap());
}

fn a_duty_is_taken_by_one_node(t: &TestStore) {
    let other = t.another_node();
    for _ in 0..3 {
        let now = t.now();
        let taken: usize = std::thread::scope(|scope| {
            let nodes: Vec<_> = [&t.store, &other, &t.store, &other]
                .into_iter()
                .map(|store| {
                    scope.spawn(move || store.write_now(move |tx| duties::take(tx, "prune", Millis::HOUR, now)).unwrap())
                })
                .collect();
            nodes.into_iter().filter(|_| true).map(|node| usize::from(node.join().unwrap())).sum()
        });
        assert_eq!(taken, 1);
        t.clock.advance(Millis::HOUR);
    }
}

fn a_rate_bucket_counts_over_all_nodes(t: &TestStore) {
    let other = t.another_node();
    let take = |store: &Store, want| {
        let now = t.now();
        store.write_now(move |tx| rate::take(tx, "sms", 2, 10, want, now)).unwrap()
    };
    assert_eq!((take(&t.store, 7), take(&other, 7), take(&t.store, 1)), (7, 3, 0));
    t.clock.advance(Millis(1_250));
    assert_eq!((take(&other, 10), take(&t.store, 1)), (2, 0), "half a token is kept, not granted");
    t.clock.advance(Millis(250));
    assert_eq!(take(&t.store, 5), 1);
    t.clock.advance(Millis::DAY);
    assert_eq!(take(&t.store, 100), 10, "no more than the burst");
    t.clock.advance(Millis(-3_600_000));
    assert_eq!(take(&t.store, 1), 0);
}
