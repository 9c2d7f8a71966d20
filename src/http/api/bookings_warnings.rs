//! What speaks against an appointment and does not forbid it: staff may have a reason.

use super::bookings::{Booking, booking};
use super::listing::Wall;
use crate::domain::booking::BookingStatus;
use crate::domain::time::{Millis, Timestamp};
use crate::http::endpoint::Call;
use crate::http::problem::ApiError;
use crate::store::views::PageRequest;
use crate::store::views::bookings::{self, BookingFilter, BookingView};
use crate::store::{StoreError, StoreResult};
use serde::Serialize;
use utoipa::ToSchema;

/// How long an appointment takes whose end is not known.
const LASTS: Millis = Millis::minutes(30);
/// None takes longer.
const LASTS_MAX: Millis = Millis::hours(12);
/// Appointments that are looked at.
const LOOKED_AT_MAX: i64 = 500;

/// A booking that was just made or changed.
#[derive(Serialize, ToSchema)]
#[schema(as = ChangedBooking)]
pub(super) struct Changed {
    #[serde(flatten)]
    pub booking: Booking,
    /// What speaks against it; it is made all the same.
    pub warnings: Vec<Warning>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = BookingWarning)]
pub(super) struct Warning {
    /// `past`, `closed` (outside of opening hours), `same_person` or `resource_taken`.
    code: &'static str,
    detail: String,
    /// The other appointment.
    booking_id: Option<String>,
}

/// The booking as it is, and what speaks against it.
pub(super) async fn changed(call: &Call, id: &str) -> Result<Changed, ApiError> {
    let id = id.to_owned();
    let read = move |conn: &mut _| {
        let Some(own) = bookings::find(conn, &id)? else { return Ok(None) };
        let filter = BookingFilter {
            from: Some(own.appointment_datetime - LASTS_MAX.0),
            to: Some(end_of(&own)),
            ..BookingFilter::default()
        };
        let others = bookings::list(conn, &filter, &PageRequest { after: None, limit: LOOKED_AT_MAX })?.items;
        StoreResult::Ok(Some((own, others)))
    };
    let (own, others) = call.context.store.read::<_, StoreError>(read).await?.ok_or_else(ApiError::not_found)?;
    let warnings = warnings(call, &own, &others);
    Ok(Changed { booking: booking(own, Wall::of(call)), warnings })
}

fn warnings(call: &Call, own: &BookingView, others: &[BookingView]) -> Vec<Warning> {
    if !is_live(own) {
        return Vec::new();
    }
    let begins = Timestamp(own.appointment_datetime);
    let warning = |code, detail: &str, booking_id| Warning { code, detail: detail.to_owned(), booking_id };
    let mut found = Vec::new();
    if begins < call.context.clock.now() {
        found.push(warning("past", "The appointment is over already.", None));
    } else if !call.context.clinic.calendar.is_open(begins) {
        found.push(warning("closed", "The clinic is closed then.", None));
    }
    let meets = |other: &&BookingView| {
        other.id != own.id
            && is_live(other)
            && end_of(other) > own.appointment_datetime
            && other.appointment_datetime < end_of(own)
    };
    for other in others.iter().filter(meets) {
        let same_resource =
            own.resource_name.is_some() && (&own.resource_name, &own.location) == (&other.resource_name, &other.location);
        if other.contact_id == own.contact_id {
            found.push(warning("same_person", "The person has another appointment then.", Some(other.id.clone())));
        } else if same_resource {
            found.push(warning("resource_taken", "Somebody else has an appointment there then.", Some(other.id.clone())));
        }
    }
    found
}

fn is_live(booking: &BookingView) -> bool {
    BookingStatus::parse(&booking.status).is_some_and(BookingStatus::is_live)
}

fn end_of(booking: &BookingView) -> i64 {
    booking.end_datetime.unwrap_or(booking.appointment_datetime + LASTS.0)
}
