//! `/api/bookings`: the appointments.

use super::listing::{Wall, page};
use crate::domain::booking::BookingStatus;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::views::bookings::{self, BookingFilter, BookingView};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/bookings", Permission::Clinic);
const ONE: Route = Route::get("/api/bookings/{id}", Permission::Clinic);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    vec![reading(LIST, shared, list), reading(ONE, shared, show)]
}

#[derive(Serialize, ToSchema)]
pub(super) struct Booking {
    id: String,
    contact_id: String,
    wix_booking_id: Option<String>,
    source: String,
    appointment_datetime: String,
    end_datetime: Option<String>,
    /// IANA name.
    timezone: String,
    service_name: Option<String>,
    location: Option<String>,
    resource_name: Option<String>,
    status: String,
    urgency_level: String,
    referral_status: String,
    payment_status: Option<String>,
    patient_confirmed_at: Option<String>,
    confirmed_via: Option<String>,
    reschedule_count: i32,
    pub(super) version: i64,
    created_at: String,
    updated_at: String,
}

fn booking(view: BookingView, wall: Wall) -> Booking {
    Booking {
        id: view.id,
        contact_id: view.contact_id,
        wix_booking_id: view.wix_booking_id,
        source: view.source,
        appointment_datetime: wall.time(view.appointment_datetime),
        end_datetime: wall.optional(view.end_datetime),
        timezone: view.timezone,
        service_name: view.service_name,
        location: view.location,
        resource_name: view.resource_name,
        status: view.status,
        urgency_level: view.urgency_level,
        referral_status: view.referral_status,
        payment_status: view.payment_status,
        patient_confirmed_at: wall.optional(view.patient_confirmed_at),
        confirmed_via: view.confirmed_via,
        reschedule_count: view.reschedule_count,
        version: view.version,
        created_at: wall.time(view.created_at),
        updated_at: wall.time(view.updated_at),
    }
}

async fn list(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let filter = BookingFilter {
        from: query.time("from").map(|t| t.0),
        to: query.time("to").map(|t| t.0),
        contact_id: query.text("contact_id"),
        status: query.one_of("status", &BookingStatus::ALL.map(BookingStatus::as_str)),
    };
    let request = query.page();
    query.finish()?;
    let rows = call.context.store.read(move |conn| bookings::list(conn, &filter, &request)).await?;
    let wall = Wall::of(&call);
    Ok(page(rows, |view| booking(view, wall)))
}

async fn show(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let booking = shown(&call, &call.parameter).await?;
    Ok(reply::with_etag(reply::json(&booking), booking.version))
}

/// The booking with this id, as everybody sees it.
pub(super) async fn shown(call: &Call, id: &str) -> Result<Booking, ApiError> {
    let id = id.to_owned();
    let view = call.context.store.read(move |conn| bookings::find(conn, &id)).await?.ok_or_else(ApiError::not_found)?;
    Ok(booking(view, Wall::of(call)))
}

impl Booking {
    /// The states that it can be given now.
    pub(super) fn possible(&self) -> Vec<&'static str> {
        let now = BookingStatus::parse(&self.status);
        now.into_iter().flat_map(BookingStatus::next_possible).map(BookingStatus::as_str).collect()
    }
}
