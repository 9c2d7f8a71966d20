//! `POST /api/rules/replay`: what the files on disk would have done with the past. One at a time; nothing is sent.

use super::listing::Wall;
use super::rules_control::{host, refused};
use crate::automation::replay::{
    Asked, Change, Detail, DraftError, Item, RuleDifference, RuleState, Tally, Told, WINDOW_MAX, parse_since, replay_draft,
};
use crate::domain::time::Millis;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

const REPLAY: Route = Route::post("/api/rules/replay", Permission::Automation);

/// What is looked back at unless the caller says so.
const SINCE: &str = "7d";
/// Items of one rule in an answer; its tally counts them all.
const ITEMS_MAX: usize = 200;

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        writing(REPLAY, shared, replay).doc(
            Doc::new("Rules", "Replays recorded events against the files on disk; changes nothing.")
                .takes::<Body>()
                .answers::<Replay>(),
        ),
    ]
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ReplayRequest, example = json!({ "since": "7d" }))]
struct Body {
    /// `7d`, `12h`, or a day such as 2026-11-20.
    since: Option<String>,
    /// `r47`; the ruleset in force unless written.
    against: Option<String>,
    rule: Option<String>,
}

/// What the files on disk would have done otherwise.
#[derive(Serialize, ToSchema)]
struct Replay {
    /// The ruleset that they are compared with.
    before: String,
    since: String,
    until: String,
    /// Events that were replayed.
    events: usize,
    /// There were more events than one replay takes.
    is_cut: bool,
    #[schema(value_type = Object)]
    total: Tally,
    rules: Vec<RuleReplay>,
}

#[derive(Serialize, ToSchema)]
struct RuleReplay {
    rule_id: String,
    /// `changed`, `new` or `gone`.
    #[schema(value_type = String)]
    state: RuleState,
    file: String,
    line: usize,
    #[schema(value_type = Object)]
    tally: Tally,
    items: Vec<Replayed>,
    items_total: usize,
}

#[derive(Serialize, ToSchema)]
struct Replayed {
    /// `added`, `removed` or `changed`.
    #[schema(value_type = String)]
    change: Change,
    at: String,
    /// `sms`, `task`, `move`, `set` …, `withheld`.
    kind: String,
    /// Template, type, stage or field.
    name: String,
    contact_id: Option<String>,
    booking_id: Option<String>,
    event_id: Option<String>,
    event_type: String,
    parts: i64,
    /// For a change: `field`, `before`, `after`.
    #[schema(value_type = Vec<Object>)]
    details: Vec<Detail>,
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
        .ok_or_else(|| ApiError::refused("/body/since", "is written like 7d, 12h or 2026-11-20, and lies in the past"))?;
    if until - since > WINDOW_MAX {
        let days = WINDOW_MAX.0 / Millis::DAY.0;
        return Err(ApiError::refused(
            "/body/since",
            format!("goes back at most {days} days here; `avatar rules diff` goes further"),
        ));
    }
    let number = |text: String| text.strip_prefix('r').unwrap_or(&text).parse::<i64>().ok();
    let against = match against.map(number) {
        Some(None) => return Err(ApiError::refused("/body/against", "is written like r47")),
        other => other.flatten(),
    };
    Ok(Asked { since, until, against, rule })
}

fn answer(told: &Told, asked: &Asked, wall: Wall) -> Replay {
    Replay {
        before: format!("r{}", told.before),
        since: wall.time(asked.since.0),
        until: wall.time(asked.until.0),
        events: told.events,
        is_cut: told.is_cut,
        total: told.difference.total,
        rules: told.difference.rules.iter().map(|rule| of_rule(rule, wall)).collect(),
    }
}

fn of_rule(rule: &RuleDifference, wall: Wall) -> RuleReplay {
    RuleReplay {
        rule_id: rule.rule_id.clone(),
        state: rule.state,
        file: rule.file.clone(),
        line: rule.line,
        tally: rule.tally,
        items: rule.items.iter().take(ITEMS_MAX).map(|item| of_item(item, wall)).collect(),
        items_total: rule.items.len(),
    }
}

fn of_item(item: &Item, wall: Wall) -> Replayed {
    Replayed {
        change: item.change,
        at: wall.time(item.at.0),
        kind: item.kind.clone(),
        name: item.name.clone(),
        contact_id: item.contact_id.clone(),
        booking_id: item.booking_id.clone(),
        event_id: item.event_id.clone(),
        event_type: item.event_type.clone(),
        parts: item.parts,
        details: item.details.clone(),
    }
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
