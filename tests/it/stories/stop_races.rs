//! STOP arrives while texts to the same number are being claimed and sent, thousands of times, and others are planned by whoever does
//! not know of it yet. Whatever is let go after STOP was acknowledged is a violation.

use super::storm::change;
use crate::support::clinic::{Clinic, Installation, MONDAY_9AM, SMS_TOKEN, wait_until};
use crate::support::load::Dice;
use avatar::automation::send::{self, Sending as Outbox, Sent, job_for};
use avatar::config::Environment;
use avatar::domain::job::ClaimedJob;
use avatar::domain::sample;
use avatar::domain::sms::{SmsCategory, SmsMessage};
use avatar::domain::time::{Millis, Timestamp};
use avatar::gateway::{Gateway, Outgoing, SendResult, Sending};
use avatar::jobs::{JobHandler, JobOutcome, Outcomes, Registry, kinds, work_available};
use avatar::store::{StoreResult, jobs, sms};
use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use std::collections::{HashMap, VecDeque};
use std::io::Write;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// Races in a normal run, on each database; `AVATAR_STOP_RACES` asks for another number (100000 takes some minutes).
const RACES: usize = 2_000;
/// Numbers that race at the same time.
const AT_ONCE: usize = 200;
const SENDERS: usize = 2;
const WORKERS: usize = 2;
const PHONES: usize = 3;
/// A second text to a number is planned so many numbers later: by then STOP was often worked on, and nothing but the number itself
/// remembers it.
const BEHIND: usize = 12;
/// Longer than a text waits for a message that is being worked on.
const LATER: Millis = Millis::minutes(1);

#[test]
fn stop_wins_on_sqlite() {
    race("sqlite", Installation::sqlite());
}

#[test]
fn stop_wins_on_postgres() {
    let Some(installation) = Installation::postgres() else { return };
    race("postgres", installation);
}

fn race(name: &str, installation: Arc<Installation>) {
    // Nothing but STOP keeps a text back.
    change(&installation, "config/clinic.yaml", "in_all: 3000", "in_all: 100000");
    let clinic = &Clinic::open(installation, MONDAY_9AM);
    let environment = Environment::of_process();
    let number = |name: &str, default| environment.get(name).map_or(default, |n| n.parse().unwrap());
    let races = number("AVATAR_STOP_RACES", RACES);
    let mut dice = Dice(number("AVATAR_STOP_SEED", 0x5109) as u64);
    let mut total = Score::default();
    for round in 0..races.div_ceil(AT_ONCE) {
        total.add(&play(clinic, round, &mut dice));
        let left = "SELECT COUNT(*) AS value FROM sms_messages WHERE direction = 'out' AND accepted_at IS NOT NULL";
        assert_eq!(clinic.number(left) as usize, total.before + total.crossed + total.after, "all that left was seen leaving");
    }
    let figures = format!(
        "races={} left_before={} crossed={} stopped={} planned_after_stop={} withheld={} left_after_stop={}",
        total.races, total.before, total.crossed, total.stopped, total.races, total.withheld, total.after
    );
    let mut out = std::io::stderr();
    let _ = writeln!(out, "stop races: {name} {figures}");
    assert_eq!(total.after, 0, "{figures}");
    assert!(total.stopped > 0, "no STOP came in time, so nothing raced: {figures}");
    assert!(total.withheld > 0, "no text was planned after STOP was worked on: {figures}");
    let otherwise = "SELECT COUNT(*) AS value FROM sms_messages WHERE status = 'suppressed' AND status_reason <> 'opted_out'";
    assert_eq!(clinic.number(otherwise), 0, "nothing else kept a text back");
    clinic.check();
}

/// How the races ended.
#[derive(Default)]
struct Score {
    races: usize,
    /// Handed over before STOP was acknowledged.
    before: usize,
    /// Let go before the acknowledgement, handed over after: the two were on their way at the same time.
    crossed: usize,
    /// Never left.
    stopped: usize,
    /// Planned when nothing was left to withdraw it, and kept back at the door.
    withheld: usize,
    /// Let go after the acknowledgement: must not be.
    after: usize,
}

impl Score {
    fn add(&mut self, other: &Self) {
        self.races += other.races;
        self.before += other.before;
        self.crossed += other.crossed;
        self.stopped += other.stopped;
        self.withheld += other.withheld;
        self.after += other.after;
    }
}

/// Two texts for each of many numbers, and everybody says STOP as soon as the first is planned, while senders take what they find.
fn play(clinic: &Clinic, round: usize, dice: &mut Dice) -> Score {
    let mut phones: Vec<String> = (0..AT_ONCE).map(|n| format!("+614{:08}", round * AT_ONCE + n)).collect();
    shuffle(&mut phones, dice);
    let (acked, left) = (Mutex::new(HashMap::new()), Mutex::new(HashMap::new()));
    let left = Arc::new(left);
    let (next, open) = (AtomicUsize::new(0), AtomicUsize::new(PHONES));
    std::thread::scope(|scope| {
        for _ in 0..PHONES {
            scope.spawn(|| {
                let mut stopped = VecDeque::new();
                while let Some(phone) = phones.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let again = (stopped.len() == BEHIND).then(|| stopped.pop_front()).flatten();
                    plan(clinic, [Some(first(phone)), again].into_iter().flatten());
                    say_stop(clinic, phone);
                    acked.lock().unwrap().insert(phone.clone(), moment());
                    stopped.push_back(second(phone));
                }
                plan(clinic, stopped);
                open.fetch_sub(1, Ordering::SeqCst);
            });
        }
        for _ in 0..WORKERS {
            scope.spawn(|| work_while(clinic, &open, &kinds::registry(clinic.sending.clone()), kinds::AUTOMATION));
        }
        for _ in 0..SENDERS {
            let left = Arc::clone(&left);
            scope.spawn(|| work_while(clinic, &open, &Registry::new().with(witnessed(clinic, left)), kinds::SMS));
        }
    });
    // What waited for a message that was being worked on is asked again.
    clinic.clock.advance(LATER);
    clinic.settle();
    score(clinic, &phones, &acked.into_inner().unwrap(), &left.lock().unwrap())
}

fn score(clinic: &Clinic, phones: &[String], acked: &HashMap<String, Instant>, left: &HashMap<String, Left>) -> Score {
    let mut score = Score { races: phones.len(), ..Score::default() };
    for phone in phones {
        let stopped_at = acked[phone];
        score.after += usize::from(left.contains_key(&second(phone).id));
        match left.get(&first(phone).id) {
            None => score.stopped += 1,
            Some(left) if left.let_go_after > stopped_at => score.after += 1,
            Some(left) if left.at > stopped_at => score.crossed += 1,
            Some(_) => score.before += 1,
        }
    }
    let unsent = "SELECT COUNT(*) AS value FROM sms_messages WHERE status IN ('scheduled', 'queued', 'sending', 'unknown')";
    assert_eq!(clinic.number(unsent), 0, "every text has an end");
    score.withheld = clinic.number(&format!("{WITHHELD} AND to_number IN ('{}')", phones.join("', '"))) as usize;
    score
}

const WITHHELD: &str = "SELECT COUNT(*) AS value FROM sms_messages WHERE status = 'suppressed' AND status_reason = 'opted_out'";

fn shuffle(list: &mut [String], dice: &mut Dice) {
    for index in (1..list.len()).rev() {
        list.swap(index, dice.roll(index as u64 + 1) as usize);
    }
}

fn work_while(clinic: &Clinic, open: &AtomicUsize, registry: &Registry, queue: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut is_last = false;
    while !is_last {
        is_last = open.load(Ordering::SeqCst) == 0;
        runtime.block_on(work_available(&clinic.automation.store, registry, queue)).unwrap();
    }
}

fn say_stop(clinic: &Clinic, phone: &str) {
    let body = serde_json::json!({ "from": phone, "body": "STOP", "message_id": format!("stop-{phone}"), "timestamp": clinic.now().0 / 1_000 });
    clinic.deliver(&format!("sms/inbound/{SMS_TOKEN}"), &body.to_string());
}

/// A text that may leave now. It hangs on no contact: nothing but the number keeps it back.
struct Planned {
    id: String,
    phone: String,
}

fn first(phone: &str) -> Planned {
    Planned { id: format!("text-to-{phone}"), phone: phone.to_owned() }
}

/// Whoever plans it does not know that the number has said STOP.
fn second(phone: &str) -> Planned {
    Planned { id: format!("late-text-to-{phone}"), phone: phone.to_owned() }
}

fn plan(clinic: &Clinic, texts: impl IntoIterator<Item = Planned>) {
    let now = clinic.now();
    let texts: Vec<SmsMessage> = texts.into_iter().map(|planned| text(&planned, now)).collect();
    let planned = clinic.automation.store.write_now(move |tx| {
        sms::insert_many(tx, &texts.iter().collect::<Vec<_>>())?;
        let jobs_new: Vec<_> = texts.iter().map(|text| job_for(&text.id, now)).collect();
        jobs::enqueue_many(tx, &jobs_new, now)?;
        StoreResult::Ok(())
    });
    planned.unwrap();
}

fn text(planned: &Planned, now: Timestamp) -> SmsMessage {
    SmsMessage {
        template: Some("recall_due".into()),
        category: SmsCategory::Recall,
        body: "Avatar Imaging: your next visit is due. Reply STOP to end texts.".into(),
        scheduled_at: None,
        immediate: true,
        ..sample::text(&planned.id, &planned.phone, now)
    }
}

/// When a text left.
#[derive(Clone, Copy)]
struct Left {
    /// Its sender had not yet begun to ask whether it may leave.
    let_go_after: Instant,
    at: Instant,
}

/// Sees when a batch begins to be let go, and when it is handed over.
struct Witness {
    began: Mutex<Instant>,
    /// By the text's id.
    left: Arc<Mutex<HashMap<String, Left>>>,
}

/// What is measured are real races.
fn moment() -> Instant {
    Instant::now()
}

fn witnessed(clinic: &Clinic, left: Arc<Mutex<HashMap<String, Left>>>) -> WatchedSend {
    let witness = Arc::new(Witness { began: Mutex::new(moment()), left });
    let mut outbox = clinic.sending.clone();
    outbox.gateway = Arc::new(GatewayOf(Arc::clone(&witness)));
    (outbox.per_second, outbox.burst) = (1_000_000, 1_000_000);
    WatchedSend(outbox, witness)
}

/// What the program's own handler does, with a look at the clock before.
struct WatchedSend(Outbox, Arc<Witness>);

impl JobHandler for WatchedSend {
    fn kind(&self) -> &'static str {
        send::KIND
    }

    fn batch_max(&self) -> usize {
        send::BATCH_MAX
    }

    fn run(&self, jobs: Vec<ClaimedJob>, _stop: CancellationToken) -> Pin<Box<dyn Future<Output = Outcomes> + Send>> {
        *self.1.began.lock().unwrap() = moment();
        let outbox = self.0.clone();
        Box::pin(async move {
            let outcome = |sent| match sent {
                Sent::Completed => JobOutcome::Completed,
                Sent::LeaseLost => JobOutcome::LeaseLost,
                Sent::Later(at) => JobOutcome::Snooze(at),
                Sent::Failed(reason) => JobOutcome::Retry(reason),
            };
            send::send(&outbox, jobs).await.into_iter().map(|(job, sent)| (job, outcome(sent))).collect()
        })
    }
}

struct GatewayOf(Arc<Witness>);

impl Gateway for GatewayOf {
    fn name(&self) -> &'static str {
        "witness"
    }

    fn is_live(&self) -> bool {
        false
    }

    fn send<'a>(&'a self, texts: &'a [Outgoing]) -> Sending<'a> {
        let left = Left { let_go_after: *self.0.began.lock().unwrap(), at: moment() };
        self.0.left.lock().unwrap().extend(texts.iter().map(|text| (text.sms_id.clone(), left)));
        let accepted = |id: &str| SendResult::Accepted { provider_message_id: format!("witness-{id}") };
        Box::pin(async move { texts.iter().map(|text| (text.sms_id.clone(), accepted(&text.sms_id))).collect() })
    }
}

/// On PostgreSQL the recording of a STOP that is not committed yet cannot be seen. The outbox waits for it.
#[test]
fn a_text_waits_for_a_stop_that_is_just_being_recorded() {
    let Some(clinic) = Clinic::postgres() else { return };
    let phone = "+61491570006";
    plan(&clinic, [first(phone)]);
    let mut recording = hold_lane(&clinic, phone);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| clinic.work_only_sms());
        wait_until(Duration::from_secs(10), "the outbox waits", || clinic.number(WAITING) == 1 || sender.is_finished());
        assert_eq!(clinic.sent_to(phone), 0, "nothing leaves while a message is being recorded");
        recording.batch_execute(RECORDED).unwrap();
        sender.join().unwrap();
    });
    assert_eq!(clinic.sent_to(phone), 0, "{:?}", clinic.texts());
}

/// The other way round: while texts to a number are being let go, its STOP is not acknowledged. It would be counted as said before.
#[test]
fn a_stop_is_acknowledged_after_the_texts_that_are_just_being_let_go() {
    let Some(clinic) = Clinic::postgres() else { return };
    let phone = "+61491570006";
    let mut letting_go = hold_lane(&clinic, phone);
    std::thread::scope(|scope| {
        let stop = scope.spawn(|| say_stop(&clinic, phone));
        wait_until(Duration::from_secs(10), "the recording waits", || clinic.number(WAITING) == 1 || stop.is_finished());
        assert!(!stop.is_finished(), "it was acknowledged while a text was being let go");
        letting_go.batch_execute("COMMIT").unwrap();
        stop.join().unwrap();
    });
    clinic.settle();
    assert_eq!(clinic.count("suppressions"), 1);
}

/// A worker that was given up puts its text back just as another one looks whether the text was interrupted: the text still leaves.
#[test]
fn a_text_that_is_put_back_just_now_is_not_lost() {
    let Some(clinic) = Clinic::postgres() else { return };
    let phone = "+61491570006";
    plan(&clinic, [first(phone)]);
    clinic.words("UPDATE sms_messages SET status = 'sending' RETURNING id AS value");
    let mut putting_back = hold_lane(&clinic, phone);
    std::thread::scope(|scope| {
        let sender = scope.spawn(|| clinic.work_only_sms());
        wait_until(Duration::from_secs(10), "the outbox waits", || clinic.number(WAITING) == 1 || sender.is_finished());
        putting_back.batch_execute("UPDATE sms_messages SET status = 'queued'; COMMIT").unwrap();
        sender.join().unwrap();
    });
    assert_eq!(clinic.sent_to(phone), 1, "{:?}", clinic.texts());
}

/// A transaction that has taken the lane of a number, and stands still.
fn hold_lane(clinic: &Clinic, phone: &str) -> PgConnection {
    let mut connection = PgConnection::establish(&clinic.records.url).unwrap();
    let lock = format!("BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('p:{phone}', 0))");
    connection.batch_execute(&lock).unwrap();
    connection
}

/// Transactions that wait for a lane.
const WAITING: &str = "SELECT COUNT(*) AS value FROM pg_locks WHERE locktype = 'advisory' AND NOT granted \
     AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

/// What the recording of a STOP writes.
const RECORDED: &str = "INSERT INTO suppressions (phone, reason, at) VALUES ('+61491570006', 'stop', 1); COMMIT";
