//! Reports that are kept.

use crate::domain::time::Timestamp;
use crate::store::sql::sql;
use crate::store::views::{Cursor, Page, PageRequest};
use crate::store::{Conn, StoreResult, Tx};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Bool, Text};

/// Which report: equal keys mean the same period, counted in the same way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// `weekly` or `monthly`.
    pub kind: &'static str,
    pub period_start: Timestamp,
    /// IANA name.
    pub zone: String,
    /// Of everything beside the records that the figures depend on.
    pub params_hash: String,
}

/// Why a report was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Replaced when it is counted anew.
    Request,
    /// Stays as it was.
    Schedule,
}

impl Origin {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Schedule => "schedule",
        }
    }
}

/// A report as it was counted.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Kept {
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub json: String,
    #[diesel(sql_type = BigInt)]
    pub generated_at: i64,
    #[diesel(sql_type = Text)]
    pub mark: String,
    #[diesel(sql_type = Bool)]
    pub stale: bool,
}

/// A report in a list.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct KeptHead {
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = BigInt)]
    pub period_start: i64,
    #[diesel(sql_type = Text)]
    pub zone: String,
    #[diesel(sql_type = Text)]
    pub origin: String,
    #[diesel(sql_type = BigInt)]
    pub generated_at: i64,
    /// Records of the period have changed since.
    #[diesel(sql_type = Bool)]
    pub stale: bool,
}

const OF_KEY: &str = "kind = ? AND period_start = ? AND zone = ? AND params_hash = ?";

pub fn find(conn: &mut Conn, key: &Key, origin: Origin) -> StoreResult<Option<Kept>> {
    sql(format!("SELECT id, json, generated_at, mark, stale FROM reports WHERE {OF_KEY} AND origin = ?"))
        .bind(key.kind)
        .bind(key.period_start)
        .bind(key.zone.as_str())
        .bind(key.params_hash.as_str())
        .bind(origin.as_str())
        .first(conn)
}

pub fn find_by_id(conn: &mut Conn, id: &str) -> StoreResult<Option<Kept>> {
    sql("SELECT id, json, generated_at, mark, stale FROM reports WHERE id = ?").bind(id).first(conn)
}

/// Keeps a report. One that the schedule has made before stays as it is.
pub fn put(tx: &mut Tx<'_>, key: &Key, origin: Origin, kept: &Kept) -> StoreResult<()> {
    let known = match origin {
        Origin::Schedule => "DO NOTHING",
        Origin::Request => {
            "DO UPDATE SET json = excluded.json, generated_at = excluded.generated_at, mark = excluded.mark, stale = excluded.stale \
             WHERE reports.generated_at <= excluded.generated_at"
        }
    };
    sql(format!(
        "INSERT INTO reports (id, kind, period_start, zone, params_hash, origin, json, generated_at, mark, stale) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (kind, period_start, zone, params_hash, origin) {known}"
    ))
    .bind(kept.id.as_str())
    .bind(key.kind)
    .bind(key.period_start)
    .bind(key.zone.as_str())
    .bind(key.params_hash.as_str())
    .bind(origin.as_str())
    .bind(kept.json.as_str())
    .bind(kept.generated_at)
    .bind(kept.mark.as_str())
    .bind(kept.stale)
    .execute(tx)?;
    Ok(())
}

/// Says of the kept reports of a period whose mark is another that records have changed since.
pub fn mark_stale(tx: &mut Tx<'_>, key: &Key, mark: &str) -> StoreResult<()> {
    sql(format!("UPDATE reports SET stale = ? WHERE {OF_KEY} AND mark <> ?"))
        .bind(true)
        .bind(key.kind)
        .bind(key.period_start)
        .bind(key.zone.as_str())
        .bind(key.params_hash.as_str())
        .bind(mark)
        .execute(tx)?;
    Ok(())
}

/// The newest periods first.
pub fn list(conn: &mut Conn, kind: Option<&str>, page: &PageRequest<1>) -> StoreResult<Page<KeptHead, 1>> {
    let (any_kind, kind) = (kind.is_none(), kind.unwrap_or_default());
    let count = sql("SELECT COUNT(*) AS n FROM reports WHERE (? OR kind = ?)").bind(any_kind).bind(kind);
    let total = count.first::<crate::store::sql::Number>(conn)?.map_or(0, |row| row.n);
    let (at, id) = page.after.as_ref().map_or((i64::MAX, "~"), |Cursor { keys: [at], id }| (*at, id.as_str()));
    let rows = sql("SELECT id, kind, period_start, zone, origin, generated_at, stale FROM reports WHERE (? OR kind = ?) \
         AND (period_start < ? OR (period_start = ? AND id < ?)) ORDER BY period_start DESC, id DESC LIMIT ?")
    .bind(any_kind)
    .bind(kind)
    .bind(at)
    .bind(at)
    .bind(id)
    .bind(page.rows_wanted())
    .load(conn)?;
    Ok(page.page_of(rows, total, |r: &KeptHead| Cursor { keys: [r.period_start], id: r.id.clone() }))
}
