//! `/api/bookings`: making and moving bookings, and marking what became of them.

use super::acting::{act, version_if_given};
use super::bookings::{Booking, shown};
use super::bookings_warnings::{Changed, changed};
use super::fields::{Fields, NOTE_CHARS_MAX, SHORT_CHARS_MAX};
use super::listing::find_record;
use super::words::{self, NEW_BOOKING};
use crate::automation::staff_work::About;
use crate::domain::booking::BookingStatus;
use crate::domain::edit::Edit;
use crate::domain::staff_action::{BookingEdit, NewBooking, StaffAction};
use crate::engine::schema::{REFERRAL, URGENCY};
use crate::http::doc::{Doc, IfMatch};
use crate::http::endpoint::{Call, Endpoint, Shared, writing};
use crate::http::problem::ApiError;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::bookings;
use serde::Deserialize;
use std::sync::Arc;
use utoipa::ToSchema;
use warp::http::StatusCode;

const ADD: Route = Route::post("/api/bookings", Permission::Clinic);
const EDIT: Route = Route::patch("/api/bookings/{id}", Permission::Clinic);
const CONFIRM: Route = Route::post("/api/bookings/{id}/confirm", Permission::Clinic);
const CHECK_IN: Route = Route::post("/api/bookings/{id}/check-in", Permission::Clinic);
const COMPLETE: Route = Route::post("/api/bookings/{id}/complete", Permission::Clinic);
const NO_SHOW: Route = Route::post("/api/bookings/{id}/no-show", Permission::Clinic);
const CANCEL: Route = Route::post("/api/bookings/{id}/cancel", Permission::Clinic);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = |summary| Doc::new("Bookings", summary);
    let marks = |summary| doc(summary).takes_if_match(IfMatch::Optional).takes::<Marking>().answers::<Booking>();
    vec![
        writing(ADD, shared, add).doc(
            doc("Makes a booking, and says what speaks against it.").takes::<Adding>().answers_as::<Changed>(StatusCode::CREATED),
        ),
        writing(EDIT, shared, edit)
            .doc(doc("Moves or corrects a booking, and says what speaks against it.").takes::<Editing>().answers::<Changed>()),
        writing(CONFIRM, shared, confirm)
            .doc(marks("Accepts a pending or waitlisted booking; of an accepted one: the patient has said yes.")),
        writing(CHECK_IN, shared, check_in).doc(marks("The patient is here.")),
        writing(COMPLETE, shared, complete).doc(marks("The patient was here.")),
        writing(NO_SHOW, shared, no_show).doc(marks("The patient did not come.")),
        writing(CANCEL, shared, cancel).doc(marks("Cancels a booking.")),
    ]
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = NewBooking, example = json!({ "contact_id": "019ab2f0-6c1e-7c3a-9d7e-2b8f6a1c4e5d", "appointment_datetime": "2026-12-01T10:30:00+11:00", "end_datetime": "2026-12-01T11:00:00+11:00", "service_name": "MRI knee", "location": "Richmond", "urgency_level": "routine", "referral_status": "received" }))]
struct Adding {
    #[schema(required = true, value_type = String)]
    contact_id: Option<String>,
    /// RFC 3339.
    #[schema(required = true, value_type = String)]
    appointment_datetime: Option<String>,
    end_datetime: Option<String>,
    /// `scheduled` unless given; or `pending`, `waitlisted`.
    #[schema(value_type = Option<words::NewBookingStatus>)]
    status: Option<String>,
    #[schema(max_length = 200)]
    service_name: Option<String>,
    #[schema(max_length = 200)]
    location: Option<String>,
    #[schema(max_length = 200)]
    resource_name: Option<String>,
    /// `routine`, `soon` or `urgent`.
    #[schema(value_type = Option<words::Urgency>)]
    urgency_level: Option<String>,
    /// `missing`, `received` or `not_required`.
    #[schema(value_type = Option<words::Referral>)]
    referral_status: Option<String>,
}

async fn add(call: Call) -> Result<Response, ApiError> {
    let given: Adding = call.json()?;
    let mut fields = Fields::default();
    let status = fields.one_of("status", given.status, &NEW_BOOKING);
    for (name, value) in [("contact_id", &given.contact_id), ("appointment_datetime", &given.appointment_datetime)] {
        if value.is_none() {
            fields.refuse(name, "is missing");
        }
    }
    let begins = fields.time("appointment_datetime", given.appointment_datetime.as_deref()).unwrap_or_default();
    let ends = fields.time("end_datetime", given.end_datetime.as_deref());
    if ends.is_some_and(|ends| ends <= begins) {
        fields.refuse("end_datetime", "is not after the beginning");
    }
    let new = NewBooking {
        appointment_datetime: begins,
        end_datetime: ends,
        status: status.as_deref().and_then(BookingStatus::parse).unwrap_or(BookingStatus::Scheduled),
        service_name: fields.text("service_name", given.service_name, SHORT_CHARS_MAX),
        location: fields.text("location", given.location, SHORT_CHARS_MAX),
        resource_name: fields.text("resource_name", given.resource_name, SHORT_CHARS_MAX),
        urgency_level: fields.one_of("urgency_level", given.urgency_level, URGENCY),
        referral_status: fields.one_of("referral_status", given.referral_status, REFERRAL),
    };
    fields.finish()?;
    let about = About::Contact(given.contact_id.unwrap_or_default());
    let done = act(&call, about, StaffAction::AddBooking(new), None).await?;
    let made = changed(&call, done.booking_id.as_deref().unwrap_or_default()).await?;
    Ok(reply::with_etag(reply::created(&made), made.booking.version))
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = BookingEdit, example = json!({ "appointment_datetime": "2026-12-02T09:00:00+11:00", "location": "Richmond" }))]
struct Editing {
    /// Another time: the patient is asked to confirm anew; a cancelled or missed booking is on again.
    appointment_datetime: Option<String>,
    #[schema(value_type = Option<String>)]
    end_datetime: Edit<String>,
    #[schema(value_type = Option<String>, max_length = 200)]
    service_name: Edit<String>,
    #[schema(value_type = Option<String>, max_length = 200)]
    location: Edit<String>,
    #[schema(value_type = Option<String>, max_length = 200)]
    resource_name: Edit<String>,
    #[schema(value_type = Option<words::Urgency>)]
    urgency_level: Option<String>,
    #[schema(value_type = Option<words::Referral>)]
    referral_status: Option<String>,
}

async fn edit(call: Call) -> Result<Response, ApiError> {
    let version = call.if_match()?;
    let given: Editing = call.json()?;
    let mut fields = Fields::default();
    let begins = fields.time("appointment_datetime", given.appointment_datetime.as_deref());
    let ends = given.end_datetime.try_map(|text| fields.time("end_datetime", Some(&text)).ok_or(())).unwrap_or_default();
    if let (Some(begins), Edit::To(ends)) = (begins, &ends)
        && *ends <= begins
    {
        fields.refuse("end_datetime", "is not after the beginning");
    }
    let edit = BookingEdit {
        appointment_datetime: begins,
        end_datetime: ends,
        service_name: fields.edit("service_name", given.service_name, SHORT_CHARS_MAX),
        location: fields.edit("location", given.location, SHORT_CHARS_MAX),
        resource_name: fields.edit("resource_name", given.resource_name, SHORT_CHARS_MAX),
        urgency_level: fields.one_of("urgency_level", given.urgency_level, URGENCY),
        referral_status: fields.one_of("referral_status", given.referral_status, REFERRAL),
    };
    fields.finish()?;
    act(&call, About::Booking(call.parameter.clone()), StaffAction::EditBooking(edit), Some(version)).await?;
    let edited = changed(&call, &call.parameter).await?;
    Ok(reply::with_etag(reply::json(&edited), edited.booking.version))
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = BookingMark, example = json!({ "reason": "Called: has the flu" }))]
struct Marking {
    /// Kept as a note of the booking.
    #[schema(max_length = 4000)]
    reason: Option<String>,
}

/// Whoever is not accepted yet is accepted; of the others the patient has said yes.
async fn confirm(call: Call) -> Result<Response, ApiError> {
    let booking = find_record(&call, bookings::find).await?;
    let to = match booking.status {
        BookingStatus::Pending | BookingStatus::Waitlisted => BookingStatus::Scheduled,
        _ => BookingStatus::Confirmed,
    };
    // What was read must still hold when it is done.
    let version = version_if_given(&call)?.or(Some(booking.version));
    mark_version(&call, to, version).await
}

async fn check_in(call: Call) -> Result<Response, ApiError> {
    mark(call, BookingStatus::CheckedIn).await
}

async fn complete(call: Call) -> Result<Response, ApiError> {
    mark(call, BookingStatus::Completed).await
}

async fn no_show(call: Call) -> Result<Response, ApiError> {
    mark(call, BookingStatus::NoShow).await
}

async fn cancel(call: Call) -> Result<Response, ApiError> {
    mark(call, BookingStatus::Cancelled).await
}

async fn mark(call: Call, to: BookingStatus) -> Result<Response, ApiError> {
    let version = version_if_given(&call)?;
    mark_version(&call, to, version).await
}

async fn mark_version(call: &Call, to: BookingStatus, version: Option<i64>) -> Result<Response, ApiError> {
    let given: Marking = call.json()?;
    let mut fields = Fields::default();
    let reason = fields.text("reason", given.reason, NOTE_CHARS_MAX);
    fields.finish()?;
    change(call, StaffAction::MarkBooking { to, reason }, version).await
}

async fn change(call: &Call, action: StaffAction, version: Option<i64>) -> Result<Response, ApiError> {
    act(call, About::Booking(call.parameter.clone()), action, version).await?;
    let booking = shown(call, &call.parameter).await?;
    Ok(reply::with_etag(reply::json(&booking), booking.version))
}
