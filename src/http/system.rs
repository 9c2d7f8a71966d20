//! Is the program alive, can it work, what does it count.

use super::context::{HttpContext, SmsWay};
use super::doc::Doc;
use super::endpoint::{Call, Endpoint, Shared, reading};
use super::problem::ApiError;
use super::query::Query;
use super::reply::{self, Response};
use super::route::{Permission, Route};
use crate::domain::time::{Millis, Timestamp};
use crate::store::views::probe;
use crate::store::{StoreError, holds};
use serde::Serialize;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use utoipa::ToSchema;
use warp::http::StatusCode;

const HEALTH: Route = Route::get("/health", Permission::Public);
const READY: Route = Route::get("/ready", Permission::Public);
const DOCUMENT: Route = Route::get("/api/openapi.json", Permission::Public);
const METRICS: Route = Route::get("/metrics", Permission::Public);

/// Prometheus' text format.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Longer than this the database is not asked whether it takes writes.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);
/// Whoever asks after our health must not wait for the database.
const HEALTH_TIMEOUT: Duration = Duration::from_millis(500);
/// A probe writes, so its answer is kept for a moment: asking often costs nothing.
const PROBE_LIFETIME: Millis = Millis::SECOND;

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let probe = Arc::new(Probe::default());
    let all = Arc::clone(shared);
    vec![
        reading(HEALTH, shared, health).doc(Doc::new("System", "Tells that the program lives.").answers::<Health>()),
        reading(READY, shared, move |call| ready(call, Arc::clone(&probe)))
            .doc(Doc::new("System", "Tells whether the program can work.").answers::<Health>()),
        reading(DOCUMENT, shared, move |call| std::future::ready(document(&call, &all)))
            .doc(Doc::new("System", "Shows this document.").answers::<serde_json::Value>()),
        reading(METRICS, shared, metrics)
            .doc(Doc::new("System", "Counts, in Prometheus' text format.").answers_text(StatusCode::OK, METRICS_TYPE)),
    ]
}

#[derive(Serialize, ToSchema)]
struct Health {
    status: &'static str,
    /// Epoch ms.
    timestamp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    sms: Option<SmsHealth>,
}

/// How texts leave, and whether they do.
#[derive(Serialize, ToSchema)]
struct SmsHealth {
    provider: &'static str,
    live: bool,
    /// Why no text reaches a phone, when none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    notice: Option<String>,
    /// `ok`; `held` while the provider takes no texts; `unknown` when the database does not say.
    state: &'static str,
    /// Why texts wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<&'static str>,
    /// Since when they wait, and when one is tried; epoch ms.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    since: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    retry_at: Option<i64>,
}

async fn health(call: Call) -> Result<Response, ApiError> {
    let sms = sms_health(&call.context).await;
    Ok(reply::json(&Health { status: "ok", timestamp: call.context.clock.now().0, sms: Some(sms) }))
}

/// The program is well even while its texts wait, and even while the database does not answer.
async fn sms_health(context: &HttpContext) -> SmsHealth {
    let SmsWay { provider, is_live, notice } = context.sms.clone();
    let asked = context.store.read(move |conn| holds::find(conn, provider));
    let known = tokio::time::timeout(HEALTH_TIMEOUT, asked).await;
    let state = match &known {
        Ok(Ok(None)) => "ok",
        Ok(Ok(Some(_))) => "held",
        Ok(Err(_)) | Err(_) => "unknown",
    };
    let hold = known.ok().and_then(Result::ok).flatten();
    let (reason, since, retry_at) = match &hold {
        Some(hold) => (Some(hold.reason.as_str()), Some(hold.since.0), Some(hold.retry_at.0)),
        None => (None, None, None),
    };
    SmsHealth { provider, live: is_live, notice, state, reason, since, retry_at }
}

fn document(call: &Call, shared: &Shared) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let document = shared.document.get().ok_or_else(ApiError::internal)?;
    Ok(reply::with_type(StatusCode::OK, "application/json", document.to_vec()))
}

async fn metrics(call: Call) -> Result<Response, ApiError> {
    Ok(reply::with_type(StatusCode::OK, METRICS_TYPE, (call.context.metrics)().into_bytes()))
}

async fn ready(call: Call, probe: Arc<Probe>) -> Result<Response, ApiError> {
    let mut reasons = probe.reasons(&call.context).await;
    if call.context.rules.status().revision.is_none() {
        reasons.push("no ruleset is in force");
    }
    if reasons.is_empty() {
        return Ok(reply::json(&Health { status: "ready", timestamp: call.context.clock.now().0, sms: None }));
    }
    Err(ApiError::unavailable(format!("Not ready: {}.", reasons.join("; "))))
}

/// What the database said last, and when.
#[derive(Default)]
struct Probe {
    /// All migrations were there once; nobody takes them away from a running program.
    migrated: AtomicBool,
    last: Mutex<Option<(Timestamp, Vec<&'static str>)>>,
}

impl Probe {
    async fn reasons(&self, context: &HttpContext) -> Vec<&'static str> {
        let now = context.clock.now();
        if let Some((at, reasons)) = &*self.last.lock().unwrap_or_else(PoisonError::into_inner)
            && now >= *at
            && now - *at < PROBE_LIFETIME
        {
            return reasons.clone();
        }
        let reasons = self.ask(context, now).await;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, reasons.clone()));
        reasons
    }

    /// Why the database cannot be worked with; empty when it can.
    async fn ask(&self, context: &HttpContext, now: Timestamp) -> Vec<&'static str> {
        let mut reasons = Vec::new();
        if !self.migrated.load(Ordering::Relaxed) {
            match all_migrations_applied(context).await {
                Some(true) => self.migrated.store(true, Ordering::Relaxed),
                Some(false) => reasons.push("migrations are missing"),
                None => reasons.push("the database cannot be opened"),
            }
        }
        let write = context.store.write(move |tx| probe::write(tx, now));
        match tokio::time::timeout(PROBE_TIMEOUT, write).await {
            Ok(Ok(())) => {}
            Ok(Err(StoreError::Unavailable { .. })) | Err(_) => reasons.push("the database takes no writes now"),
            Ok(Err(_)) => reasons.push("the database refuses writes"),
        }
        reasons
    }
}

/// `None` when the database does not say, or not in time.
async fn all_migrations_applied(context: &HttpContext) -> Option<bool> {
    let store = context.store.clone();
    let asked = tokio::task::spawn_blocking(move || store.migration_status());
    let status = tokio::time::timeout(PROBE_TIMEOUT, asked).await.ok()?.ok()?.ok()?;
    Some(status.iter().all(|(_, applied)| *applied))
}
