//! `/api/bookings`: the appointments, as a day sheet shows them.

use super::contacts::survivor_of;
use super::listing::{PAGING, Parameter, Wall, one};
use super::words;
use crate::automation::next::Reminders;
use crate::domain::booking::BookingStatus;
use crate::domain::time::Timestamp;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::{Query, encode_cursor};
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::StoreResult;
use crate::store::views::bookings::{self, BookingFilter, BookingView};
use crate::store::views::day::{self, Sheet};
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/bookings", Permission::Clinic);
const ONE: Route = Route::get("/api/bookings/{id}", Permission::Clinic);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let list_doc = Doc::new("Bookings", "Lists appointments, the earliest first, with reminders and what is missing.");
    vec![
        reading(LIST, shared, list)
            .doc(list_doc.query(FILTERS).one_of("status", &BookingStatus::ALL.map(BookingStatus::as_str)).answers::<DaySheet>()),
        reading(ONE, shared, show).doc(Doc::new("Bookings", "Shows an appointment.").answers::<Appointment>()),
    ]
}

const FILTERS: &[Parameter] = &[
    ("from", "appointments at this time, or of this day, and later"),
    ("to", "appointments before this time, or until the end of this day"),
    ("contact_id", "of one contact"),
    ("status", "one state, such as scheduled; the counts are of all"),
    PAGING[0],
    PAGING[1],
];

#[derive(Serialize, ToSchema)]
struct DaySheet {
    items: Vec<Appointment>,
    total: i64,
    next_cursor: Option<String>,
    /// How many appointments of the same time are in each state.
    counts: BTreeMap<String, i64>,
}

/// A booking, and what staff needs to know beside it.
#[derive(Serialize, ToSchema)]
struct Appointment {
    #[serde(flatten)]
    booking: Booking,
    contact_name: Option<String>,
    /// E.164.
    contact_phone: Option<String>,
    /// Reminders sent and due, oldest first.
    reminders: Vec<Reminder>,
    /// Some of `referral`, `confirmation`, `phone`.
    missing: Vec<&'static str>,
    open_tasks: i64,
}

#[derive(Serialize, ToSchema)]
struct Reminder {
    template: Option<String>,
    /// The state of the text; `due` for one that is to be written yet.
    status: String,
    /// When it left, or will.
    at: String,
    /// `null` when it is due.
    sms_id: Option<String>,
    /// The rule that a due one comes from.
    rule_id: Option<String>,
    /// Why a due one will not leave: `opted_out`.
    held: Option<&'static str>,
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
    #[schema(value_type = words::BookingStatus)]
    status: String,
    #[schema(value_type = words::Urgency)]
    urgency_level: String,
    #[schema(value_type = words::Referral)]
    referral_status: String,
    payment_status: Option<String>,
    patient_confirmed_at: Option<String>,
    confirmed_via: Option<String>,
    reschedule_count: i32,
    pub(super) version: i64,
    created_at: String,
    updated_at: String,
}

pub(super) fn booking(view: BookingView, wall: Wall) -> Booking {
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

const MOMENT: &str = "a day such as 2026-11-24, or a time such as 2026-11-24T10:00:00+11:00";

/// A time, or a day: its beginning, or the end of it.
fn moment(call: &Call, text: &str, is_end: bool) -> Option<i64> {
    let calendar = &call.context.clinic.calendar;
    let day = || {
        let day = NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?;
        Some(calendar.at_minute(if is_end { day.succ_opt()? } else { day }, 0))
    };
    Timestamp::parse_rfc3339(text).or_else(day).map(|at| at.0)
}

async fn list(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let mut filter = BookingFilter {
        from: query.parsed("from", MOMENT, |text| moment(&call, text, false)),
        to: query.parsed("to", MOMENT, |text| moment(&call, text, true)),
        contact_id: query.text("contact_id"),
        status: query.one_of("status", &BookingStatus::ALL.map(BookingStatus::as_str)),
    };
    let request = query.page();
    query.finish()?;
    filter.contact_id = survivor_of(&call, filter.contact_id).await?;
    let (rows, sheet, counts) = call
        .context
        .store
        .read(move |conn| {
            let rows = bookings::list(conn, &filter, &request)?;
            let sheet = day::sheet(conn, &rows.items)?;
            StoreResult::Ok((rows, sheet, day::counts(conn, &filter)?))
        })
        .await?;
    let (wall, reminders) = (Wall::of(&call), reminders(&call));
    Ok(reply::json(&DaySheet {
        total: rows.total,
        next_cursor: rows.next.as_ref().map(encode_cursor),
        items: rows.items.into_iter().map(|view| appointment(view, &sheet, &reminders, wall)).collect(),
        counts: counts.into_iter().collect(),
    }))
}

async fn show(call: Call) -> Result<Response, ApiError> {
    let (view, sheet) = one(&call, |conn, id| {
        let found = bookings::find(conn, id)?;
        found.map(|view| day::sheet(conn, std::slice::from_ref(&view)).map(|sheet| (view, sheet))).transpose()
    })
    .await?;
    let version = view.version;
    Ok(reply::with_etag(reply::json(&appointment(view, &sheet, &reminders(&call), Wall::of(&call))), version))
}

fn reminders(call: &Call) -> Reminders {
    Reminders::of(call.context.rules.host().and_then(|host| host.current()).as_deref())
}

fn appointment(view: BookingView, sheet: &Sheet, known: &Reminders, wall: Wall) -> Appointment {
    let person = sheet.people.get(&view.contact_id);
    let has_phone = person.is_none_or(|p| p.phone.is_some());
    let is_open = matches!(view.status.as_str(), "pending" | "scheduled");
    let is_off = matches!(view.status.as_str(), "cancelled" | "declined" | "no_show");
    let missing = [
        ("referral", view.referral_status == "missing"),
        ("confirmation", is_open && view.patient_confirmed_at.is_none()),
        ("phone", !has_phone),
    ];
    Appointment {
        contact_name: person.map(|p| p.name.clone()),
        contact_phone: person.and_then(|p| p.phone.clone()),
        reminders: reminders_of(&view, sheet, known, wall),
        missing: missing.into_iter().filter(|(_, is_missing)| *is_missing && !is_off).map(|(what, _)| what).collect(),
        open_tasks: sheet.open_tasks.get(&view.id).copied().unwrap_or(0),
        booking: booking(view, wall),
    }
}

fn reminders_of(booking: &BookingView, sheet: &Sheet, known: &Reminders, wall: Wall) -> Vec<Reminder> {
    let person = sheet.people.get(&booking.contact_id);
    let held = person.and_then(|person| person.opted_out_at).map(|_| "opted_out");
    let texts = sheet.texts.get(&booking.id).into_iter().flatten();
    let sent = texts.filter(|text| text.template.as_ref().is_some_and(|template| known.has_template(template)));
    let sent = sent.map(|text| Reminder {
        template: text.template.clone(),
        status: text.status.clone(),
        at: wall.time(text.at),
        sms_id: Some(text.id.clone()),
        rule_id: None,
        held: None,
    });
    let due = sheet.timers.get(&booking.id).into_iter().flatten().filter_map(|timer| {
        Some(Reminder {
            template: Some(known.template_of(&timer.rule_id)?.to_owned()),
            status: "due".to_owned(),
            at: wall.time(timer.due_at.0),
            sms_id: None,
            rule_id: Some(timer.rule_id.clone()),
            held,
        })
    });
    sent.chain(due).collect()
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
