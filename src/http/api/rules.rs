//! `/api/rules`: which rules are in force, how they do today, and what is wrong with the files on disk.

use super::listing::{Listing, Wall, whole};
use crate::automation::forecast::{Counts, Forecast};
use crate::domain::time::Timestamp;
use crate::engine::{Diagnostic, Severity};
use crate::http::context::{DraftStatus, RuleSummary, RulesStatus};
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::{Conn, StoreResult, runs, skips};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/rules", Permission::Automation);
const STATUS: Route = Route::get("/api/rules/status", Permission::Automation);

/// Events whose skips are counted for a day; a busier day shows at least so many.
const SKIPS_COUNTED_MAX: i64 = 20_000;

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        reading(STATUS, shared, status).doc(
            Doc::new("Rules", "Shows which ruleset is in force, and what is wrong with the files on disk.").answers::<Status>(),
        ),
        reading(LIST, shared, list)
            .doc(Doc::new("Rules", "Lists the rules in force and what they did today.").answers::<Listing<Rule>>()),
    ]
}

#[derive(Serialize, ToSchema)]
struct Status {
    revision: Option<String>,
    hash: Option<String>,
    published_at: Option<String>,
    draft: Draft,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Draft {
    clean: bool,
    pub diagnostics: Vec<Finding>,
    /// What it would do to pending timers; `null` while that is not known.
    timers: Option<Timers>,
}

#[derive(Serialize, ToSchema)]
pub(super) struct Finding {
    code: String,
    /// `error` or `warning`.
    severity: &'static str,
    file: String,
    line: usize,
    column: usize,
    message: String,
    help: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Timers {
    moves: usize,
    appears: usize,
    vanishes: usize,
    rules: Vec<RuleTimers>,
}

#[derive(Serialize, ToSchema)]
struct RuleTimers {
    id: String,
    moves: usize,
    appears: usize,
    vanishes: usize,
}

#[derive(Serialize, ToSchema)]
struct Rule {
    id: String,
    name: String,
    about: String,
    owner: Option<String>,
    /// As the file says.
    enabled: bool,
    /// `on`, `off` (by its file), `disabled` (by a person) or `paused` (by the program).
    state: &'static str,
    switched_by: Option<String>,
    switched_because: Option<String>,
    /// `live`, `shadow`, `10%` or `test_contacts`.
    rollout: String,
    file: String,
    line: usize,
    events: Vec<String>,
    /// Since the clinic's midnight.
    today: Today,
}

#[derive(Clone, Copy, Debug, Default, Serialize, ToSchema)]
struct Today {
    fired: i64,
    skipped: i64,
    failed: i64,
    /// Planned only (`rollout: shadow`).
    shadow: i64,
}

pub(super) fn draft(status: DraftStatus) -> Draft {
    let diagnostics = status.diagnostics.into_iter().map(finding).collect();
    Draft { clean: status.clean, diagnostics, timers: status.timers.map(timers) }
}

fn timers(forecast: Forecast) -> Timers {
    let Counts { moves, appears, vanishes } = forecast.total;
    let of = |(id, counts): (String, Counts)| RuleTimers {
        id,
        moves: counts.moves,
        appears: counts.appears,
        vanishes: counts.vanishes,
    };
    Timers { moves, appears, vanishes, rules: forecast.rules.into_iter().map(of).collect() }
}

fn finding(diagnostic: Diagnostic) -> Finding {
    Finding {
        code: diagnostic.code,
        severity: match diagnostic.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        },
        file: diagnostic.file,
        line: diagnostic.line,
        column: diagnostic.column,
        message: diagnostic.message,
        help: diagnostic.help,
    }
}

fn rule(summary: RuleSummary, today: Today) -> Rule {
    Rule {
        id: summary.id,
        name: summary.name,
        about: summary.about,
        owner: summary.owner,
        enabled: summary.enabled,
        state: summary.state,
        switched_by: summary.switched_by,
        switched_because: summary.switched_because,
        rollout: summary.rollout,
        file: summary.file,
        line: summary.line,
        events: summary.events,
        today,
    }
}

async fn status(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let RulesStatus { revision, hash, published_at, draft: on_disk } = call.context.rules.status();
    let published_at = Wall::of(&call).optional(published_at);
    Ok(reply::json(&Status { revision, hash, published_at, draft: draft(on_disk) }))
}

async fn list(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let rules = call.context.rules.rules();
    let calendar = &call.context.clinic.calendar;
    let midnight = calendar.at_minute(calendar.date_of(call.context.clock.now()), 0);
    let ids: Vec<String> = rules.iter().map(|rule| rule.id.clone()).collect();
    let mut counts = call.context.store.read(move |conn| count(conn, &ids, midnight)).await?;
    Ok(whole(
        rules
            .into_iter()
            .map(|summary| {
                let today = counts.remove(&summary.id).unwrap_or_default();
                rule(summary, today)
            })
            .collect(),
    ))
}

fn count(conn: &mut Conn, ids: &[String], since: Timestamp) -> StoreResult<HashMap<String, Today>> {
    let skipped = skips::count_by_rule(conn, since, SKIPS_COUNTED_MAX)?;
    let mut counts = HashMap::with_capacity(ids.len());
    for id in ids {
        let mut today = Today { skipped: skipped.get(id).copied().unwrap_or(0), ..Today::default() };
        for (outcome, count) in runs::count_outcomes(conn, id, since)? {
            match outcome.as_str() {
                "fired" => today.fired = count,
                "failed" => today.failed = count,
                _ => today.shadow = count,
            }
        }
        counts.insert(id.clone(), today);
    }
    Ok(counts)
}
