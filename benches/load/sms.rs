//! Texts through the outbox to a provider on loopback that takes its time.

use super::house::House;
use super::line;
use avatar::automation::send::{Sending, Terms, job_for};
use avatar::config::{SecretList, SmsProvider, SmsSettings};
use avatar::domain::clock::{Clock, SharedClock, SystemClock};
use avatar::domain::ids::new_id;
use avatar::domain::sample;
use avatar::domain::sms::SmsMessage;
use avatar::domain::time::{Millis, Timestamp};
use avatar::gateway::{Account, ClickSend, Live};
use avatar::inbound::Secrets;
use avatar::jobs::{QueueOptions, Runner, RunnerOptions, kinds};
use avatar::simulator::{KEY_DEFAULT, Options, Provider, Simulator, USERNAME_DEFAULT};
use avatar::store::{StoreResult, jobs, sms};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Provider latency, and texts that are sent at it.
const ROWS: [(u64, usize); 3] = [(0, 2_500), (20, 2_500), (200, 2_000)];
/// As `avatar serve` has them.
const BATCH: usize = 64;

pub async fn run() {
    for (latency, count) in ROWS {
        let provider = provider(latency).await;
        let clock: SharedClock = Arc::new(SystemClock);
        let house = House::open(clock, &Secrets::new()).await;
        fill(&house, count).await;
        let began = Instant::now();
        send_all(&house, provider.base_url()).await;
        let seconds = began.elapsed().as_secs_f64();
        let name = format!("provider takes {latency} ms, one worker");
        line(&format!("{name:<44} {:>9.0}/s  ({count} in {seconds:.2} s)", count as f64 / seconds));
        let accepted = accepted(&house).await;
        let totals = provider.ledger().totals();
        assert_eq!((accepted as u64, totals.sent, totals.doubled), (count as u64, count as u64, 0), "every text was taken once");
        provider.shut_down().await;
    }
}

/// Well-behaved, and takes its time.
async fn provider(latency: u64) -> Simulator {
    let latency = Duration::from_millis(latency);
    Simulator::start(Options { latency, ..Options::new(Provider::ClickSend) }).await.expect("a port")
}

async fn fill(house: &House, count: usize) {
    let now = SystemClock.now();
    let texts: Vec<SmsMessage> = (0..count).map(|n| text(n, now)).collect();
    let work: Vec<_> = texts.iter().map(|text| job_for(&text.id, now)).collect();
    let written = house.automation.store.write(move |tx| {
        sms::insert_many(tx, &texts.iter().collect::<Vec<_>>())?;
        jobs::enqueue_many(tx, &work, now)?;
        StoreResult::Ok(())
    });
    written.await.expect("texts");
}

fn text(n: usize, now: Timestamp) -> SmsMessage {
    SmsMessage {
        template: Some("booking_confirmation".into()),
        body: "Hi Jane, your appointment is Thu 4 Dec 10:30am at Avatar Imaging. Reply YES to confirm.".into(),
        immediate: true,
        ..sample::text(&new_id(now), &format!("+614{n:08}"), now)
    }
}

/// The one worker of the outbox, as `avatar serve` runs it, until all texts are gone.
async fn send_all(house: &House, base_url: String) {
    let settings = SmsSettings {
        provider: SmsProvider::ClickSend,
        username: Some(USERNAME_DEFAULT.into()),
        api_key: SecretList::parse(KEY_DEFAULT),
        from: Some("+61491570156".into()),
        base_url: Some(base_url),
        rehearsal: false,
        per_second_max: 1_000,
        batch_max: 100,
        timeout: Millis::seconds(10),
        sender_registered: false,
        price_per_part: 0.0,
        receipt_wait: Millis::hours(2),
        receipt_checks_max: 0,
    };
    let account = Account::of(&settings, None).expect("an account");
    let gateway = Arc::new(Live::<ClickSend>::new(account).expect("a client"));
    let sending = Sending {
        automation: house.automation.clone(),
        gateway,
        per_second: 1_000_000,
        burst: 1_000_000,
        terms: Terms::default(),
    };
    let queues = vec![QueueOptions { name: kinds::SMS.into(), workers: 1, batch: BATCH }];
    let store = house.automation.store.clone();
    let stop = CancellationToken::new();
    let clock: SharedClock = Arc::new(SystemClock);
    let runner = Runner::new(store.clone(), clock, kinds::registry(sending), RunnerOptions::new("bench", queues));
    let running = tokio::spawn(runner.run(stop.clone()));
    let mut ticks = tokio::time::interval(Duration::from_millis(50));
    loop {
        ticks.tick().await;
        let now = SystemClock.now();
        let stats = store.read(move |conn| jobs::stats(conn, now)).await.expect("figures");
        if !stats.iter().any(|q| q.queue == kinds::SMS && q.ready + q.running > 0) {
            break;
        }
    }
    stop.cancel();
    running.await.expect("workers").expect("an orderly stop");
}

async fn accepted(house: &House) -> usize {
    let texts = house.automation.store.read(|conn| sms::list_accepted_between(conn, Timestamp(0), Timestamp(i64::MAX))).await;
    texts.expect("texts").len()
}
