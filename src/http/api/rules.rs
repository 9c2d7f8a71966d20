//! `/api/rules`: which rules are in force, and what is wrong with the files on disk.

use super::listing::{Wall, whole};
use crate::engine::{Diagnostic, Severity};
use crate::http::context::{RuleSummary, RulesStatus};
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use serde::Serialize;
use std::sync::Arc;

const LIST: Route = Route::get("/api/rules", Permission::Automation);
const STATUS: Route = Route::get("/api/rules/status", Permission::Automation);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![reading(STATUS, shared, status), reading(LIST, shared, list)]
}

#[derive(Serialize)]
struct Status {
    revision: Option<String>,
    hash: Option<String>,
    published_at: Option<String>,
    draft: Draft,
}

#[derive(Serialize)]
struct Draft {
    clean: bool,
    diagnostics: Vec<Finding>,
}

#[derive(Serialize)]
struct Finding {
    code: String,
    /// `error` or `warning`.
    severity: &'static str,
    file: String,
    line: usize,
    column: usize,
    message: String,
    help: Option<String>,
}

#[derive(Serialize)]
struct Rule {
    id: String,
    name: String,
    about: String,
    owner: Option<String>,
    enabled: bool,
    file: String,
    line: usize,
    events: Vec<String>,
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

fn rule(summary: RuleSummary) -> Rule {
    let RuleSummary { id, name, about, owner, enabled, file, line, events } = summary;
    Rule { id, name, about, owner, enabled, file, line, events }
}

async fn status(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let RulesStatus { revision, hash, published_at, draft } = call.context.rules.status();
    let published_at = Wall::of(&call).optional(published_at);
    let diagnostics = draft.diagnostics.into_iter().map(finding).collect();
    Ok(reply::json(&Status { revision, hash, published_at, draft: Draft { clean: draft.clean, diagnostics } }))
}

async fn list(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    Ok(whole(call.context.rules.rules().into_iter().map(rule).collect()))
}
