//! The provider's own count of texts, after everything that can go wrong went wrong: none is there twice.

use super::storm::{change, eprint_line, stormy};
use crate::support::clinic::{Clinic, Installation, MONDAY_9AM, at, wait_until};
use crate::support::load::{Dice, Load};
use crate::support::process::{Node, let_run};
use crate::support::provider::{Api, Provider};
use avatar::automation::send::{self, Sent, job_for};
use avatar::config::Environment;
use avatar::domain::clock::{ManualClock, SystemClock};
use avatar::domain::ids::new_id;
use avatar::domain::job::ClaimedJob;
use avatar::domain::sample;
use avatar::domain::sms::SmsMessage;
use avatar::domain::time::{Millis, Timestamp};
use avatar::jobs::{kinds, work_available};
use avatar::store::jobs::{ClaimRequest, JobFilter};
use avatar::store::{StoreResult, jobs, sms, workers};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Texts in a normal run; `AVATAR_LEDGER_TEXTS` asks for another number.
const TEXTS: u64 = 1_000;
/// SIGKILLs in a normal run; `AVATAR_STORM_KILLS` asks for another number.
const KILLS: u64 = 8;
/// Once the provider is well, everything is sent by then.
const QUIET_PATIENCE: Duration = Duration::from_mins(4);
const TRIES_MAX: u32 = 20;
/// Faults that cost little time.
const FAULTS: [&str; 24] = [
    "429",
    "429-bare",
    "401",
    "402",
    "no-credit",
    "500",
    "sent-502",
    "sent-503",
    "reset",
    "sent-reset",
    "sent-reset",
    "sent-close",
    "reset-mid-body",
    "cut",
    "html",
    "sent-html",
    "garbage",
    "sent-garbage",
    "truncated",
    "redirect",
    "huge",
    "empty",
    "sent-empty",
    "sent-timeout",
];

fn asked_for(name: &str, default: u64) -> u64 {
    Environment::of_process().get(name).map_or(default, |n| n.parse().unwrap())
}

/// A clinic or a process whose provider answers within a second, and that may send as fast as it can.
fn hurried(installation: &Installation) {
    change(installation, "config/default.yaml", "timeout_seconds: 10\n", "timeout_seconds: 1\n");
    change(installation, "config/default.yaml", "per_second_max: 5\n", "per_second_max: 1000\n");
    // Many calls, so that many go wrong.
    change(installation, "config/default.yaml", "batch_max: 100\n", "batch_max: 4\n");
    change(installation, "config/clinic.yaml", "per_number: 8", "per_number: 100000");
    change(installation, "config/clinic.yaml", "in_all: 3000", "in_all: 100000");
}

#[test]
fn no_text_is_taken_twice_on_sqlite() {
    for (api, seed) in [(Api::ClickSend, 0x5eed_0011), (Api::MessageMedia, 0x5eed_0012)] {
        count_after_faults(api, Installation::sqlite(), seed);
    }
}

#[test]
fn no_text_is_taken_twice_on_postgres() {
    let Some(installation) = Installation::postgres() else { return };
    count_after_faults(Api::ClickSend, installation, 0x5eed_0013);
}

/// Workers are given up in the middle of their calls, their jobs are taken from them, and they come back all the same.
fn count_after_faults(api: Api, installation: Arc<Installation>, seed: u64) {
    let clock = ManualClock::at(at(MONDAY_9AM));
    let provider = Provider::start(api, clock.clone());
    hurried(&installation);
    let variables = provider.variables();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let clinic = Clinic::node(installation, &clock, &variables);
    let texts = asked_for("AVATAR_LEDGER_TEXTS", TEXTS);
    fill(&clinic, texts);
    let mut dice = Dice(seed);
    let mut given_up = 0;
    let mut rounds = 0;
    while clinic.number("SELECT COUNT(*) AS value FROM jobs WHERE queue = 'sms'") > 0 {
        rounds += 1;
        assert!(rounds < 100 + texts, "it does not end");
        // What was not met is forgotten: else faults could pile up for ever.
        provider.be_well();
        let is_given_up = if dice.roll(3) == 0 {
            // In the middle of a call: the provider has the texts, and its answer comes later, or never.
            provider.fail_next(std::iter::repeat_n("fine", dice.roll(4) as usize).chain(["hang"]));
            !clinic.work_sms_until(|| provider.is_out_of_faults())
        } else {
            for _ in 0..=dice.roll(3) {
                provider.fail_next(std::iter::repeat_n("fine", dice.roll(8) as usize));
                provider.fail_next([FAULTS[dice.roll(FAULTS.len() as u64) as usize]]);
            }
            let patience = if dice.roll(3) == 0 { dice.roll(40) } else { 20_000 };
            !clinic.work_sms_within(Duration::from_millis(patience))
        };
        given_up += u64::from(is_given_up);
        clock.advance(Millis::seconds(30 + dice.roll(300) as i64));
        put_back(&clinic);
        if dice.roll(2) == 0 {
            provider.release();
        }
    }
    provider.be_well();
    // What was given up may still be on its way back.
    wait_until(QUIET_PATIENCE, "no text is on its way", || {
        clinic.number("SELECT COUNT(*) AS value FROM sms_messages WHERE status = 'sending'") == 0
    });
    let is_open = |id: &String| provider.taken(id) > 0;
    let unknown = "SELECT id AS value FROM sms_messages WHERE status = 'unknown'";
    // Questions to the provider have a rate of their own.
    for _ in 0..texts {
        if !clinic.words(unknown).iter().any(is_open) {
            break;
        }
        clock.advance(Millis::minutes(1));
        clinic.settle();
    }
    // A person is asked about the others when their time is up and the provider does not know them either.
    for _ in 0..texts {
        if clinic.words(unknown).len() as i64 == clinic.number(ASKED) {
            break;
        }
        clock.advance(Millis::minutes(11));
        put_back(&clinic);
        clinic.settle();
    }
    let figures = judge(&provider, &clinic, texts as usize);
    eprint_line(&format!("ledger: {} seed={seed:#x} texts={texts} rounds={rounds} given_up={given_up} {figures}", api.as_str()));
    clinic.check();
}

fn fill(clinic: &Clinic, count: u64) {
    let now = clinic.now();
    let texts: Vec<SmsMessage> = (0..count).map(|n| text(n, now)).collect();
    let work: Vec<_> = texts.iter().map(|text| job_for(&text.id, now)).collect();
    let write = move |tx: &mut avatar::store::Tx<'_>| {
        sms::insert_many(tx, &texts.iter().collect::<Vec<_>>())?;
        jobs::enqueue_many(tx, &work, now)?;
        StoreResult::Ok(())
    };
    clinic.automation.store.write_now(write).unwrap();
}

fn text(n: u64, now: Timestamp) -> SmsMessage {
    sample::text(&new_id(now), &format!("+61491{n:06}"), now)
}

/// What the runtime does with jobs of lost workers, and a person with jobs that were lost too often. Calls that were given up may
/// be writing behind our back: whoever meets them in a deadlock does it again, as the runtime does.
fn put_back(clinic: &Clinic) {
    let now = clinic.now();
    let write = move |tx: &mut avatar::store::Tx<'_>| {
        jobs::rescue(tx, now)?;
        jobs::retry_dead(tx, &JobFilter::default(), now)
    };
    for _ in 0..TRIES_MAX {
        match clinic.automation.store.write_now(write) {
            Err(error) if error.is_transient() => eprint_line(&format!("ledger: once more: {error}")),
            written => {
                written.unwrap();
                return;
            }
        }
    }
    panic!("the database does not come to rest");
}

const ASKED: &str = "SELECT COUNT(*) AS value FROM tasks WHERE type = 'sms_outcome_unknown' AND status = 'todo'";

/// Counts what the provider took, and compares it with what the database says.
fn judge(provider: &Provider, clinic: &Clinic, texts: usize) -> String {
    let taken = taken(provider);
    let doubled: Vec<_> = taken.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "taken twice: {doubled:?}");
    let ids = |status: &str| {
        clinic.words(&format!("SELECT id AS value FROM sms_messages WHERE status = '{status}' AND direction = 'out'"))
    };
    let (mut accepted, unknown) = (ids("accepted"), ids("unknown"));
    accepted.extend(ids("delivered"));
    let strangers: Vec<_> = accepted.iter().filter(|id| !taken.contains_key(*id)).collect();
    assert!(strangers.is_empty(), "called sent, but nobody took them: {strangers:?}");
    assert_eq!(accepted.len(), taken.len(), "what was taken is known to be");
    assert_eq!(accepted.len() + unknown.len(), texts, "every text has its end");
    assert_eq!(clinic.number(ASKED) as usize, unknown.len(), "a person is asked about each text of unknown fate, once");
    format!("taken={} doubled=0 unknown={}", taken.len(), unknown.len())
}

/// How often each of our texts went out.
fn taken(provider: &Provider) -> BTreeMap<String, usize> {
    let mut taken = BTreeMap::new();
    for text in provider.sent() {
        *taken.entry(text.id.expect("each has our id")).or_default() += 1;
    }
    taken
}

/// The fence: jobs that were taken from a worker that slept are somebody else's, and their texts with them.
#[test]
fn a_worker_that_slept_past_its_lease_touches_nothing() {
    for installation in [Some(Installation::sqlite()), Installation::postgres()].into_iter().flatten() {
        let clock = ManualClock::at(at(MONDAY_9AM));
        let provider = Provider::start(Api::ClickSend, clock.clone());
        let variables = provider.variables();
        let variables: Vec<(&str, &str)> = variables.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let clinic = Clinic::node(installation, &clock, &variables);
        fill(&clinic, 3);
        let held = claim(&clinic);
        clock.advance(Millis::minutes(5));
        put_back(&clinic);
        let sent = clinic.runtime.block_on(send::send(&clinic.sending, held));
        assert!(sent.len() == 3 && sent.iter().all(|(_, sent)| matches!(sent, Sent::LeaseLost)), "{sent:?}");
        assert!(provider.sent().is_empty(), "nothing left");
        assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM sms_messages WHERE status = 'queued' AND attempts = 0"), 3);
        clinic.settle();
        assert!(taken(&provider).into_values().eq([1, 1, 1]), "whoever has the jobs sends the texts");
    }
}

fn claim(clinic: &Clinic) -> Vec<ClaimedJob> {
    let now = clinic.now();
    let claim = move |tx: &mut avatar::store::Tx<'_>| {
        let worker = workers::register(tx, "sleeper", 1, Millis::minutes(1), now)?;
        jobs::claim(tx, worker, &ClaimRequest { queue: kinds::SMS, limit: 10, turn: 0 }, now)
    };
    clinic.automation.store.write_now(claim).unwrap()
}

/// The real program, killed again and again while a bad provider takes its texts.
#[test]
fn kill_9_while_a_bad_provider_takes_texts() {
    let provider = Provider::start(Api::ClickSend, Arc::new(SystemClock));
    let installation = stormy(Installation::sqlite());
    hurried(&installation);
    installation.set_variables(provider.variables());
    let mut node = Node::serve(&installation, "serve-1").ready();
    let mut dice = Dice(0x5eed_0014);
    let kills = asked_for("AVATAR_STORM_KILLS", KILLS);
    let load = Load::start(node.address.into_iter().collect(), 0x5eed_0014);
    for _ in 0..kills {
        for _ in 0..4 {
            if dice.roll(2) == 0 {
                provider.fail_next([FAULTS[dice.roll(FAULTS.len() as u64) as usize]]);
            }
            let_run(Duration::from_millis(60 + dice.roll(200)));
        }
        node.kill();
        node.start();
    }
    provider.be_well();
    let acked = load.finish();
    let records = installation.records();
    let open = "SELECT COUNT(*) AS value FROM jobs WHERE queue IN ('automation', 'sms')";
    let dead = "SELECT COUNT(*) AS value FROM jobs WHERE state = 'dead'";
    wait_until(QUIET_PATIENCE, "all texts are sent", || {
        if records.number(dead) > 0 {
            super::storm::put_back(&installation);
        }
        records.number(open) == 0
    });
    let taken = taken(&provider);
    let doubled: Vec<_> = taken.iter().filter(|(_, count)| **count > 1).collect();
    assert!(doubled.is_empty(), "taken twice: {doubled:?}\n{}", node.log());
    let unknown = records.number("SELECT COUNT(*) AS value FROM sms_messages WHERE status = 'unknown'");
    let unaccounted = "SELECT id AS value FROM sms_messages WHERE direction = 'out' AND status IN ('accepted', 'delivered')";
    let sent = records.words(unaccounted);
    assert!(sent.iter().all(|id| taken.contains_key(id)), "called sent, but nobody took them");
    assert!(!taken.is_empty() && !sent.is_empty());
    let figures = format!("acked={} taken={} doubled=0 unknown={unknown}", acked.len(), taken.len());
    eprint_line(&format!("ledger: killed kills={kills} {figures}"));
}

const LOOKS_EVERY: Duration = Duration::from_millis(2);

impl Clinic {
    /// Sends what may leave; false when it was given up before the end. What was begun goes on behind our back.
    fn work_sms_within(&self, patience: Duration) -> bool {
        let work = work_available(&self.automation.store, &self.registry, kinds::SMS);
        self.runtime.block_on(async { tokio::time::timeout(patience, work).await.is_ok() })
    }

    /// Likewise, given up as soon as `enough`.
    fn work_sms_until(&self, enough: impl Fn() -> bool) -> bool {
        let work = work_available(&self.automation.store, &self.registry, kinds::SMS);
        let seen = async {
            let mut ticks = tokio::time::interval(LOOKS_EVERY);
            while !enough() {
                ticks.tick().await;
            }
        };
        self.runtime.block_on(async {
            tokio::select! {
                _ = work => true,
                () = seen => false,
            }
        })
    }
}
