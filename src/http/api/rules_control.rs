//! `/api/rules/…`: checking, publishing, rolling back, switching rules off and on; and who did so before.

use super::listing::{Listing, Wall, whole};
use super::rules::draft;
use crate::automation::rulesets::{Draft, RulesetError, RulesetHost};
use crate::domain::rule_override::{OverrideState, RuleOverride};
use crate::http::auth::client_ip;
use crate::http::context::DraftStatus;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::overrides::{Change, list_changes};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;

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
        reading(HISTORY, shared, history).doc(
            Doc::new("Rules", "Lists who changed what is in force, and why.")
                .query(&[("rule", "of one rule")])
                .answers::<Listing<HistoryEntry>>(),
        ),
        writing(CHECK, shared, check).doc(Doc::new("Rules", "Checks the files on disk; changes nothing.").answers::<Checked>()),
        writing(PUBLISH, shared, publish)
            .doc(Doc::new("Rules", "Puts the files on disk in force.").takes::<Publishing>().answers::<Published>()),
        writing(ROLLBACK, shared, rollback)
            .doc(Doc::new("Rules", "Puts an earlier ruleset in force.").takes::<RollingBack>().answers::<RolledBack>()),
        writing(ENABLE, shared, enable)
            .doc(Doc::new("Rules", "Switches a rule on again.").takes::<Switching>().answers::<Switched>()),
        writing(DISABLE, shared, disable)
            .doc(Doc::new("Rules", "Switches a rule off, whatever its file says.").takes::<Switching>().answers::<Switched>()),
    ]
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = Publish, example = json!({ "message": "Chase referrals a day earlier" }))]
struct Publishing {
    message: Option<String>,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = RollBack, example = json!({ "revision": "r3", "message": "Texts went out twice" }))]
struct RollingBack {
    /// `r47`
    revision: String,
    #[serde(default)]
    message: Option<String>,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = RuleSwitch, example = json!({ "reason": "Christmas closure" }))]
struct Switching {
    reason: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Checked {
    /// How many rules there are; 0 when the files are not clean.
    rules: usize,
    draft: super::rules::Draft,
}

#[derive(Serialize, ToSchema)]
struct Published {
    revision: String,
    /// False when the files are what is in force already.
    published: bool,
}

#[derive(Serialize, ToSchema)]
struct RolledBack {
    revision: String,
}

#[derive(Serialize, ToSchema)]
struct Switched {
    id: String,
    /// `enabled` or `disabled`.
    state: &'static str,
    /// False when it was so already.
    changed: bool,
}

pub(super) fn host(call: &Call) -> Result<Arc<RulesetHost>, ApiError> {
    call.context.rules.host().ok_or_else(|| ApiError::unavailable("The rules cannot be changed here."))
}

async fn check(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let found = host(&call)?.check_files().await.map_err(refused)?;
    let Draft { clean, diagnostics, timers, rules, .. } = found;
    Ok(reply::json(&Checked { rules, draft: draft(DraftStatus { clean, diagnostics, timers }) }))
}

async fn publish(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let Publishing { message } = call.json()?;
    let host = host(&call)?;
    let before = host.current().map(|c| c.number);
    let number = host.publish(call.who(), message.map(cut)).await.map_err(refused)?;
    Ok(reply::json(&Published { revision: format!("r{number}"), published: before != Some(number) }))
}

async fn rollback(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let RollingBack { revision, message } = call.json()?;
    let number = revision.strip_prefix('r').unwrap_or(&revision).parse::<i64>();
    let number = number.map_err(|_| ApiError::refused("/body/revision", "is written like r47"))?;
    host(&call)?.rollback(number, call.who(), message.map(cut)).await.map_err(refused)?;
    Ok(reply::json(&RolledBack { revision: format!("r{number}") }))
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
        (None, _) => return Err(ApiError::refused("/body/reason", "is missing: say why")),
    };
    let is_on = current.overrides.find_off(&rule.id).is_none();
    let wanted = RuleOverride { rule_id: rule.id.clone(), state, by: call.by.clone(), reason, at: call.context.clock.now() };
    let changed =
        !(is_on && state == OverrideState::Enabled) && host.switch(wanted, client_ip(&call.headers)).await.map_err(refused)?;
    Ok(reply::json(&Switched { id: rule.id.clone(), state: state.as_str(), changed }))
}

#[derive(Serialize, ToSchema)]
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
