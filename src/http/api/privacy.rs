//! `/api/contacts/{id}/export` and `/erase`: what people may ask of a clinic.

use super::acting::version_if_given;
use super::contacts;
use super::fields::{Fields, NOTE_CHARS_MAX};
use crate::automation::audit::note_alone;
use crate::automation::privacy::{self, Erased, PrivacyError, Scrubbed};
use crate::domain::audit::{Entry, action};
use crate::http::doc::{Doc, IfMatch, Kind};
use crate::http::endpoint::{Call, Endpoint, Shared, reading, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;
use warp::http::HeaderValue;
use warp::http::StatusCode;
use warp::http::header::CONTENT_DISPOSITION;

const EXPORT: Route = Route::get("/api/contacts/{id}/export", Permission::Reports);
const ERASE: Route = Route::post("/api/contacts/{id}/erase", Permission::Admin);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let all = Doc::new("Privacy", "Hands over everything that is known about a contact.");
    let erasing = Doc::new("Privacy", "Destroys everything that says who a contact is.");
    vec![
        reading(EXPORT, shared, export).doc(all.answers_text(StatusCode::OK, "application/json")),
        writing(ERASE, shared, erase).doc(
            erasing
                .query(PARAMETERS)
                .kind("dry_run", Kind::Flag)
                .takes_if_match(IfMatch::Optional)
                .takes::<Wish>()
                .answers::<Erasure>(),
        ),
    ]
}

const PARAMETERS: &[(&str, &str)] = &[("dry_run", "true: says what would be destroyed, and destroys nothing")];

/// Why somebody is to be erased.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Erase, example = json!({ "reason": "Asked for it by email" }))]
struct Wish {
    #[serde(default)]
    /// Needed unless it is a dry run.
    #[schema(max_length = 4000)]
    reason: String,
}

#[derive(Serialize, ToSchema)]
struct Erasure {
    /// The contact, and those merged into it.
    contact_ids: Vec<String>,
    dry_run: bool,
    /// How many rows of which kind were destroyed or emptied.
    counts: BTreeMap<String, usize>,
    /// True when traces are gone from the database file, too.
    scrubbed: bool,
}

async fn export(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let context = &call.context;
    let zone = context.clinic.calendar.tz;
    let all = privacy::export(&context.store, zone, &call.parameter, context.clock.now()).await?;
    let read = Entry::new(call.who(), action::CONTACT_EXPORTED).of("contact", &call.parameter);
    note_alone(&context.store, &context.clock, read).await?;
    let mut response = reply::json(&all);
    response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"contact.json\""));
    Ok(response)
}

async fn erase(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let dry_run = query.one_of("dry_run", &["true", "false"]).as_deref() == Some("true");
    query.finish()?;
    let wish: Wish = call.json()?;
    let mut fields = Fields::default();
    let reason = fields.text("reason", Some(wish.reason), NOTE_CHARS_MAX).unwrap_or_default();
    fields.finish()?;
    let (store, clock) = (&call.context.store, &call.context.clock);
    let version = version_if_given(&call)?;
    let erased = if dry_run {
        privacy::preview(store, clock, &call.parameter, version).await
    } else {
        privacy::erase(store, clock, &call.parameter, call.who(), &reason, version).await
    };
    let erased = match erased {
        Err(PrivacyError::Changed) => {
            let current = contacts::shown(&call, &call.parameter).await?;
            return Err(ApiError::changed_meanwhile(serde_json::to_value(current).unwrap_or_default()));
        }
        done => done?,
    };
    let Erased { contact_ids, counts, scrubbed } = erased;
    let counts = counts.into_iter().map(|(kind, count)| (kind.to_owned(), count)).collect();
    Ok(reply::json(&Erasure { contact_ids, dry_run, counts, scrubbed: scrubbed == Scrubbed::Yes }))
}

impl From<PrivacyError> for ApiError {
    fn from(error: PrivacyError) -> Self {
        match error {
            PrivacyError::Unknown => Self::not_found(),
            PrivacyError::NoReason => Self::refused("/body/reason", error.to_string()),
            PrivacyError::TextLeaving => Self::conflict("A text to them is leaving at this moment; try again in a minute."),
            PrivacyError::Changed => Self::changed_meanwhile(serde_json::Value::Null),
            PrivacyError::Store(error) => error.into(),
        }
    }
}
