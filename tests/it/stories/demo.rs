//! The demo, a week of it, through the real server, rules and workers.

use super::house::House;
use crate::support::clinic::{Clinic, Installation, MONDAY_9AM, SMS_TOKEN, at};
use crate::support::wix::{Patient, Visit};
use avatar::cli::demo::{self, DemoParts, Size, rehearsal};
use avatar::domain::clock::{Clock, ManualClock};
use avatar::domain::time::{Millis, Timestamp};
use avatar::simulator::{KEY_DEFAULT, USERNAME_DEFAULT};
use avatar::store::invariants;
use std::time::Duration;

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

/// Once it is live, the demo's texts go over the wire to a simulated provider, and what becomes of them comes back over the webhooks.
#[test]
fn the_demos_provider_reports_and_answers_over_the_webhooks() {
    let (clock, installation) = (ManualClock::at(at(MONDAY_9AM)), Installation::sqlite());
    let provider_at = rehearsal::free_address().expect("an address");
    let base_url = format!("http://{provider_at}");
    let variables = [
        ("SMS_PROVIDER", "clicksend"),
        ("SMS_REHEARSAL", "true"),
        ("SMS_API_BASE_URL", base_url.as_str()),
        ("SMS_API_USERNAME", USERNAME_DEFAULT),
        ("SMS_API_KEY", KEY_DEFAULT),
        ("SMS_FROM", "+61491570156"),
    ];
    let clinic = Clinic::node(installation, &clock, &variables);
    assert!(!clinic.sending.gateway.is_live(), "made-up people may be texted");
    let service = format!("http://{}", clinic.address);
    let starting = rehearsal::start(provider_at, &service, SMS_TOKEN, 7, clock);
    let provider = clinic.runtime.block_on(starting).expect("it starts");
    // This number answers YES to everything.
    let patient = Patient::new("wix-1", "Kim", "Lee", "0491573770");
    clinic.wix(&Visit::new(&patient, "visit-1", "2026-11-30T10:30:00+11:00").created());
    clinic.until(Duration::from_mins(1), "the text is delivered and answered", |clinic| {
        clinic.settle();
        clinic.number("SELECT COUNT(*) AS value FROM sms_messages WHERE status = 'delivered'") > 0
            && clinic.number("SELECT COUNT(*) AS value FROM bookings WHERE status = 'confirmed'") == 1
    });
    assert!(provider.ledger().totals().callbacks_taken >= 3, "{:?}", provider.ledger().totals());
    clinic.check();
}
