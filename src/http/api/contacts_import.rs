//! `POST /api/contacts/import`: people out of a list, each found or added as any other way of hearing of them would.

use super::acting::{attempt, told};
use super::assignees::Assignees;
use super::contacts_change::{Adding, Said, person};
use super::fields::Fields;
use crate::automation::staff_work::{About, find_known};
use crate::domain::csv;
use crate::domain::event::ContactInput;
use crate::domain::staff_action::{ContactEdit, StaffAction};
use crate::http::doc::{Doc, Kind};
use crate::http::endpoint::{Call, Endpoint, Shared, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;
use warp::http::header::CONTENT_TYPE;

const IMPORT: Route = Route::post("/api/contacts/import", Permission::Reports);

/// People in one list.
const LINES_MAX: usize = 5_000;
/// How we know of consent, when the list does not say.
const SOURCE_DEFAULT: &str = "imported list";
const COLUMNS: [&str; 10] = [
    "first_name",
    "last_name",
    "phone",
    "email",
    "interest",
    "assigned_to",
    "marketing_consent",
    "recall_consent",
    "sms_consent",
    "consent_source",
];

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = Doc::new("Contacts", "Adds the people of a CSV list; those who are known already stay as they are.");
    let query = &[("dry_run", "true: says what would be done, and does nothing")];
    vec![
        writing(IMPORT, shared, import)
            .doc(doc.query(query).kind("dry_run", Kind::Flag).takes_text("text/csv").answers::<Report>()),
    ]
}

#[derive(Serialize, ToSchema)]
struct Report {
    dry_run: bool,
    /// Who is new; with `dry_run`: would be.
    added: usize,
    known: usize,
    refused: usize,
    lines: Vec<Line>,
}

#[expect(clippy::struct_field_names, reason = "the names are the contract's")]
#[derive(Serialize, ToSchema)]
#[schema(as = ImportedLine)]
struct Line {
    /// Of the list, from 1; the first has the names of the columns.
    line: usize,
    /// `added`, `known`, `repeated` (by a line before it) or `refused`.
    result: &'static str,
    /// Who it is; `null` of a dry run's new people.
    contact_id: Option<String>,
    /// Why it was refused.
    errors: Vec<String>,
}

impl Line {
    fn refused(line: usize, why: String) -> Self {
        Self { line, result: "refused", contact_id: None, errors: vec![why] }
    }
}

async fn import(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let dry_run = query.one_of("dry_run", &["true", "false"]).as_deref() == Some("true");
    query.finish()?;
    let given = call.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !given.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/csv")) {
        return Err(ApiError::unsupported_media_type("Send the list as text/csv."));
    }
    let rows = rows(&call)?;
    let assignees = Assignees::load(&call).await?;
    let mut seen = HashMap::new();
    let mut lines = Vec::with_capacity(rows.len());
    let mut broken_off: Option<String> = None;
    for (line, adding) in rows {
        let done = match &broken_off {
            None => one(&call, line, adding, (&assignees, &mut seen), dry_run).await,
            Some(why) => Ok(Line::refused(line, format!("was not tried: {why}"))),
        };
        // What was added stays, so the answer says what was, whatever becomes of the rest.
        lines.push(done.unwrap_or_else(|error| {
            if error.is_for_now() || error.status().is_server_error() {
                broken_off = Some(error.told());
            }
            Line::refused(line, error.told())
        }));
    }
    let count = |result: &[&str]| lines.iter().filter(|line| result.contains(&line.result)).count();
    let (added, known, refused) = (count(&["added"]), count(&["known", "repeated"]), count(&["refused"]));
    Ok(reply::json(&Report { dry_run, added, known, refused, lines }))
}

/// The people of the list, by their columns.
fn rows(call: &Call) -> Result<Vec<(usize, Adding)>, ApiError> {
    let text = std::str::from_utf8(&call.body).map_err(|_| ApiError::bad_request("The list is not UTF-8."))?;
    let rows = csv::parse(text).map_err(|line| ApiError::bad_request(format!("Line {line} has a quote too many.")))?;
    let mut rows = rows.into_iter();
    let (_, names) = rows.next().ok_or_else(|| ApiError::bad_request("The list is empty."))?;
    let names: Vec<String> = names.iter().map(|name| name.trim().to_lowercase().replace(' ', "_")).collect();
    if let Some(place) = names.iter().position(|name| !COLUMNS.contains(&name.as_str())) {
        let known = COLUMNS.join(", ");
        return Err(ApiError::bad_request(format!("Column {} has no name that is known; these are: {known}.", place + 1)));
    }
    if let Some(place) = (1..names.len()).find(|place| names[..*place].contains(&names[*place])) {
        return Err(ApiError::bad_request(format!("Column {} has the name of one before it.", place + 1)));
    }
    let rows: Vec<_> = rows.map(|(line, cells)| (line, adding(&names, cells))).collect();
    if rows.len() > LINES_MAX {
        return Err(ApiError::bad_request(format!("A list may have {LINES_MAX} people; split it.")));
    }
    Ok(rows)
}

fn adding(names: &[String], cells: Vec<String>) -> Adding {
    let mut given: HashMap<&str, String> = names
        .iter()
        .map(String::as_str)
        .zip(cells)
        .map(|(name, cell)| (name, csv::unprotected(cell.trim()).to_owned()))
        .filter(|(_, cell)| !cell.is_empty())
        .collect();
    let source = given.remove("consent_source").unwrap_or_else(|| SOURCE_DEFAULT.to_owned());
    let mut consents = Vec::new();
    for (column, to) in [("marketing_consent", "marketing"), ("recall_consent", "recall"), ("sms_consent", "sms")] {
        if let Some(state) = given.remove(column) {
            let state = match state.to_lowercase().as_str() {
                "yes" | "true" => "granted".to_owned(),
                "no" | "false" => "denied".to_owned(),
                other => other.to_owned(),
            };
            consents.push(Said { to: to.to_owned(), state, source: source.clone(), said_at: None });
        }
    }
    Adding {
        first_name: given.remove("first_name"),
        last_name: given.remove("last_name"),
        phone: given.remove("phone"),
        email: given.remove("email"),
        interest: given.remove("interest"),
        assigned_to: given.remove("assigned_to"),
        consents,
    }
}

async fn one(
    call: &Call,
    line: usize,
    adding: Adding,
    (assignees, seen): (&Assignees, &mut HashMap<String, Option<String>>),
    dry_run: bool,
) -> Result<Line, ApiError> {
    let mut fields = Fields::default();
    let (input, more) = person(&mut fields, adding, assignees, call.context.clock.now());
    if input.phone.is_none() && input.email.is_none() {
        fields.refuse("phone", "is missing, and so is email: nobody could tell who it is");
    }
    let errors = fields.sentences();
    if !errors.is_empty() {
        return Ok(Line { line, result: "refused", contact_id: None, errors });
    }
    let names: Vec<String> = input.phone.iter().chain(&input.email).cloned().collect();
    if let Some(contact_id) = names.iter().find_map(|name| seen.get(name)).cloned() {
        return Ok(Line { line, result: "repeated", contact_id, errors });
    }
    let (result, contact_id) = found_or_added(call, input, more, dry_run).await?;
    seen.extend(names.into_iter().map(|name| (name, contact_id.clone())));
    Ok(Line { line, result, contact_id, errors })
}

async fn found_or_added(
    call: &Call,
    input: ContactInput,
    more: ContactEdit,
    dry_run: bool,
) -> Result<(&'static str, Option<String>), ApiError> {
    if let Some(id) = find_known(&call.context.store, input.clone()).await.map_err(told)? {
        return Ok(("known", Some(id)));
    }
    if dry_run {
        return Ok(("added", None));
    }
    match attempt(call, About::Person(Box::new(input.clone())), StaffAction::AddContact(more), None).await? {
        Ok(done) => Ok(("added", done.contact_id)),
        Err(refused) => match find_known(&call.context.store, input).await.map_err(told)? {
            // Somebody else was faster.
            Some(id) => Ok(("known", Some(id))),
            None => Err(told(refused)),
        },
    }
}
