//! `/api/contacts`: adding and correcting people, moving them along, writing about them, and what they have said to texts.

use super::acting::{act, version_if_given};
use super::assignees::Assignees;
use super::contacts::{Contact, shown, survivor_of};
use super::fields::{Fields, NOTE_CHARS_MAX, SHORT_CHARS_MAX};
use super::listing::{Listing, Wall, find_record, whole};
use super::words;
use crate::automation::staff_work::{About, stages_allowed};
use crate::domain::contact::{Identity, IdentityKind};
use crate::domain::edit::Edit;
use crate::domain::event::ContactInput;
use crate::domain::staff_action::{Consent, ConsentKind, ContactEdit, StaffAction};
use crate::engine::schema::CONSENT;
use crate::http::doc::{Doc, IfMatch};
use crate::http::endpoint::{Call, Endpoint, Shared, reading, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::{StoreError, consents, contacts};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use utoipa::ToSchema;
use warp::http::StatusCode;

const ADD: Route = Route::post("/api/contacts", Permission::Clinic);
const EDIT: Route = Route::patch("/api/contacts/{id}", Permission::Clinic);
const MOVE: Route = Route::post("/api/contacts/{id}/move", Permission::Clinic);
const NOTE: Route = Route::post("/api/contacts/{id}/notes", Permission::Clinic);
const OPT_OUT: Route = Route::post("/api/contacts/{id}/opt-out", Permission::Clinic);
const OPT_IN: Route = Route::post("/api/contacts/{id}/opt-in", Permission::Clinic);
const CONSENTS: Route = Route::get("/api/contacts/{id}/consents", Permission::Clinic);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = |summary| Doc::new("Contacts", summary);
    vec![
        writing(ADD, shared, add).doc(
            doc("Adds a person; one who is known already is 409 with their id.")
                .takes::<Adding>()
                .answers_as::<Contact>(StatusCode::CREATED),
        ),
        writing(EDIT, shared, edit).doc(doc("Corrects a contact, and records consent.").takes::<Editing>().answers::<Contact>()),
        writing(MOVE, shared, move_to).doc(
            doc("Moves a contact to a stage of a pipeline.")
                .takes_if_match(IfMatch::Optional)
                .takes::<Moving>()
                .answers::<Contact>(),
        ),
        writing(NOTE, shared, note)
            .doc(doc("Writes a note about a contact.").takes_if_match(IfMatch::Optional).takes::<Noting>().answers::<Contact>()),
        writing(OPT_OUT, shared, opt_out)
            .doc(doc("Sends a contact no more texts.").takes_if_match(IfMatch::Optional).takes::<Saying>().answers::<Contact>()),
        writing(OPT_IN, shared, opt_in).doc(
            doc("Sends texts again to a contact who has asked for it.")
                .takes_if_match(IfMatch::Optional)
                .takes::<Saying>()
                .answers::<Contact>(),
        ),
        reading(CONSENTS, shared, list_consents)
            .doc(doc("Lists what a contact has said to texts, the newest first.").answers::<Listing<ConsentShown>>()),
    ]
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = NewContact, example = json!({ "first_name": "Ana", "last_name": "Lima", "phone": "0491 570 006", "email": "ana@example.com", "interest": "MRI", "consents": [{ "to": "marketing", "state": "granted", "source": "phone call" }] }))]
pub(super) struct Adding {
    #[schema(max_length = 200)]
    pub first_name: Option<String>,
    #[schema(max_length = 200)]
    pub last_name: Option<String>,
    /// As people write it.
    #[schema(max_length = 200)]
    pub phone: Option<String>,
    #[schema(max_length = 254)]
    pub email: Option<String>,
    #[schema(max_length = 200)]
    pub interest: Option<String>,
    #[schema(max_length = 200)]
    pub assigned_to: Option<String>,
    pub consents: Vec<Said>,
}

/// What the person has said to one kind of text.
#[expect(clippy::struct_field_names, reason = "the names are the contract's")]
#[derive(Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    /// `marketing`, `recall` or `sms` (texts at all).
    #[schema(value_type = words::ConsentKind)]
    pub to: String,
    /// `granted`, `denied` or `unknown`.
    #[schema(value_type = words::Consent)]
    pub state: String,
    /// How we know: `phone call`, `paper form` …
    #[schema(min_length = 1, max_length = 200)]
    pub source: String,
    /// When they said so; now unless given.
    #[serde(default)]
    pub said_at: Option<String>,
}

/// The person, and what no webhook would say of them.
pub(super) fn person(
    fields: &mut Fields,
    given: Adding,
    assignees: &Assignees,
    now: crate::domain::time::Timestamp,
) -> (ContactInput, ContactEdit) {
    let phone = fields.text("phone", given.phone, SHORT_CHARS_MAX).and_then(|phone| fields.phone("phone", phone));
    let input = ContactInput {
        first_name: fields.text("first_name", given.first_name, SHORT_CHARS_MAX),
        last_name: fields.text("last_name", given.last_name, SHORT_CHARS_MAX),
        phone_raw: phone.clone(),
        phone,
        email: fields.text("email", given.email, SHORT_CHARS_MAX).and_then(|email| fields.email("email", &email)),
        interest: fields.text("interest", given.interest, SHORT_CHARS_MAX),
        ..ContactInput::default()
    };
    if input.first_name.is_none() && input.last_name.is_none() {
        fields.refuse("first_name", "is missing, and so is last_name");
    }
    let assigned_to = assignees.field(fields, "assigned_to", given.assigned_to);
    let more = ContactEdit {
        assigned_to: assigned_to.map_or(Edit::Keep, Edit::To),
        consents: said(fields, given.consents, now),
        ..ContactEdit::default()
    };
    (input, more)
}

fn said(fields: &mut Fields, given: Vec<Said>, now: crate::domain::time::Timestamp) -> Vec<Consent> {
    let mut consents: Vec<Consent> = Vec::new();
    for (index, said) in given.into_iter().enumerate() {
        let at = |field: &str| format!("consents/{index}/{field}");
        let to = match said.to.as_str() {
            "marketing" => Some(ConsentKind::Marketing),
            "recall" => Some(ConsentKind::Recall),
            "sms" => Some(ConsentKind::Sms),
            _ => None,
        };
        let is_again = to.is_some_and(|to| consents.iter().any(|c| c.to == to));
        if to.is_none() || is_again {
            fields.refuse(&at("to"), "must be one of marketing, recall, sms, and each only once");
        }
        let state = fields.one_of(&at("state"), Some(said.state), CONSENT);
        let source = fields.required(&at("source"), Some(said.source), SHORT_CHARS_MAX);
        let said_at = fields.time(&at("said_at"), said.said_at.as_deref()).unwrap_or(now);
        if said_at > now {
            fields.refuse(&at("said_at"), "is still to come");
        }
        if let (Some(to), Some(state)) = (to, state) {
            consents.push(Consent { to, state, source, said_at });
        }
    }
    consents
}

async fn add(call: Call) -> Result<Response, ApiError> {
    let mut fields = Fields::default();
    let assignees = Assignees::load(&call).await?;
    let (input, more) = person(&mut fields, call.json()?, &assignees, call.context.clock.now());
    fields.finish()?;
    let done = act(&call, About::Person(Box::new(input)), StaffAction::AddContact(more), None).await?;
    let contact = shown(&call, done.contact_id.as_deref().unwrap_or_default()).await?;
    Ok(reply::with_etag(reply::created(&contact), contact.version))
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = ContactEdit, example = json!({ "phone": "0491 570 006", "assigned_to": "reception" }))]
struct Editing {
    #[schema(max_length = 200)]
    first_name: Option<String>,
    #[schema(max_length = 200)]
    last_name: Option<String>,
    #[schema(value_type = Option<String>, max_length = 200)]
    phone: Edit<String>,
    #[schema(value_type = Option<String>, max_length = 254)]
    email: Edit<String>,
    #[schema(value_type = Option<String>, max_length = 200)]
    interest: Edit<String>,
    #[schema(value_type = Option<String>, max_length = 200)]
    assigned_to: Edit<String>,
    consents: Vec<Said>,
}

async fn edit(call: Call) -> Result<Response, ApiError> {
    let version = call.if_match()?;
    let given: Editing = call.json()?;
    let assignees = Assignees::load(&call).await?;
    let mut fields = Fields::default();
    let name = |fields: &mut Fields, field: &str, value: Option<String>| {
        value.map(|value| fields.text(field, Some(value), SHORT_CHARS_MAX).unwrap_or_default())
    };
    let phone = fields.edit("phone", given.phone, SHORT_CHARS_MAX).try_map(|phone| fields.phone("phone", phone).ok_or(()));
    let email = fields.edit("email", given.email, SHORT_CHARS_MAX).try_map(|email| fields.email("email", &email).ok_or(()));
    let edit = ContactEdit {
        first_name: name(&mut fields, "first_name", given.first_name),
        last_name: name(&mut fields, "last_name", given.last_name),
        phone: phone.unwrap_or_default(),
        email: email.unwrap_or_default(),
        interest: fields.edit("interest", given.interest, SHORT_CHARS_MAX),
        assigned_to: assignees.edit(&mut fields, "assigned_to", given.assigned_to),
        consents: said(&mut fields, given.consents, call.context.clock.now()),
    };
    fields.finish()?;
    refuse_taken(&call, &edit).await?;
    change(&call, StaffAction::EditContact(edit), Some(version)).await
}

/// Whose the number or the address is: with them this contact may have to be merged.
async fn refuse_taken(call: &Call, edit: &ContactEdit) -> Result<(), ApiError> {
    let identity = |kind| move |value: &String| Identity { kind, value: value.clone() };
    let phone = edit.phone.value().map(identity(IdentityKind::Phone));
    let email = edit.email.value().map(identity(IdentityKind::Email));
    let identities: Vec<Identity> = phone.into_iter().chain(email).collect();
    let own = survivor_of(call, Some(call.parameter.clone())).await?.unwrap_or_default();
    let owners = call.context.store.read::<_, StoreError>(move |conn| contacts::find_owners(conn, &identities)).await?;
    let Some(contact_id) = owners.into_values().find(|id| *id != own) else { return Ok(()) };
    let detail = "Another contact has this number or address: `current.contact_id` says who.";
    Err(ApiError::conflict(detail).with_current(json!({ "contact_id": contact_id })))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Move, example = json!({ "pipeline": "lead", "stage": "contacted" }))]
struct Moving {
    pipeline: String,
    stage: String,
}

async fn move_to(call: Call) -> Result<Response, ApiError> {
    let Moving { pipeline, stage } = call.json()?;
    let pipelines = &call.context.pipelines;
    let Some(known) = pipelines.find(&pipeline) else {
        let names: Vec<&str> = pipelines.pipelines.iter().map(|p| p.name.as_str()).collect();
        return Err(ApiError::refused("/body/pipeline", format!("must be one of {}", names.join(", "))));
    };
    if known.find_stage(&stage).is_none() {
        let names: Vec<&str> = known.stages.iter().map(|s| s.name.as_str()).collect();
        return Err(ApiError::refused("/body/stage", format!("must be one of {}", names.join(", "))));
    }
    let version = version_if_given(&call)?;
    let contact = find_record(&call, contacts::find).await?;
    let from = contact.current_stage.filter(|_| contact.current_pipeline.as_deref() == Some(&pipeline));
    let allowed = stages_allowed(pipelines, &pipeline, from.as_deref()).unwrap_or_default();
    if from.as_deref() != Some(&stage) && !allowed.contains(&stage) {
        let detail = "Not possible: the pipeline has no such move. `current.allowed` lists the stages that may follow.";
        return Err(ApiError::conflict(detail).with_current(json!({ "pipeline": pipeline, "stage": from, "allowed": allowed })));
    }
    change(&call, StaffAction::MoveContact { pipeline, stage }, version).await
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = NewNote, example = json!({ "body": "Prefers mornings." }))]
struct Noting {
    #[schema(required = true, value_type = String, min_length = 1, max_length = 4000)]
    body: Option<String>,
    booking_id: Option<String>,
}

async fn note(call: Call) -> Result<Response, ApiError> {
    let given: Noting = call.json()?;
    let mut fields = Fields::default();
    let body = fields.required("body", given.body, NOTE_CHARS_MAX);
    fields.finish()?;
    let version = version_if_given(&call)?;
    change(&call, StaffAction::AddNote { body, booking_id: given.booking_id }, version).await
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = OptChange, example = json!({ "reason": "Asked for it on the phone" }))]
struct Saying {
    /// Who has asked for it, and how.
    #[schema(required = true, value_type = String, min_length = 1, max_length = 4000)]
    reason: Option<String>,
}

fn reason(call: &Call) -> Result<String, ApiError> {
    let Saying { reason } = call.json()?;
    let mut fields = Fields::default();
    let reason = fields.required("reason", reason, NOTE_CHARS_MAX);
    fields.finish().map(|()| reason)
}

async fn opt_out(call: Call) -> Result<Response, ApiError> {
    let reason = reason(&call)?;
    change(&call, StaffAction::OptOut { reason }, version_if_given(&call)?).await
}

async fn opt_in(call: Call) -> Result<Response, ApiError> {
    let reason = reason(&call)?;
    change(&call, StaffAction::OptIn { reason }, version_if_given(&call)?).await
}

async fn change(call: &Call, action: StaffAction, version: Option<i64>) -> Result<Response, ApiError> {
    act(call, About::Contact(call.parameter.clone()), action, version).await?;
    let contact = shown(call, &call.parameter).await?;
    Ok(reply::with_etag(reply::json(&contact), contact.version))
}

#[derive(Serialize, ToSchema)]
struct ConsentShown {
    id: String,
    to: String,
    state: String,
    source: String,
    said_at: String,
    recorded_by: String,
    recorded_at: String,
}

async fn list_consents(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let read = |conn: &mut _, id: &str| contacts::find(conn, id)?.map(|known| consents::list(conn, &known.id)).transpose();
    let said = find_record(&call, read).await?;
    let wall = Wall::of(&call);
    let shown = |said: crate::domain::contact::ConsentSaid| ConsentShown {
        id: said.id,
        to: said.kind,
        state: said.state,
        source: said.source,
        said_at: wall.time(said.said_at.0),
        recorded_by: said.recorded_by,
        recorded_at: wall.time(said.recorded_at.0),
    };
    Ok(whole(said.into_iter().map(shown).collect()))
}
