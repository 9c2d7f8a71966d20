//! Receipts and replies: written as the provider writes them, sent to the clinic's webhooks, tried again when they are not taken.

use super::Shared;
use super::ledger::Text;
use super::numbers::Fate;
use super::options::Provider;
use super::reports::{Report, Step, receipts};
use super::{clicksend, messagemedia};
use crate::domain::random::Random;
use crate::domain::time::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Tries of one callback.
const TRIES_MAX: u32 = 6;
/// Callbacks on the wire at once.
pub(super) const AT_ONCE_MAX: usize = 32;
/// Texts whose callbacks wait; what comes on top has none.
const WAITING_MAX: usize = 100_000;

/// A callback, ready to be sent.
pub(super) struct Parcel {
    pub content_type: &'static str,
    pub body: String,
}

/// A text from a patient.
pub(super) struct Reply {
    pub id: String,
    pub from: String,
    pub to: String,
    pub body: String,
    /// What it answers.
    pub about: Option<Text>,
}

#[derive(Clone, Copy)]
enum Kind {
    Receipts,
    Inbound,
}

/// Sends what becomes of a text, in its own time.
pub(super) fn follow(shared: &Arc<Shared>, text: Text, fate: Fate) {
    let steps = receipts(fate, shared.faults.of_receipts(text.luck()));
    let answer = answer(shared, &text, fate);
    if shared.tracker.len() >= WAITING_MAX || steps.is_empty() && answer.is_none() {
        return;
    }
    let is_told = text.callback.is_some() || shared.options.callback.is_some();
    if !is_told {
        // Nobody listens; whoever asks for the state is told the last word.
        if let Some(last) = steps.last() {
            shared.ledger.note_report(&text.message_id, last.report);
        }
        return;
    }
    let shared = Arc::clone(shared);
    let tracker = shared.tracker.clone();
    tracker.spawn(async move {
        let stop = shared.stop.clone();
        let whole = async {
            for step in &steps {
                tell(&shared, &text, *step).await;
            }
            if let Some(body) = answer {
                tokio::time::sleep(shared.options.receipt_delay).await;
                say(&shared, &text.to.clone(), &body, Some(text)).await;
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = whole => {}
        }
    });
}

/// A text from a patient, now. True when the clinic took it.
pub(super) async fn say(shared: &Arc<Shared>, from: &str, body: &str, about: Option<Text>) -> bool {
    let number = shared.said.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    // The text that is answered makes the id, so that it does not depend on who answers first.
    let name = about.as_ref().map_or_else(|| format!("reply:{number}"), |text| format!("reply:{}:{body}", text.message_id));
    let to = about.as_ref().map_or_else(String::new, |text| text.from.clone());
    let url = about.as_ref().and_then(|text| text.callback.clone());
    let id = shared.options.provider.id(Random::of(shared.options.seed, &name).uuid());
    let reply = Reply { id, from: from.to_owned(), to, body: body.to_owned(), about };
    let now = shared.options.clock.now();
    let parcel = match shared.options.provider {
        Provider::ClickSend => clicksend::reply(&reply, now, shared.options.encoding),
        Provider::MessageMedia => messagemedia::reply(&reply, now, url.as_deref()),
    };
    deliver(shared, url.as_deref(), Kind::Inbound, &parcel).await
}

async fn tell(shared: &Arc<Shared>, text: &Text, step: Step) {
    let wait = if step.is_late { shared.options.late } else { shared.options.receipt_delay };
    let mut released = shared.released.subscribe();
    tokio::select! {
        () = tokio::time::sleep(wait) => {}
        _ = released.changed(), if step.is_late => {}
    }
    let parcel = receipt(shared, text, step.report);
    shared.ledger.note_report(&text.message_id, step.report);
    deliver(shared, text.callback.as_deref(), Kind::Receipts, &parcel).await;
}

fn receipt(shared: &Shared, text: &Text, report: Report) -> Parcel {
    let now: Timestamp = shared.options.clock.now();
    match shared.options.provider {
        Provider::ClickSend => clicksend::receipt(text, report, now, shared.options.encoding),
        Provider::MessageMedia => {
            // A report that comes twice is the same report.
            let id = Random::of(shared.options.seed, &format!("report:{}:{report:?}", text.message_id)).uuid();
            messagemedia::receipt(text, report, &id, now)
        }
    }
}

fn answer(shared: &Shared, text: &Text, fate: Fate) -> Option<String> {
    if let Fate::Replies(body) = fate {
        return Some(body.to_owned());
    }
    let mut luck = Random::of(shared.options.seed, &format!("answer:{}", text.luck())).unit();
    for answering in shared.options.answering.iter().filter(|_| fate == Fate::Delivered) {
        if luck < answering.share {
            return Some(answering.body.clone());
        }
        luck -= answering.share;
    }
    None
}

async fn deliver(shared: &Arc<Shared>, url: Option<&str>, kind: Kind, parcel: &Parcel) -> bool {
    let Some(url) = url.or(shared.options.callback.as_deref()) else { return false };
    let name = match kind {
        Kind::Receipts => "receipts",
        Kind::Inbound => "inbound",
    };
    let url = url.replace("{kind}", name);
    let mut pause = shared.options.retry_delay;
    for attempt in 1..=TRIES_MAX {
        if post(shared, &url, parcel).await {
            shared.ledger.count(|totals| totals.callbacks_taken += 1);
            return true;
        }
        shared.ledger.count(|totals| totals.callbacks_not_taken += 1);
        if attempt < TRIES_MAX {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }
    shared.ledger.count(|totals| totals.callbacks_given_up += 1);
    false
}

/// Between two tries.
const PAUSE_MAX: Duration = Duration::from_mins(1);

async fn post(shared: &Shared, url: &str, parcel: &Parcel) -> bool {
    let Ok(_permit) = shared.on_the_wire.acquire().await else { return false };
    let signed = shared.options.signer.as_ref().and_then(|signer| {
        let date = shared.options.clock.now().utc().format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let signature = signer.sign(&format!("POST {} HTTP/1.1", path_of(url)), &date, parcel.body.as_bytes());
        signature.ok().map(|signature| (date, signature))
    });
    let mut headers = vec![("Content-Type", parcel.content_type)];
    if let Some((date, signature)) = &signed {
        headers.extend([("Date", date.as_str()), ("X-Messagemedia-Signature", signature.as_str())]);
    }
    let answer = shared.client.post(url, &headers, parcel.body.clone().into_bytes()).await;
    answer.is_ok_and(|(status, _)| (200..300).contains(&status))
}

/// Path and query, as they stand in the request line.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or("/", |at| &rest[at..])
}
