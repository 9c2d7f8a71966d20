//! What the lists have in common: the page around the rows, times on the clinic's wall, one record or 404.

use crate::domain::ids::is_id;
use crate::domain::time::Timestamp;
use crate::http::endpoint::Call;
use crate::http::problem::ApiError;
use crate::http::query::{Query, encode_cursor};
use crate::http::reply::{self, Response};
use crate::store::views::Page;
use crate::store::{Conn, StoreResult};
use chrono_tz::Tz;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
pub(super) struct Listing<T> {
    // In place: a list that only refers to its rows' type does not bring that type along.
    #[schema(inline)]
    pub items: Vec<T>,
    /// Rows on all pages.
    pub total: i64,
    /// `null` on the last page.
    pub next_cursor: Option<String>,
}

/// A list's parameter.
pub(super) type Parameter = (&'static str, &'static str);
pub(super) const CURSOR: Parameter = ("cursor", "where the page begins: the next_cursor of the page before");
pub(super) const LIMIT: Parameter = ("limit", "rows of a page, 1 to 200; 50 unless given");
/// The parameters that every list with pages takes.
pub(super) const PAGING: [Parameter; 2] = [CURSOR, LIMIT];

/// Writes times with the clinic's offset.
#[derive(Clone, Copy)]
pub(super) struct Wall(Tz);

impl Wall {
    pub(super) fn of(call: &Call) -> Self {
        Self(call.context.clinic.calendar.tz)
    }

    pub(super) fn time(self, epoch_ms: i64) -> String {
        Timestamp(epoch_ms).to_rfc3339_in(self.0)
    }

    pub(super) fn optional(self, epoch_ms: Option<i64>) -> Option<String> {
        epoch_ms.map(|ms| self.time(ms))
    }
}

/// Answers with a page of rows, each converted by `item`.
pub(super) fn page<R, T: Serialize, const N: usize>(rows: Page<R, N>, item: impl FnMut(R) -> T) -> Response {
    reply::json(&Listing {
        total: rows.total,
        next_cursor: rows.next.as_ref().map(encode_cursor),
        items: rows.items.into_iter().map(item).collect(),
    })
}

/// A whole list that has no pages.
pub(super) fn whole<T: Serialize>(items: Vec<T>) -> Response {
    let total = items.len() as i64;
    reply::json(&Listing { items, total, next_cursor: None })
}

/// The record with the id in the path; 404 when there is none. Takes no parameters.
pub(super) async fn one<R: Send + 'static>(
    call: &Call,
    find: impl FnOnce(&mut Conn, &str) -> StoreResult<Option<R>> + Send + 'static,
) -> Result<R, ApiError> {
    Query::parse(&call.query).finish()?;
    find_record(call, find).await
}

/// Like [`one`], for routes that take parameters.
pub(super) async fn find_record<R: Send + 'static>(
    call: &Call,
    find: impl FnOnce(&mut Conn, &str) -> StoreResult<Option<R>> + Send + 'static,
) -> Result<R, ApiError> {
    if !is_id(&call.parameter) {
        return Err(ApiError::not_found());
    }
    let id = call.parameter.clone();
    call.context.store.read(move |conn| find(conn, &id)).await?.ok_or_else(ApiError::not_found)
}
