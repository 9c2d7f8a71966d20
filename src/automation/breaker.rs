//! Holds the outbox while its provider takes no texts, and tells staff what only they can put right. Other queues go on.

use super::alerts::{Alert, RULE_ALERT};
use super::send::Sending;
use crate::domain::ids::new_id;
use crate::domain::sms_provider::{Admission, Hold, HoldReason, PROBE_PAUSE};
use crate::domain::time::Timestamp;
use crate::gateway::{Answers, SendResult, Stop};
use crate::store::{StoreResult, Tx, holds, tasks};
use crate::telemetry::{Metric, metrics};

/// How many texts may be handed over now, and when the others may ask again.
#[derive(Clone, Copy, Debug)]
pub(super) struct Gate {
    pub allowed: u32,
    pub retry_at: Option<Timestamp>,
    is_probe: bool,
}

pub(super) fn gate(tx: &mut Tx<'_>, provider: &str, want: u32, now: Timestamp) -> StoreResult<Gate> {
    let open = Gate { allowed: want, retry_at: None, is_probe: false };
    if want == 0 || holds::find(tx, provider)?.is_none() {
        return Ok(open);
    }
    // Another node may be about to try one.
    let Some(hold) = holds::lock(tx, provider)? else { return Ok(open) };
    Ok(match hold.admits(now) {
        Admission::All => open,
        Admission::Probe => Gate { allowed: 1, retry_at: Some(now + PROBE_PAUSE), is_probe: true },
        Admission::NotBefore(at) => Gate { allowed: 0, retry_at: Some(at), is_probe: false },
    })
}

/// The one text that the gate allowed is on its way.
pub(super) fn note_probe(tx: &mut Tx<'_>, provider: &str, gate: Gate, now: Timestamp) -> StoreResult<()> {
    match holds::find(tx, provider)? {
        Some(hold) if gate.is_probe => holds::put(tx, provider, &hold.probed(now)),
        _ => Ok(()),
    }
}

/// Draws the conclusion from a call that began at `began`; answers with when texts may go again, while they may not.
pub(super) fn note_answers(
    tx: &mut Tx<'_>,
    sending: &Sending,
    answers: &Answers,
    began: Timestamp,
    now: Timestamp,
) -> StoreResult<Option<Timestamp>> {
    let provider = sending.gateway.name();
    if let Some(stop) = stop_of(answers) {
        return close(tx, sending, stop, now).map(Some);
    }
    let Some(hold) = holds::find(tx, provider)? else { return Ok(None) };
    let works = answers.results.values().any(|r| matches!(r, SendResult::Accepted { .. } | SendResult::Refused { .. }));
    if works && began >= hold.since {
        reopen(tx, provider, &hold, now)?;
        return Ok(None);
    }
    if hold.probing && !works {
        // The one text was not handed over after all.
        let again = Hold { probing: false, retry_at: now + PROBE_PAUSE, ..hold };
        holds::put(tx, provider, &again)?;
        return Ok(Some(again.retry_at));
    }
    Ok(Some(hold.retry_at))
}

/// A provider that says of no text what became of it is in trouble too.
fn stop_of(answers: &Answers) -> Option<Stop> {
    let all_unknown = !answers.results.is_empty() && answers.results.values().all(|r| matches!(r, SendResult::Unknown { .. }));
    let silent =
        || Stop { reason: HoldReason::Unavailable, detail: "it says of no text what became of it".into(), retry_after: None };
    answers.stop.clone().or_else(|| all_unknown.then(silent))
}

fn close(tx: &mut Tx<'_>, sending: &Sending, stop: Stop, now: Timestamp) -> StoreResult<Timestamp> {
    let provider = sending.gateway.name();
    let known = holds::lock(tx, provider)?;
    if let Some(other) = known.as_ref().filter(|hold| hold.reason != stop.reason) {
        tasks::close_by_key(tx, &key(provider, other.reason), "Something else is the matter now", now)?;
    }
    let mut hold = match known {
        Some(hold) => hold.again(stop.reason, stop.detail, stop.retry_after, now),
        None => Hold::begin(stop.reason, stop.detail, stop.retry_after, now),
    };
    let (reason, detail) = (hold.reason.as_str(), hold.detail.as_str());
    tracing::warn!(provider, reason, detail, failures = hold.failures, "texts wait: the provider takes none");
    metrics::counter(Metric::SmsHolds, &[("provider", provider), ("reason", reason)], 1);
    if hold.must_be_told(now) {
        hold.told = true;
        let task = alert(provider, &hold).task(new_id(now), &sending.automation.clinic, now);
        tasks::open_once(tx, &task)?;
    }
    holds::put(tx, provider, &hold)?;
    Ok(hold.retry_at)
}

fn reopen(tx: &mut Tx<'_>, provider: &str, hold: &Hold, now: Timestamp) -> StoreResult<()> {
    if holds::clear(tx, provider)? {
        tasks::close_by_key(tx, &key(provider, hold.reason), "It takes texts again", now)?;
        let seconds = (now - hold.since).0 / 1_000;
        tracing::info!(provider, reason = hold.reason.as_str(), seconds, "the provider takes texts again");
    }
    Ok(())
}

fn key(provider: &str, reason: HoldReason) -> String {
    format!("{RULE_ALERT}:{}", short_key(provider, reason))
}

fn short_key(provider: &str, reason: HoldReason) -> String {
    format!("sms_provider:{provider}:{}", reason.as_str())
}

fn alert(provider: &str, hold: &Hold) -> Alert {
    let name = display_name(provider);
    Alert {
        key: short_key(provider, hold.reason),
        title: format!("Texts wait: {name} {}", hold.reason.words()),
        because: format!(
            "{name} answered: {}. To do: {}. The texts leave by themselves when it works again",
            hold.detail,
            hold.reason.help()
        ),
        owner: None,
        contact_id: None,
        run_id: None,
    }
}

/// As the provider writes itself.
pub(super) fn display_name(provider: &str) -> &str {
    match provider {
        "clicksend" => "ClickSend",
        "messagemedia" => "MessageMedia",
        other => other,
    }
}
