//! `GET /api/contacts` with `Accept: text/csv`: the same people as a list to take away.

use super::contacts::Contact;
use crate::domain::csv;
use crate::http::endpoint::Call;
use crate::http::problem::ApiError;
use crate::http::reply::{self, Response};
use crate::http::route::Permission;
use serde_json::Value;
use warp::http::header::{ACCEPT, CONTENT_DISPOSITION};
use warp::http::{HeaderValue, StatusCode};

/// People in one list.
pub(super) const ROWS_MAX: i64 = 50_000;
/// People that are read at once.
pub(super) const PAGE_ROWS: i64 = 500;

const COLUMNS: [&str; 20] = [
    "id",
    "first_name",
    "last_name",
    "phone",
    "phone_status",
    "email",
    "is_existing_patient",
    "current_pipeline",
    "current_stage",
    "warmness",
    "marketing_consent",
    "recall_consent",
    "sms_consent",
    "opted_out_at",
    "source",
    "interest",
    "assigned_to",
    "no_shows",
    "created_at",
    "updated_at",
];

/// Whether the caller wants a list to take away; not everybody may.
pub(super) fn is_wanted(call: &Call) -> Result<bool, ApiError> {
    let accepts = call.headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_csv = |kind: &str| kind.split(';').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("text/csv"));
    if !accepts.split(',').any(is_csv) {
        return Ok(false);
    }
    let may = call.caller.as_ref().is_some_and(|caller| Permission::Reports.allows(caller.role));
    if may { Ok(true) } else { Err(ApiError::forbidden()) }
}

/// The list as a file. It begins with the mark by which spreadsheets know UTF-8.
pub(super) fn answer(people: &[Contact]) -> Result<Response, ApiError> {
    let mut text = String::from("\u{feff}");
    csv::write_row(&mut text, COLUMNS);
    for contact in people {
        let shown = serde_json::to_value(contact).map_err(|_| ApiError::internal())?;
        let cells: Vec<String> = COLUMNS.iter().map(|column| cell(&shown[*column])).collect();
        csv::write_row(&mut text, cells.iter().map(String::as_str));
    }
    let mut response = reply::with_type(StatusCode::OK, "text/csv; charset=utf-8", text.into_bytes());
    response.headers_mut().insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"contacts.csv\""));
    Ok(response)
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
