//! `POST /api/rules/replay`: what the files on disk would have done with the past. One at a time; nothing is sent.

use super::listing::Wall;
use super::rules_control::{host, refused};
use crate::automation::replay::{Asked, DraftError, Item, RuleDifference, Told, WINDOW_MAX, parse_since, replay_draft};
use crate::domain::time::Millis;
use crate::http::endpoint::{Call, Endpoint, Shared, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

const REPLAY: Route = Route::post("/api/rules/replay", Permission::Automation);

/// What is looked back at unless the caller says so.
const SINCE: &str = "7d";
/// Items of one rule in an answer; its tally counts them all.
const ITEMS_MAX: usize = 200;

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![writing(REPLAY, shared, replay)]
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Body {
    /// `7d`, `12h`, or a day such as 2026-11-20.
    since: Option<String>,
    /// `r47`; the ruleset in force unless written.
    against: Option<String>,
    rule: Option<String>,
}

async fn replay(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let asked = asked(&call)?;
    let (store, host) = (call.context.store.clone(), host(&call)?);
    let told = replay_draft(store, host, asked.clone()).await.map_err(unanswered)?;
    Ok(reply::json(&answer(&told, &asked, Wall::of(&call))))
}

fn asked(call: &Call) -> Result<Asked, ApiError> {
    let Body { since, against, rule } = call.json()?;
    let until = call.context.clock.now();
    let since = parse_since(since.as_deref().unwrap_or(SINCE), &call.context.clinic.calendar, until)
        .ok_or_else(|| ApiError::bad_request("`since` is written like 7d, 12h or 2026-11-20, and lies in the past."))?;
    if until - since > WINDOW_MAX {
        let days = WINDOW_MAX.0 / Millis::DAY.0;
        return Err(ApiError::bad_request(format!(
            "A replay here goes back at most {days} days; `avatar rules diff` goes further."
        )));
    }
    let number = |text: String| text.strip_prefix('r').unwrap_or(&text).parse::<i64>().ok();
    let against = match against.map(number) {
        Some(None) => return Err(ApiError::bad_request("`against` is written like r47.")),
        other => other.flatten(),
    };
    Ok(Asked { since, until, against, rule })
}

fn answer(told: &Told, asked: &Asked, wall: Wall) -> Value {
    json!({
        "before": format!("r{}", told.before),
        "since": wall.time(asked.since.0),
        "until": wall.time(asked.until.0),
        "events": told.events,
        "is_cut": told.is_cut,
        "total": told.difference.total,
        "rules": told.difference.rules.iter().map(|rule| of_rule(rule, wall)).collect::<Vec<_>>(),
    })
}

fn of_rule(rule: &RuleDifference, wall: Wall) -> Value {
    json!({
        "rule_id": rule.rule_id,
        "state": rule.state,
        "file": rule.file,
        "line": rule.line,
        "tally": rule.tally,
        "items": rule.items.iter().take(ITEMS_MAX).map(|item| of_item(item, wall)).collect::<Vec<_>>(),
        "items_total": rule.items.len(),
    })
}

fn of_item(item: &Item, wall: Wall) -> Value {
    json!({
        "change": item.change,
        "at": wall.time(item.at.0),
        "kind": item.kind,
        "name": item.name,
        "contact_id": item.contact_id,
        "booking_id": item.booking_id,
        "event_id": item.event_id,
        "event_type": item.event_type,
        "parts": item.parts,
        "details": item.details,
    })
}

fn unanswered(error: DraftError) -> ApiError {
    match error {
        DraftError::Busy => ApiError::too_many_requests(),
        DraftError::UnknownRule => ApiError::not_found(),
        DraftError::NothingInForce => ApiError::conflict("No ruleset was ever in force."),
        DraftError::Ruleset(error) => refused(error),
        DraftError::Replay(error) => {
            tracing::error!(%error, "a replay failed");
            ApiError::conflict("The replay came to no end: rules set one another off.")
        }
    }
}
