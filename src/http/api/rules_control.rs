//! `/api/rules/…`: checking, publishing, rolling back, switching rules off and on; and who did so before.

use super::listing::{Wall, whole};
use super::rules::draft;
use crate::automation::rulesets::{Draft, RulesetError, RulesetHost};
use crate::domain::rule_override::{OverrideState, RuleOverride};
use crate::http::auth::client_ip;
use crate::http::context::DraftStatus;
use crate::http::endpoint::{Call, Endpoint, Shared, reading, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::overrides::{Change, list_changes};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;

const CHECK: Route = Route::post("/api/rules/check", Permission::Automation);
const PUBLISH: Route = Route::post("/api/rules/publish", Permission::Automation);
const ROLLBACK: Route = Route::post("/api/rules/rollback", Permission::Automation);
const ENABLE: Route = Route::post("/api/rules/{id}/enable", Permission::Automation);
const DISABLE: Route = Route::post("/api/rules/{id}/disable", Permission::Automation);
const HISTORY: Route = Route::get("/api/rules/history", Permission::Automation);

/// Changes that are listed.
const CHANGES_MAX: i64 = 200;
/// Characters of a reason.
const REASON_CHARS_MAX: usize = 500;

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        reading(HISTORY, shared, history),
        writing(CHECK, shared, check),
        writing(PUBLISH, shared, publish),
        writing(ROLLBACK, shared, rollback),
        writing(ENABLE, shared, enable),
        writing(DISABLE, shared, disable),
    ]
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Publishing {
    message: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RollingBack {
    /// `r47`
    revision: String,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Switching {
    reason: Option<String>,
}

pub(super) fn host(call: &Call) -> Result<Arc<RulesetHost>, ApiError> {
    call.context.rules.host().ok_or_else(|| ApiError::unavailable("The rules cannot be changed here."))
}

async fn check(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let found = host(&call)?.check_files().await.map_err(refused)?;
    let Draft { clean, diagnostics, timers, rules, .. } = found;
    let answer = json!({ "rules": rules, "draft": draft(DraftStatus { clean, diagnostics, timers }) });
    Ok(reply::json(&answer))
}

async fn publish(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let Publishing { message } = call.json()?;
    let host = host(&call)?;
    let before = host.current().map(|c| c.number);
    let number = host.publish(call.who(), message.map(cut)).await.map_err(refused)?;
    Ok(reply::json(&json!({ "revision": format!("r{number}"), "published": before != Some(number) })))
}

async fn rollback(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let RollingBack { revision, message } = call.json()?;
    let number = revision.strip_prefix('r').unwrap_or(&revision).parse::<i64>();
    let number = number.map_err(|_| ApiError::bad_request("`revision` is written like r47."))?;
    host(&call)?.rollback(number, call.who(), message.map(cut)).await.map_err(refused)?;
    Ok(reply::json(&json!({ "revision": format!("r{number}") })))
}

async fn enable(call: Call) -> Result<Response, ApiError> {
    switch(call, OverrideState::Enabled).await
}

async fn disable(call: Call) -> Result<Response, ApiError> {
    switch(call, OverrideState::Disabled).await
}

async fn switch(call: Call, state: OverrideState) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let Switching { reason } = call.json()?;
    let host = host(&call)?;
    host.follow().await.map_err(refused)?;
    let current = host.current().ok_or_else(ApiError::not_found)?;
    let rules = &current.ruleset;
    let rule = rules.by_id.get(&call.parameter).and_then(|i| rules.rules.get(*i)).ok_or_else(ApiError::not_found)?;
    if !rule.enabled {
        return Err(ApiError::conflict("The rule's file says `enabled: false`; change the file."));
    }
    let reason = reason.map(cut).filter(|text| !text.trim().is_empty());
    let reason = match (reason, state) {
        (Some(reason), _) => reason,
        (None, OverrideState::Enabled) => "no reason given".to_owned(),
        (None, _) => return Err(ApiError::bad_request("Say why: `reason` is missing.")),
    };
    let is_on = current.overrides.find_off(&rule.id).is_none();
    let wanted = RuleOverride { rule_id: rule.id.clone(), state, by: call.by.clone(), reason, at: call.context.clock.now() };
    let changed =
        !(is_on && state == OverrideState::Enabled) && host.switch(wanted, client_ip(&call.headers)).await.map_err(refused)?;
    Ok(reply::json(&json!({ "id": rule.id, "state": state.as_str(), "changed": changed })))
}

#[derive(Serialize)]
struct HistoryEntry {
    at: String,
    action: &'static str,
    rule_id: Option<String>,
    revision: Option<String>,
    by: String,
    reason: Option<String>,
}

async fn history(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let rule = query.text("rule");
    query.finish()?;
    let changes = call.context.store.read(move |conn| list_changes(conn, rule.as_deref(), CHANGES_MAX)).await?;
    let wall = Wall::of(&call);
    let entry = |change: Change| HistoryEntry {
        at: wall.time(change.at.0),
        action: change.action.as_str(),
        rule_id: change.rule_id,
        revision: change.revision.map(|n| format!("r{n}")),
        by: change.by,
        reason: change.reason,
    };
    Ok(whole(changes.into_iter().map(entry).collect()))
}

fn cut(text: String) -> String {
    if text.chars().nth(REASON_CHARS_MAX).is_none() { text } else { text.chars().take(REASON_CHARS_MAX).collect() }
}

pub(super) fn refused(error: RulesetError) -> ApiError {
    match error {
        RulesetError::NotClean(_) => {
            ApiError::conflict("The rule files have problems: POST /api/rules/check lists them. Nothing was changed.")
        }
        RulesetError::Unknown(_) => ApiError::not_found(),
        RulesetError::Store(error) => error.into(),
        RulesetError::Source(error) => {
            tracing::error!(%error, "the rule files cannot be read");
            ApiError::conflict("The rule files cannot be read just now. Nothing was changed.")
        }
    }
}
