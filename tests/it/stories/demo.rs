//! The demo, a week of it, through the real server, rules and workers.

use super::house::House;
use avatar::cli::demo::{self, DemoParts, Size};
use avatar::domain::clock::Clock;
use avatar::domain::time::{Millis, Timestamp};
use avatar::store::invariants;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_week_of_the_demo_clinic_is_told_without_a_wrong_answer() {
    let now = Timestamp::parse_rfc3339("2026-11-23T13:00:00+11:00").expect("a time");
    let demo = demo::prepare(now, Size::WEEK).expect("keys");
    let house = House::open(demo.clock.clone(), &demo.secrets).await;
    let serving = house.serve().await;
    let parts = DemoParts {
        base_url: serving.base_url.clone(),
        clock: demo.clock.clone(),
        automation: house.automation.clone(),
        registry: house.registry.clone(),
        keys: demo.keys,
        seed: 7,
        size: demo.size,
        now,
    };
    let mut days = 0;
    let told = demo::feed(parts, |_| days += 1).await.expect("the expected answers");
    serving.stop().await;

    assert_eq!(days, 8);
    assert!(told.duplicates > 1 && told.refused == 1, "{told:?}");
    assert!(told.bookings > 70 && told.leads == 50, "{told:?}");
    assert!(told.texts > 100 && told.receipts > 90 && told.replies > 20, "{told:?}");
    assert!(told.tasks > 50, "{told:?}");
    assert!(demo.clock.is_live() && demo.clock.now() - now > Millis(0));
    let broken = house.automation.store.read(invariants::check).await.expect("a check");
    assert!(broken.is_empty(), "{broken:?}");
}
