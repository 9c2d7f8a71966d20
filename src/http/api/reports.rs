//! `/api/reports`: weekly and monthly figures, as JSON or CSV, and the reports that are kept.

use super::listing::{self, CURSOR, LIMIT, Listing};
use crate::automation::reports::{self, Answer, Figure, Kind, Period, Report, Shown, definitions};
use crate::automation::staff::USERS_MAX;
use crate::domain::time::Timestamp;
use crate::http::doc::{Doc, Kind as Values};
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::{ApiError, FieldError};
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::StoreError;
use crate::store::reports::KeptHead;
use crate::store::staff::list_users;
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;
use warp::http::header::{ACCEPT, VARY};
use warp::http::{HeaderValue, StatusCode};

const WEEKLY: Route = Route::get("/api/reports/weekly", Permission::Reports);
const MONTHLY: Route = Route::get("/api/reports/monthly", Permission::Reports);
const LIST: Route = Route::get("/api/reports", Permission::Reports);
const ONE: Route = Route::get("/api/reports/{id}", Permission::Reports);

const CSV: &str = "text/csv; charset=utf-8";

/// `/api/reports/{id}` is the last: `weekly` is no id.
pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let counted = |summary| {
        Doc::new("Reports", summary)
            .query(&[("start", "The first day: a Monday, or the first of a month; without it the last period that is over")])
            .kind("start", Values::Day)
            .answers::<ReportBody>()
            .answers_text(StatusCode::OK, CSV)
    };
    vec![
        reading(WEEKLY, shared, |call| of_period(call, Kind::Weekly))
            .doc(counted("Counts the figures of a week of the clinic's calendar, or answers with those that are kept.")),
        reading(MONTHLY, shared, |call| of_period(call, Kind::Monthly))
            .doc(counted("Counts the figures of a month of the clinic's calendar, or answers with those that are kept.")),
        reading(LIST, shared, list).doc(
            Doc::new("Reports", "Lists the reports that are kept, the newest period first.")
                .query(&[("kind", "weekly or monthly"), CURSOR, LIMIT])
                .one_of("kind", &["weekly", "monthly"])
                .answers::<Listing<KeptReport>>(),
        ),
        reading(ONE, shared, one).doc(
            Doc::new("Reports", "Shows a report as it was counted then.")
                .answers::<ReportBody>()
                .answers_text(StatusCode::OK, CSV),
        ),
    ]
}

/// A report.
#[derive(Serialize, ToSchema)]
struct ReportBody {
    /// `weekly` or `monthly`
    kind: &'static str,
    /// The first day, of the clinic's calendar
    start: String,
    /// The first moment of the period
    period_start: String,
    /// The first moment after it
    period_end: String,
    /// IANA name
    timezone: String,
    generated_at: String,
    /// `fresh`: counted for this request. `kept`: counted within the last hour, and no record of the period has changed since
    cache: &'static str,
    /// The period was over when it was counted
    is_over: bool,
    /// What is followed up (90 days) was over too: only late records change it any more
    is_final: bool,
    figures: Vec<FigureBody>,
}

/// One figure: see `docs/REPORTS.md` for what each is.
#[derive(Serialize, ToSchema)]
struct FigureBody {
    name: String,
    /// What the groups are: `source`, `status` …; null for the figure of everything
    by: Option<&'static str>,
    group: Option<String>,
    /// Of a member of staff: what they are called now
    group_name: Option<String>,
    /// `count`, `rate`, `ms` or `micros`
    unit: &'static str,
    /// Null where there is nothing to count it from
    #[schema(value_type = Option<f64>)]
    value: Option<serde_json::Number>,
    numerator: Option<i64>,
    denominator: Option<i64>,
}

/// A report that is kept.
#[derive(Serialize, ToSchema)]
struct KeptReport {
    id: String,
    kind: String,
    period_start: String,
    timezone: String,
    /// `schedule`: stays as it was. `request`: is replaced when it is counted anew
    origin: String,
    generated_at: String,
    /// Records of the period have changed since, as far as anybody has looked
    stale: bool,
}

async fn of_period(call: Call, kind: Kind) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let start = query.parsed("start", "a day such as 2026-03-02", |text| text.parse::<NaiveDate>().ok());
    query.finish()?;
    let context = &call.context;
    let (tz, now) = (context.clinic.calendar.tz, context.clock.now());
    let period = match start {
        Some(start) => Period::starting(kind, start, tz, now).map_err(|wrong| wrong_start(&wrong.to_string()))?,
        None => Period::last_over(kind, tz, now).ok_or_else(ApiError::not_found)?,
    };
    let Answer { report, was_kept } = reports::get(&context.store, &context.clinic, period, now).await?;
    answer(&call, &report, if was_kept { "kept" } else { "fresh" }).await
}

fn wrong_start(detail: &str) -> ApiError {
    ApiError::bad_parameters(vec![FieldError { pointer: "/query/start".to_owned(), detail: detail.to_owned() }])
}

async fn one(call: Call) -> Result<Response, ApiError> {
    let report = listing::one(&call, reports::find).await?;
    answer(&call, &report, "kept").await
}

async fn list(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let kind = query.one_of("kind", &["weekly", "monthly"]);
    let page = query.page();
    query.finish()?;
    let found = call.context.store.read(move |conn| crate::store::reports::list(conn, kind.as_deref(), &page)).await?;
    let tz = call.context.clinic.calendar.tz;
    Ok(listing::page(found, |row| kept(row, tz)))
}

fn kept(row: KeptHead, tz: chrono_tz::Tz) -> KeptReport {
    // A report made in another zone keeps it.
    let zone = row.zone.parse().unwrap_or(tz);
    KeptReport {
        id: row.id,
        kind: row.kind,
        period_start: Timestamp(row.period_start).to_rfc3339_in(zone),
        timezone: row.zone,
        origin: row.origin,
        generated_at: Timestamp(row.generated_at).to_rfc3339_in(zone),
        stale: row.stale,
    }
}

/// Members of staff, by their id.
type Names = HashMap<String, String>;

async fn names(call: &Call) -> Result<Names, ApiError> {
    let users = call.context.store.read::<_, StoreError>(|conn| list_users(conn, USERS_MAX)).await?;
    Ok(users.into_iter().map(|user| (user.id, user.name)).collect())
}

/// As CSV for whoever asks for that and not for JSON.
async fn answer(call: &Call, report: &Report, cache: &'static str) -> Result<Response, ApiError> {
    let accept = call.headers.get(ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("");
    let mut response = if accept.contains("text/csv") && !accept.contains("application/json") {
        reply::with_type(StatusCode::OK, CSV, reports::csv(report).into_bytes())
    } else {
        reply::json(&body(report, cache, &names(call).await?))
    };
    response.headers_mut().insert(VARY, HeaderValue::from_static("accept"));
    Ok(response)
}

fn body(report: &Report, cache: &'static str, names: &Names) -> ReportBody {
    let zone = report.zone.parse().unwrap_or(chrono_tz::UTC);
    ReportBody {
        kind: report.kind.as_str(),
        start: report.start.clone(),
        period_start: report.from.to_rfc3339_in(zone),
        period_end: report.to.to_rfc3339_in(zone),
        timezone: report.zone.clone(),
        generated_at: report.generated_at.to_rfc3339_in(zone),
        cache,
        is_over: report.is_over(),
        is_final: report.is_final(),
        figures: report.figures.iter().map(|each| figure(each, names)).collect(),
    }
}

fn figure(figure: &Figure, names: &Names) -> FigureBody {
    let definition = definitions::find(&figure.name);
    let value = figure.value().and_then(|shown| match shown {
        Shown::Whole(n) => Some(n.into()),
        Shown::Rate(rate) => serde_json::Number::from_f64(rate),
    });
    FigureBody {
        name: figure.name.clone(),
        by: figure.group.as_ref().and(definition.and_then(|d| d.by)),
        group: figure.group.clone(),
        group_name: figure.group.as_ref().and_then(|who| names.get(who.trim_start_matches("staff:")).cloned()),
        unit: definition.map_or("count", |d| d.unit.as_str()),
        value,
        numerator: figure.numerator,
        denominator: figure.denominator,
    }
}
