//! Whether work is being done, and whether anything still arrives.

use super::Finding;
use crate::cli::moment::span;
use crate::cli::parts::Parts;
use crate::domain::time::{Millis, Timestamp};
use crate::store::jobs::QueueStats;
use crate::store::views::{PageRequest, events};
use crate::store::workers::Worker;
use crate::store::{Store, StoreResult, jobs, workers};

/// Jobs that wait longer have nobody who works on them.
const WAIT_MAX: Millis = Millis::MINUTE;
/// A source that was in use and is silent for longer may be broken.
const SILENCE_MAX: Millis = Millis::days(3);
/// Events may not come from the future by more than this.
const SKEW_MAX: Millis = Millis::MINUTE;

pub(super) async fn examine(parts: &Parts) -> Vec<Finding> {
    let now = parts.clock.now();
    let found = [
        ("workers", workers_found(&parts.store, now).await),
        ("webhooks", webhooks(parts, now).await),
        ("clock", clock(&parts.store, now).await),
    ];
    let unreadable = |part, error: String| Finding::problem(part, error, "`avatar doctor --only database`");
    found.into_iter().map(|(part, found)| found.unwrap_or_else(|error| unreadable(part, error.to_string()))).collect()
}

async fn workers_found(store: &Store, now: Timestamp) -> StoreResult<Finding> {
    let read = move |conn: &mut _| StoreResult::Ok((workers::alive(conn)?, jobs::stats(conn, now)?));
    let (workers, queues) = store.read(read).await?;
    let alive = workers.iter().filter(|worker: &&Worker| worker.expires_at > now.0).count();
    let oldest = queues.iter().map(|queue| queue.oldest_ready_age).max().unwrap_or_default();
    let sum = |of: fn(&QueueStats) -> i64| queues.iter().map(of).sum::<i64>();
    let (waiting, dead) = (sum(|queue| queue.ready + queue.lane_blocked), sum(|queue| queue.dead));
    let text = format!("{alive} processes work, {waiting} jobs waiting (oldest {}), {dead} failed for good", span(oldest));
    Ok(if alive == 0 && waiting > 0 {
        Finding::problem("workers", text, "start `avatar serve` or `avatar worker`")
    } else if oldest > WAIT_MAX {
        Finding::problem("workers", text, "start more workers, and look at `avatar jobs list`")
    } else if alive == 0 {
        Finding::warning("workers", text, "start `avatar serve` or `avatar worker`")
    } else if dead > 0 {
        Finding::warning("workers", text, "`avatar jobs list --state dead`, then `avatar jobs retry`")
    } else {
        Finding::good("workers", text)
    })
}

async fn webhooks(parts: &Parts, now: Timestamp) -> StoreResult<Finding> {
    let unconfigured: Vec<(&str, &str)> = parts.inbound.unconfigured();
    let mut told = Vec::new();
    let mut is_silent = false;
    for source in parts.inbound.sources() {
        let name = source.name();
        match last_event(&parts.store, name).await? {
            _ if unconfigured.iter().any(|(missing, _)| *missing == name) => told.push(format!("{name}: no secret")),
            Some(at) => {
                is_silent |= now - at > SILENCE_MAX;
                told.push(format!("{name}: last event {} ago", span(now - at)));
            }
            None => told.push(format!("{name}: no event yet")),
        }
    }
    let text = told.join("; ");
    let variables: Vec<&str> = unconfigured.iter().map(|(_, variables)| *variables).collect();
    Ok(if !variables.is_empty() {
        let help = format!("requests of a source without a secret are refused: set {}", variables.join(", "));
        Finding::warning("webhooks", text, &help)
    } else if is_silent {
        Finding::warning("webhooks", text, "look at the provider's own log of deliveries")
    } else {
        Finding::good("webhooks", text)
    })
}

async fn last_event(store: &Store, source: &str) -> StoreResult<Option<Timestamp>> {
    let filter = events::EventFilter { source: Some(source.to_owned()), ..events::EventFilter::default() };
    newest(store, filter).await
}

async fn newest(store: &Store, filter: events::EventFilter) -> StoreResult<Option<Timestamp>> {
    let request = PageRequest { after: None, limit: 1 };
    let page = store.read(move |conn| events::list(conn, &filter, &request)).await?;
    Ok(page.items.first().map(|event| Timestamp(event.timestamp)))
}

async fn clock(store: &Store, now: Timestamp) -> StoreResult<Finding> {
    let newest = newest(store, events::EventFilter::default()).await?;
    Ok(match newest.map(|at| at - now).filter(|ahead| *ahead > SKEW_MAX) {
        Some(ahead) => {
            let text = format!("the newest event is {} in the future", span(ahead));
            Finding::problem("clock", text, "this machine's clock went back: set it")
        }
        None => Finding::good("clock", now.to_rfc3339()),
    })
}
