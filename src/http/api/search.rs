//! `/api/search`: one box for people, days of appointments, rules and templates.

use super::listing::Wall;
use crate::domain::calendar::Calendar;
use crate::domain::time::Timestamp;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::views::PageRequest;
use crate::store::views::bookings::{self, BookingFilter};
use crate::store::views::contacts::{self, ContactFilter, ContactSort};
use crate::store::{Conn, StoreResult};
use chrono::{Datelike, NaiveDate, TimeDelta};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const SEARCH: Route = Route::get("/api/search", Permission::Clinic);

/// Results of each kind.
const RESULTS_MAX: i64 = 10;

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc =
        Doc::new("Search", "Finds people by name, email address or number, appointments by day, rules and templates by id.");
    vec![
        reading(SEARCH, shared, search)
            .doc(doc.query(&[("q", "what to look for; a day as 2026-11-24, 24/11, 24 Nov, today, tomorrow")]).answers::<Found>()),
    ]
}

/// At most ten of each kind.
#[derive(Serialize, ToSchema)]
struct Found {
    people: Vec<Person>,
    /// All people that match; at least so many when `people_total_is_exact` is false.
    people_total: i64,
    people_total_is_exact: bool,
    /// Appointments of the day that was typed.
    bookings: Vec<Appointment>,
    bookings_total: i64,
    rules: Vec<Named>,
    templates: Vec<Named>,
}

#[derive(Serialize, ToSchema)]
struct Person {
    id: String,
    name: String,
    phone: Option<String>,
    email: Option<String>,
    warmness: i32,
}

#[expect(clippy::struct_field_names, reason = "the names are the contract's")]
#[derive(Serialize, ToSchema)]
struct Appointment {
    id: String,
    contact_id: String,
    contact_name: Option<String>,
    appointment_datetime: String,
    service_name: Option<String>,
    status: String,
}

#[derive(Serialize, ToSchema)]
struct Named {
    id: String,
    name: String,
}

async fn search(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let text = query.text("q").unwrap_or_default();
    query.finish()?;
    let calendar = &call.context.clinic.calendar;
    let day = parse_day(&text, calendar.date_of(call.context.clock.now())).map(|day| span(calendar, day));
    let asked = text.clone();
    let (people, day) = call.context.store.read(move |conn| look(conn, asked, day)).await?;
    let (rows, names) = day.unzip();
    let (rows, names) = (rows.unwrap_or_default(), names.unwrap_or_default());
    let wall = Wall::of(&call);
    let person = |view: contacts::ContactView| Person {
        id: view.id,
        name: view.name,
        phone: view.phone,
        email: view.email,
        warmness: view.warmness,
    };
    let appointment = |view: bookings::BookingView| Appointment {
        contact_name: names.get(&view.contact_id).cloned(),
        appointment_datetime: wall.time(view.appointment_datetime),
        id: view.id,
        contact_id: view.contact_id,
        service_name: view.service_name,
        status: view.status,
    };
    let bookings_total = rows.total;
    Ok(reply::json(&Found {
        people_total: people.rows.total,
        people_total_is_exact: people.total_is_exact,
        people: people.rows.items.into_iter().map(person).collect(),
        bookings: rows.items.into_iter().map(appointment).collect(),
        bookings_total,
        rules: rules(&call, &text),
        templates: templates(&call, &text),
    }))
}

/// The bookings of one day, and whose they are.
type Day = (bookings::Bookings, std::collections::HashMap<String, String>);

fn look(conn: &mut Conn, text: String, day: Option<(i64, i64)>) -> StoreResult<(contacts::ContactPage, Option<Day>)> {
    let filter = ContactFilter { text: Some(text), ..ContactFilter::default() };
    let people = contacts::list(conn, &filter, ContactSort::Updated, &PageRequest { after: None, limit: RESULTS_MAX })?;
    let Some((from, to)) = day else { return Ok((people, None)) };
    let filter = BookingFilter { from: Some(from), to: Some(to), ..BookingFilter::default() };
    let rows = bookings::list(conn, &filter, &PageRequest { after: None, limit: RESULTS_MAX })?;
    let ids: Vec<String> = rows.items.iter().map(|b| b.contact_id.clone()).collect();
    let names = contacts::names_of(conn, &ids)?;
    Ok((people, Some((rows, names))))
}

fn span(calendar: &Calendar, day: NaiveDate) -> (i64, i64) {
    let from: Timestamp = calendar.at_minute(day, 0);
    let to = day.succ_opt().map_or(from, |next| calendar.at_minute(next, 0));
    (from.0, to.0)
}

/// A day as people write it; without a year the one of `today`.
fn parse_day(text: &str, today: NaiveDate) -> Option<NaiveDate> {
    let text = text.trim().to_lowercase();
    match text.as_str() {
        "today" => return Some(today),
        "tomorrow" => return today.checked_add_signed(TimeDelta::days(1)),
        "yesterday" => return today.checked_sub_signed(TimeDelta::days(1)),
        _ => {}
    }
    let with_year = ["%Y-%m-%d", "%d/%m/%Y", "%d %b %Y", "%d %B %Y"];
    let full = with_year.into_iter().find_map(|format| NaiveDate::parse_from_str(&text, format).ok());
    let year = today.year();
    let this_year = || {
        [("/", "%d/%m/%Y"), (" ", "%d %b %Y"), (" ", "%d %B %Y")]
            .into_iter()
            .find_map(|(between, format)| NaiveDate::parse_from_str(&format!("{text}{between}{year}"), format).ok())
    };
    full.or_else(this_year)
}

fn is_named(text: &str, id: &str, name: &str) -> bool {
    let text = text.trim().to_lowercase();
    text.chars().count() >= NAME_CHARS_MIN && (id.to_lowercase().contains(&text) || name.to_lowercase().contains(&text))
}

/// Fewer characters name every rule.
const NAME_CHARS_MIN: usize = 2;

fn rules(call: &Call, text: &str) -> Vec<Named> {
    let found = call.context.rules.rules().into_iter().filter(|rule| is_named(text, &rule.id, &rule.name));
    found.take(RESULTS_MAX as usize).map(|rule| Named { id: rule.id, name: rule.name }).collect()
}

fn templates(call: &Call, text: &str) -> Vec<Named> {
    let Some(in_force) = call.context.rules.host().and_then(|host| host.current()) else { return Vec::new() };
    let found = in_force.ruleset.templates.keys().filter(|name| is_named(text, name, name));
    found.take(RESULTS_MAX as usize).map(|name| Named { id: name.clone(), name: name.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_understood_as_people_write_it() {
        let day = |y, m, d| NaiveDate::from_ymd_opt(y, m, d);
        let today = day(2026, 11, 23).expect("a day");
        for text in ["2026-11-24", "24/11", "24/11/2026", "24 Nov", "24 november", "Tomorrow"] {
            assert_eq!(parse_day(text, today), day(2026, 11, 24), "{text}");
        }
        for text in ["", "jane", "0491", "31/02", "24"] {
            assert_eq!(parse_day(text, today), None, "{text}");
        }
    }
}
