//! Processes that are killed, frozen and stopped in the middle of their work. Nothing acknowledged is lost, nothing happens twice.

use crate::support::clinic::{Installation, wait_until};
use crate::support::load::{Dice, Load};
use crate::support::process::{Node, let_run};
use avatar::config::Environment;
use avatar::domain::clock::{Clock, SystemClock};
use avatar::store::jobs::{self, JobFilter};
use avatar::store::{Store, StoreOptions, invariants};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// SIGKILLs in a normal run; `AVATAR_STORM_KILLS` asks for another number.
const KILLS: u64 = 12;
/// After the last event was acknowledged, everything is done by then.
const QUIET_PATIENCE: Duration = Duration::from_mins(1);
/// A process is frozen for longer than its lease, which is 2 seconds.
const FREEZE: Duration = Duration::from_millis(4_500);

#[test]
fn kill_9_on_sqlite() {
    let installation = stormy(Installation::sqlite());
    let nodes = vec![Node::serve(&installation, "serve-1").ready()];
    storm("sqlite", &installation, nodes);
}

#[test]
fn kill_9_on_postgres_with_two_servers_and_a_worker() {
    let Some(installation) = Installation::postgres() else { return };
    let installation = stormy(installation);
    // The first one migrates.
    let mut nodes = vec![Node::serve(&installation, "serve-1").ready()];
    nodes.push(Node::serve(&installation, "serve-2").ready());
    nodes.push(Node::worker(&installation, "worker"));
    storm("postgres", &installation, nodes);
}

fn storm(name: &str, installation: &Arc<Installation>, mut nodes: Vec<Node>) {
    let environment = Environment::of_process();
    let number = |name: &str, default| environment.get(name).map_or(default, |n| n.parse().unwrap());
    let (kills, seed) = (number("AVATAR_STORM_KILLS", KILLS), number("AVATAR_STORM_SEED", 0x5eed_0001));
    let mut dice = Dice(seed);
    let load = Load::start(nodes.iter().filter_map(|node| node.address).collect(), seed);
    for _ in 0..kills {
        let_run(Duration::from_millis(300 + dice.roll(700)));
        let victim = dice.roll(nodes.len() as u64) as usize;
        nodes[victim].kill();
        nodes[victim].start();
    }
    let acked = load.finish();
    let figures = judge(installation, &acked, &nodes);
    eprint_line(&format!("storm: {name} seed={seed:#x} kills={kills} acked={} {figures}", acked.len()));
}

#[test]
fn a_graceful_stop_under_load_loses_nothing() {
    let installation = stormy(Installation::sqlite());
    let mut node = Node::serve(&installation, "serve-1").ready();
    let load = Load::start(node.address.into_iter().collect(), 0x5eed_0002);
    for _ in 0..3 {
        let_run(Duration::from_millis(1_200));
        node.signal("TERM");
        let status = node.ended();
        assert!(status.success(), "{status}: {}", node.log());
        let records = installation.records();
        let held = records.number("SELECT COUNT(*) AS value FROM jobs WHERE state = 'running'");
        assert_eq!(held, 0, "a stopped process holds no jobs");
        assert_eq!(records.number("SELECT COUNT(*) AS value FROM sms_messages WHERE status IN ('sending', 'unknown')"), 0);
        node.start();
    }
    let acked = load.finish();
    let figures = judge(&installation, &acked, std::slice::from_ref(&node));
    assert_eq!(installation.records().number("SELECT COUNT(*) AS value FROM sms_messages WHERE status = 'unknown'"), 0);
    eprint_line(&format!("storm: sigterm stops=3 acked={} {figures}", acked.len()));
}

/// The frozen process wakes up when its jobs are somebody else's: whatever it still wants to write is refused.
#[test]
fn a_process_that_was_frozen_past_its_lease_does_nothing_twice() {
    let Some(installation) = Installation::postgres() else { return };
    let installation = stormy(installation);
    let first = Node::serve(&installation, "serve-1").ready();
    let second = Node::serve(&installation, "serve-2").ready();
    let load = Load::start(second.address.into_iter().collect(), 0x5eed_0003);
    for _ in 0..2 {
        let_run(Duration::from_millis(700));
        first.signal("STOP");
        let_run(FREEZE);
        first.signal("CONT");
    }
    let acked = load.finish();
    let figures = judge(&installation, &acked, &[first, second]);
    let deaths = installation.records().number("SELECT COUNT(*) AS value FROM workers WHERE dead_at IS NOT NULL");
    eprint_line(&format!("storm: frozen freezes=2 declared_dead={deaths} acked={} {figures}", acked.len()));
}

/// Two servers and a worker on one database: each event is worked on once, by one of them, and all of them work.
#[test]
fn two_servers_and_a_worker_share_the_load() {
    let Some(installation) = Installation::postgres() else { return };
    let installation = patient(installation);
    let mut nodes = vec![Node::serve(&installation, "serve-1").ready()];
    nodes.push(Node::serve(&installation, "serve-2").ready());
    nodes.push(Node::worker(&installation, "worker"));
    let records = installation.records();
    wait_until(QUIET_PATIENCE, "three processes are at work", || records.number(ALIVE) == 3);
    let load = Load::start(nodes.iter().filter_map(|node| node.address).collect(), 0x5eed_0004);
    wait_until(QUIET_PATIENCE, "a load", || load.acked() >= 300);
    let acked = load.finish();
    let figures = judge(&installation, &acked, &nodes);
    let rescued = records.number("SELECT CAST(SUM(rescues) AS BIGINT) AS value FROM job_history");
    assert_eq!(rescued, 0, "nobody takes jobs from a healthy process");
    assert_eq!(records.words(AGAIN), Vec::<String>::new(), "one attempt each");
    eprint_line(&format!("storm: shared nodes=3 acked={} {figures}", acked.len()));
}

/// What was tried more than once, and why.
const AGAIN: &str = "SELECT tried.queue || ' ' || tried.kind || ' ' || a.outcome || ': ' || COALESCE(a.error, '-') AS value
    FROM job_history tried JOIN job_attempts a ON a.job_id = tried.id WHERE tried.attempts > 1";

const ALIVE: &str = "SELECT COUNT(DISTINCT pid) AS value FROM workers WHERE dead_at IS NULL";

/// Short leases, so that a storm is over soon.
pub(super) fn stormy(installation: Arc<Installation>) -> Arc<Installation> {
    change(&installation, "config/default.yaml", "lease_seconds: 8", "lease_seconds: 2");
    patient(installation)
}

/// The shipped lease; no quiet hours, so that it goes the same at any time of the day.
pub(super) fn patient(installation: Arc<Installation>) -> Arc<Installation> {
    change(&installation, "config/default.yaml", "poll_ms: 500", "poll_ms: 100");
    change(&installation, "config/clinic.yaml", "texts_from: \"08:00\"", "texts_from: \"00:00\"");
    change(&installation, "config/clinic.yaml", "texts_until: \"20:00\"", "texts_until: \"24:00\"");
    installation
}

pub(super) fn change(installation: &Installation, file: &str, from: &str, to: &str) {
    let text = installation.read(file);
    assert!(text.contains(from), "{file}: {from}");
    installation.write(file, &text.replace(from, to));
}

/// Waits until all work is done, then counts what must not be.
fn judge(installation: &Arc<Installation>, acked: &BTreeSet<String>, nodes: &[Node]) -> String {
    let records = installation.records();
    let open = "SELECT COUNT(*) AS value FROM jobs WHERE queue IN ('automation', 'sms')";
    let logs: String = nodes.iter().map(Node::log).collect();
    let mut parked = 0;
    loop {
        wait_until(QUIET_PATIENCE, "all jobs are done", || records.number(open) == 0 || records.number(DEAD) > 0);
        if records.number(open) == 0 {
            break;
        }
        // Killed again and again under the same job, the program parks it; a person puts it back.
        let not_parked = "SELECT last_error AS value FROM jobs WHERE state = 'dead' AND rescues < 3";
        assert_eq!(records.words(not_parked), Vec::<String>::new(), "{logs}");
        parked += put_back(installation);
    }
    let finished: BTreeSet<String> = records
        .words("SELECT dedupe_key AS value FROM event_log WHERE source = 'wix' AND processed_at IS NOT NULL")
        .into_iter()
        .collect();
    let lost: Vec<&String> = acked.difference(&finished).collect();
    let doubled: Vec<String> = DOUBLED.iter().flat_map(|sql| records.words(sql)).collect();
    let ledger = installation.ledger();
    let texts_doubled = ledger.len() - ledger.iter().collect::<BTreeSet<_>>().len();
    assert_eq!((lost.len(), doubled.len(), texts_doubled), (0, 0, 0), "lost {lost:?}, doubled {doubled:?}\n{logs}");
    let unknown = the_ledger_agrees(installation, &ledger);
    let store = Store::open(StoreOptions::new(&installation.url), Arc::new(SystemClock)).unwrap();
    let broken = store.read_now(invariants::check).unwrap();
    let unsent =
        "SELECT id || ' ' || status || ' ' || COALESCE(status_reason, '-') || ' attempts=' || CAST(attempts AS TEXT) AS value
        FROM sms_messages WHERE status IN ('scheduled', 'queued', 'sending')";
    assert!(broken.is_empty(), "{broken:#?}\nunsent: {:#?}\n{logs}", records.words(unsent));
    format!("lost=0 doubled=0 texts={} texts_doubled=0 texts_unknown={unknown} parked={parked}", ledger.len())
}

/// What `avatar jobs retry --all` does.
pub(super) fn put_back(installation: &Installation) -> usize {
    let store = Store::open(StoreOptions::new(&installation.url), Arc::new(SystemClock)).unwrap();
    let now = SystemClock.now();
    store.write_now(move |tx| jobs::retry_dead(tx, &JobFilter::default(), now)).unwrap()
}

/// What the database calls sent was handed over; what was handed over is sent, or a person was asked about it.
fn the_ledger_agrees(installation: &Installation, ledger: &[String]) -> usize {
    let records = installation.records();
    let ids = |status: &str| -> BTreeSet<String> {
        let sql = format!("SELECT id AS value FROM sms_messages WHERE direction = 'out' AND status = '{status}'");
        records.words(&sql).into_iter().collect()
    };
    let (accepted, unknown, handed) = (ids("accepted"), ids("unknown"), ledger.iter().cloned().collect::<BTreeSet<_>>());
    assert!(accepted.is_subset(&handed), "sent by no gateway: {:?}", accepted.difference(&handed));
    let settled: BTreeSet<String> = accepted.union(&unknown).cloned().collect();
    assert!(handed.is_subset(&settled), "handed over and forgotten: {:?}", handed.difference(&settled));
    let asked = records.number("SELECT COUNT(*) AS value FROM tasks WHERE type = 'sms_outcome_unknown'");
    // More tasks than that: the answer came after all, from a process that was thought dead.
    assert!(asked >= unknown.len() as i64, "a task for each text of which nobody knows: {asked} for {unknown:?}");
    unknown.len()
}

const DEAD: &str = "SELECT COUNT(*) AS value FROM jobs WHERE state = 'dead'";

/// Effects of which there can be only one; none of these has a unique index.
const DOUBLED: [&str; 5] = [
    "SELECT MIN(id) AS value FROM automation_runs GROUP BY event_id, rule_id HAVING COUNT(*) > 1",
    "SELECT MIN(id) AS value FROM automation_runs WHERE rule_id = 'booking-confirmed' GROUP BY booking_id HAVING COUNT(*) > 1",
    "SELECT MIN(id) AS value FROM pipeline_transitions GROUP BY run_id, to_stage HAVING COUNT(*) > 1",
    "SELECT MIN(id) AS value FROM touchpoints WHERE event_id IS NOT NULL GROUP BY event_id, kind HAVING COUNT(*) > 1",
    "SELECT MIN(id) AS value FROM bookings GROUP BY wix_booking_id HAVING COUNT(*) > 1",
];

/// Past the test harness, so that the figures are seen although the test passes.
pub(super) fn eprint_line(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "{text}");
}
