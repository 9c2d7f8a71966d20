//! What all changes by staff have in common: who, which version, and how a refusal is told.

use super::{bookings, contacts, sms, tasks};
use crate::automation::Automation;
use crate::automation::staff_work::{self, About, Done, Refused, Wanted};
use crate::domain::ids::is_id;
use crate::domain::staff_action::StaffAction;
use crate::http::endpoint::Call;
use crate::http::problem::ApiError;
use crate::http::query::Query;
use serde::Serialize;
use serde_json::{Value, json};
use warp::http::header::IF_MATCH;

/// Does it on behalf of the caller.
pub(super) async fn act(call: &Call, about: About, action: StaffAction, version: Option<i64>) -> Result<Done, ApiError> {
    Query::parse(&call.query).finish()?;
    act_on(call, about, action, version).await
}

/// Like [`act`], for routes that take parameters.
pub(super) async fn act_on(call: &Call, about: About, action: StaffAction, version: Option<i64>) -> Result<Done, ApiError> {
    if named(&about).is_some_and(|id| !is_id(id)) {
        return Err(ApiError::not_found());
    }
    match attempt(call, about.clone(), action, version).await? {
        Ok(done) => Ok(done),
        Err(Refused::Changed) => Err(ApiError::changed_meanwhile(current(call, &about).await?)),
        Err(Refused::Impossible(reason)) => {
            let shown = current(call, &about).await?;
            Err(ApiError::conflict(format!("Not possible: {reason}.")).with_current(shown))
        }
        Err(refused) => Err(told(refused)),
    }
}

/// Does it, and leaves to the caller what a refusal means.
pub(super) async fn attempt(
    call: &Call,
    about: About,
    action: StaffAction,
    version: Option<i64>,
) -> Result<Result<Done, Refused>, ApiError> {
    let wanted = Wanted { who: call.who(), about, action, version };
    // A whole decision is in this future: it would make every handler's large.
    Ok(Box::pin(staff_work::act(&automation(call)?, wanted)).await)
}

pub(super) fn automation(call: &Call) -> Result<Automation, ApiError> {
    call.context.automation().ok_or_else(|| ApiError::unavailable("Records cannot be changed here."))
}

/// A refusal that no record explains.
pub(super) fn told(refused: Refused) -> ApiError {
    match refused {
        Refused::Nothing(_) => ApiError::not_found(),
        Refused::Known { contact_id } => ApiError::conflict("This person is known already: `current.contact_id` says who it is.")
            .with_current(json!({ "contact_id": contact_id })),
        Refused::NoRules => ApiError::unavailable("No rules are in force yet: `avatar rules check` says why."),
        Refused::Changed => ApiError::conflict("Somebody else has changed this meanwhile."),
        Refused::Impossible(reason) => ApiError::conflict(format!("Not possible: {reason}.")),
        Refused::Store(error) => error.into(),
    }
}

/// The version in `If-Match`, where naming one is optional.
pub(super) fn version_if_given(call: &Call) -> Result<Option<i64>, ApiError> {
    if call.headers.contains_key(IF_MATCH) { call.if_match().map(Some) } else { Ok(None) }
}

fn named(about: &About) -> Option<&str> {
    match about {
        About::Task(id) | About::Contact(id) | About::Booking(id) | About::Sms(id) => Some(id),
        About::Both { contact_id, .. } => Some(contact_id),
        About::Person(_) | About::Nobody => None,
    }
}

/// The record as it is now, with what can be done instead.
async fn current(call: &Call, about: &About) -> Result<Value, ApiError> {
    match about {
        About::Task(id) => tasks::shown(call, id).await.and_then(|task| value(&task)),
        About::Contact(id) | About::Both { contact_id: id, .. } => {
            contacts::shown(call, id).await.and_then(|contact| value(&contact))
        }
        About::Booking(id) => {
            let booking = bookings::shown(call, id).await?;
            let possible = booking.possible();
            let mut shown = value(&booking)?;
            shown["possible"] = json!(possible);
            Ok(shown)
        }
        About::Sms(id) => sms::shown(call, id).await.and_then(|text| value(&text)),
        About::Person(_) | About::Nobody => Ok(Value::Null),
    }
}

fn value<T: Serialize>(record: &T) -> Result<Value, ApiError> {
    serde_json::to_value(record).map_err(|_| ApiError::internal())
}
