//! `/api/rules/files`: what people write, as text. The program never changes a character of it.

use super::listing::{Listing, whole};
use super::rules::{Draft, draft};
use super::rules_control::{host, refused};
use crate::automation::rulesets::{self, FileError, FileText, RuleFile, Saving};
use crate::http::context::DraftStatus;
use crate::http::doc::{Doc, IfMatch, Kind};
use crate::http::endpoint::{Call, Endpoint, Shared, reading, writing};
use crate::http::problem::{ApiError, FieldError};
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;
use warp::http::header::{ETAG, IF_MATCH};
use warp::http::{HeaderValue, StatusCode};

const LIST: Route = Route::get("/api/rules/files", Permission::Automation);
const READ: Route = Route::get("/api/rules/files/content", Permission::Automation);
const WRITE: Route = Route::put("/api/rules/files/content", Permission::Automation);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![
        reading(LIST, shared, list)
            .doc(Doc::new("Rules", "Lists the files of rules, scripts, templates and tests on disk.").answers::<Listing<File>>()),
        reading(READ, shared, read).doc(
            Doc::new("Rules", "Shows a file of the rules as text.")
                .query(&[("path", "such as rules/bookings.yaml")])
                .needs("path")
                .answers::<Content>()
                .refuses(StatusCode::NOT_FOUND),
        ),
        writing(WRITE, shared, write).doc(
            Doc::new(
                "Rules",
                "Writes a file of the rules after checking it; If-Match names the text that it takes the place of.",
            )
            .query(&[
                ("path", "such as rules/bookings.yaml"),
                ("draft", "true: save it even when the files have problems with it"),
            ])
            .kind("draft", Kind::Flag)
            .takes_text("text/plain")
            .answers::<Saved>()
            .takes_if_match(IfMatch::Optional)
            .refuses(StatusCode::PRECONDITION_REQUIRED),
        ),
    ]
}

#[derive(Serialize, ToSchema)]
#[schema(as = RuleFile)]
struct File {
    path: String,
    bytes: u64,
}

fn file(found: RuleFile) -> File {
    File { path: found.path, bytes: found.bytes }
}

#[derive(Serialize, ToSchema)]
#[schema(as = RuleFileText)]
struct Content {
    path: String,
    text: String,
    /// SHA-256 of the text; also the ETag.
    hash: String,
}

fn content(found: FileText) -> Content {
    Content { path: found.path, text: found.text, hash: found.hash }
}

#[derive(Serialize, ToSchema)]
#[schema(as = SavedRuleFile)]
struct Saved {
    path: String,
    hash: String,
    /// What the checker says of all files together.
    draft: Draft,
}

async fn list(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let files = host(&call)?.list_files().await.map_err(unanswered)?;
    Ok(whole(files.into_iter().map(file).collect()))
}

fn bad_path() -> ApiError {
    let detail = "is the path of a file under rules/ or sms_templates/, such as rules/bookings.yaml";
    ApiError::bad_parameters(vec![FieldError { pointer: "/query/path".into(), detail: detail.into() }])
}

async fn read(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let path = query.text("path");
    query.finish()?;
    let path = path.filter(|path| rulesets::is_rule_path(path)).ok_or_else(bad_path)?;
    let found = host(&call)?.read_file(&path).await.map_err(unanswered)?;
    let hash = found.hash.clone();
    Ok(tagged(reply::json(&content(found)), &hash))
}

async fn write(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let path = query.text("path");
    let as_draft = query.one_of("draft", &["true", "false"]).as_deref() == Some("true");
    query.finish()?;
    let path = path.filter(|path| rulesets::is_rule_path(path)).ok_or_else(bad_path)?;
    let replaces = tag_of(&call)?;
    let is_told = replaces.is_some();
    let text = std::str::from_utf8(&call.body).ok().filter(|text| !text.contains('\0'));
    let text = text.ok_or_else(|| ApiError::bad_request("The body is not a text in UTF-8."))?.to_owned();
    let saving = Saving { path: path.clone(), text, replaces, as_draft, who: call.who() };
    let hash = saving.hash();
    let found = host(&call)?.save_file(saving).await.map_err(|error| match error {
        FileError::Changed(Some(_)) if !is_told => ApiError::precondition_required(),
        other => unanswered(other),
    })?;
    tracing::info!(by = call.by, path, clean = found.clean, "a rule file was written");
    let found = DraftStatus { clean: found.clean, diagnostics: found.diagnostics, timers: found.timers };
    Ok(tagged(reply::json(&Saved { path, hash: hash.clone(), draft: draft(found) }), &hash))
}

fn tagged(mut response: Response, hash: &str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{hash}\"")) {
        response.headers_mut().insert(ETAG, tag);
    }
    response
}

/// The text that is to be replaced; `None` when the caller thinks that there is none.
fn tag_of(call: &Call) -> Result<Option<String>, ApiError> {
    let Some(given) = call.headers.get(IF_MATCH) else { return Ok(None) };
    let tag = given.to_str().ok().map(str::trim).and_then(|tag| tag.strip_prefix('"')?.strip_suffix('"'));
    let tag = tag.ok_or_else(|| ApiError::bad_request("`If-Match` is the ETag of the file as you read it."))?;
    Ok(Some(tag.to_owned()))
}

fn unanswered(error: FileError) -> ApiError {
    match error {
        FileError::BadPath => bad_path(),
        FileError::Unknown => ApiError::not_found(),
        FileError::TooLarge => ApiError::body_too_large(rulesets::FILE_BYTES_MAX),
        FileError::Changed(now) => ApiError::changed_meanwhile(json!(now.map(content))),
        FileError::NotClean(found) => not_clean(*found),
        FileError::Ruleset(error) => refused(error),
        FileError::Io(error) => {
            tracing::error!(%error, "a rule file cannot be read or written");
            ApiError::conflict("The rule files cannot be read or written just now. Nothing was changed.")
        }
    }
}

/// The files have problems: nothing was changed, and these are they.
pub(super) fn not_clean(found: rulesets::Draft) -> ApiError {
    let status = DraftStatus { clean: found.clean, diagnostics: found.diagnostics, timers: None };
    ApiError::not_clean(json!(draft(status).diagnostics))
}
