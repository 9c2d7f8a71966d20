//! `/api/sms`: texts that somebody writes: shown first, held for a moment, taken back, tried once more.

use super::acting::{act, automation, told};
use super::fields::Fields;
use super::listing::Wall;
use super::sms::{Sms, shown};
use super::words;
use crate::automation::inbox::delete_own_draft;
use crate::automation::staff_work::act::compose;
use crate::automation::staff_work::{About, Composed, UNDO, explain};
use crate::domain::ids::is_id;
use crate::domain::sms::SmsCategory;
use crate::domain::staff_action::{NewText, StaffAction};
use crate::domain::time::{Millis, Timestamp};
use crate::engine::template::costly::{Instead, Why, advise};
use crate::engine::template::{BODY_CHARS_MAX, segments};
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::handovers::{self, Price};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use utoipa::ToSchema;
use warp::http::StatusCode;

const SEND: Route = Route::post("/api/sms/send", Permission::Clinic);
const PREVIEW: Route = Route::post("/api/sms/preview", Permission::Clinic);
const CANCEL: Route = Route::post("/api/sms/{id}/cancel", Permission::Clinic);
const RETRY: Route = Route::post("/api/sms/{id}/retry", Permission::Clinic);

/// A clock may be so wrong, and somebody take so long to press the button.
const SEND_LATE_MAX: Millis = Millis::minutes(5);
/// How far ahead a text can be put.
const SEND_AHEAD_MAX: Millis = Millis::days(90);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = |summary| Doc::new("Texts", summary);
    vec![
        writing(SEND, shared, send).doc(
            doc("Sends a text; it is held for some seconds, in which it can be taken back.")
                .takes::<Writing>()
                .answers_as::<Held>(StatusCode::CREATED),
        ),
        writing(PREVIEW, shared, preview).doc(doc("Shows a text as it would leave.").takes::<Writing>().answers::<Preview>()),
        writing(CANCEL, shared, cancel).doc(doc("Takes a text back that has not left.").answers::<Sms>()),
        writing(RETRY, shared, retry)
            .doc(doc("Sends a failed text again that surely did not leave.").answers_as::<Held>(StatusCode::CREATED)),
    ]
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = NewSms, example = json!({ "contact_id": "019ab2f0-6c1e-7c3a-9d7e-2b8f6a1c4e5d", "body": "Yes, there is parking behind the building." }))]
struct Writing {
    #[schema(required = true, value_type = String)]
    contact_id: Option<String>,
    /// The booking that the text is about.
    booking_id: Option<String>,
    /// Own words; or `template`.
    body: Option<String>,
    template: Option<String>,
    /// Of own words: `transactional` unless given, `recall` or `marketing`. A template has its own.
    #[schema(value_type = Option<words::SmsCategory>)]
    category: Option<String>,
    /// At once unless given, at most 90 days ahead.
    send_at: Option<String>,
}

struct Wish {
    contact_id: String,
    booking_id: Option<String>,
    text: NewText,
}

fn wish(call: &Call) -> Result<Wish, ApiError> {
    let given: Writing = call.json()?;
    let (mut fields, now) = (Fields::default(), call.context.clock.now());
    if given.contact_id.is_none() {
        fields.refuse("contact_id", "is missing");
    }
    if given.body.is_some() == given.template.is_some() {
        fields.refuse("body", "must be given, or template, and not both");
    }
    let send_at = fields.time("send_at", given.send_at.as_deref());
    if send_at.is_some_and(|at| at < now - SEND_LATE_MAX) {
        fields.refuse("send_at", "is over already");
    }
    if send_at.is_some_and(|at| at > now + SEND_AHEAD_MAX) {
        fields.refuse("send_at", format!("is more than {} days ahead", SEND_AHEAD_MAX.0 / Millis::DAY.0));
    }
    let category = fields.one_of("category", given.category, &["transactional", "recall", "marketing"]);
    let text = NewText {
        body: fields.text("body", given.body, BODY_CHARS_MAX),
        template: given.template,
        category: category.as_deref().and_then(SmsCategory::parse).unwrap_or(SmsCategory::Transactional),
        send_at,
    };
    if text.body.is_none() && text.template.is_none() {
        fields.refuse("body", "is empty");
    }
    if let Some(name) = &text.template
        && let Some(known) = call.context.rules.host().and_then(|host| host.current())
        && !known.ruleset.templates.contains_key(name)
    {
        fields.refuse("template", "is no template in force");
    }
    fields.finish()?;
    Ok(Wish { contact_id: given.contact_id.unwrap_or_default(), booking_id: given.booking_id, text })
}

#[derive(Serialize, ToSchema)]
#[schema(as = HeldSms)]
struct Held {
    #[serde(flatten)]
    text: Sms,
    /// Until then `POST /api/sms/{id}/cancel` takes it back for certain.
    undo_until: String,
}

async fn send(call: Call) -> Result<Response, ApiError> {
    let Wish { contact_id, booking_id, text } = wish(&call)?;
    let is_answer = text.body.is_some() && text.send_at.is_none();
    let done = act(&call, About::Both { contact_id, booking_id }, StaffAction::SendSms(text), None).await?;
    if let Some(contact_id) = done.contact_id.filter(|_| is_answer) {
        // What they were writing has been sent. Not so surely that it should undo the text.
        let own = delete_own_draft(&call.context.store, &contact_id, &call.by).await;
        own.unwrap_or_else(|error| tracing::warn!(%error, "a draft that was sent is still there"));
    }
    held(&call, done.sms_id.as_deref().unwrap_or_default()).await
}

async fn held(call: &Call, id: &str) -> Result<Response, ApiError> {
    let text = shown(call, id).await?;
    let undo_until = Wall::of(call).time((call.context.clock.now() + UNDO).0);
    Ok(reply::created(&Held { text, undo_until }))
}

async fn cancel(call: Call) -> Result<Response, ApiError> {
    act(&call, About::Sms(call.parameter.clone()), StaffAction::CancelSms { sms_id: call.parameter.clone() }, None).await?;
    Ok(reply::json(&shown(&call, &call.parameter).await?))
}

async fn retry(call: Call) -> Result<Response, ApiError> {
    let action = StaffAction::RetrySms { sms_id: call.parameter.clone() };
    let done = act(&call, About::Sms(call.parameter.clone()), action, None).await?;
    held(&call, done.sms_id.as_deref().unwrap_or_default()).await
}

#[derive(Serialize, ToSchema)]
#[schema(as = SmsPreview)]
struct Preview {
    /// `null` when the template lacks something: `missing` says what.
    body: Option<String>,
    missing: Option<String>,
    /// Where it goes.
    to: Option<String>,
    #[schema(value_type = Option<words::SmsCategory>)]
    category: Option<&'static str>,
    /// `gsm7` or `ucs2`.
    encoding: Option<&'static str>,
    /// Characters as the network counts them, and how many more fit into the last part.
    characters: usize,
    characters_left: usize,
    parts: usize,
    /// The characters that make every part shorter, each with a plain one to use instead, if there is one.
    costly: Vec<Costly>,
    /// By what the provider took for the newest text that it has priced.
    cost: Option<f64>,
    currency: Option<String>,
    /// When it would leave, and why not at once: `undo`, `send_at` or `quiet_hours`.
    leaves_at: Option<String>,
    held: Option<&'static str>,
    /// Why it cannot be sent at all: `opted_out`, `no_phone`, `not_a_mobile`, `no_consent`, `too_late`, `cap:…`.
    obstacle: Option<&'static str>,
    obstacle_detail: Option<&'static str>,
}

#[derive(Serialize, ToSchema)]
struct Costly {
    character: String,
    instead: Option<String>,
}

async fn preview(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let Wish { contact_id, booking_id, text } = wish(&call)?;
    if !is_id(&contact_id) || booking_id.as_deref().is_some_and(|id| !is_id(id)) {
        return Err(ApiError::not_found());
    }
    let composed = compose(&automation(&call)?, contact_id, booking_id, text).await.map_err(told)?;
    let price = call.context.store.read(handovers::find_newest_price).await?;
    let wall = |at: Timestamp| Wall::of(&call).time(at.0);
    Ok(reply::json(&match composed {
        Ok(text) => fits(text, price, wall),
        Err(missing) => lacks(missing),
    }))
}

fn fits(text: Composed, price: Option<Price>, wall: impl Fn(Timestamp) -> String) -> Preview {
    let count = segments::count(&text.body);
    let cost = price.as_ref().map(|price| price.micros_per_part as f64 * count.parts as f64 / 1e6);
    Preview {
        missing: None,
        to: text.to,
        category: Some(text.category.as_str()),
        encoding: Some(count.encoding),
        characters: count.units,
        characters_left: count.units_left(),
        parts: count.parts,
        costly: costly(&text.body),
        cost,
        currency: price.and_then(|price| price.currency),
        leaves_at: Some(wall(text.at)),
        held: Some(text.held),
        obstacle: text.obstacle,
        obstacle_detail: text.obstacle.map(explain),
        body: Some(text.body),
    }
}

fn lacks(missing: String) -> Preview {
    Preview {
        body: None,
        missing: Some(missing),
        to: None,
        category: None,
        encoding: None,
        characters: 0,
        characters_left: 0,
        parts: 0,
        costly: Vec::new(),
        cost: None,
        currency: None,
        leaves_at: None,
        held: None,
        obstacle: None,
        obstacle_detail: None,
    }
}

/// Each once, in the order of the text: what `avatar sms preview` names, as far as it forces the encoding.
fn costly(body: &str) -> Vec<Costly> {
    let forcing = advise(body).characters.into_iter().filter(|found| found.why == Why::Alphabet);
    let shown = forcing.map(|found| Costly {
        character: found.character.to_string(),
        instead: match found.instead {
            Instead::Write(plain) => Some(plain),
            _ => None,
        },
    });
    shown.collect()
}
