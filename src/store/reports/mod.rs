//! What reports are counted from, and the reports that are kept.
//!
//! Nothing here scans a table that only grows. Ids begin with the time of their making, so rows made in a period are a range of
//! the primary key; appointments and due times have indexes.

pub mod attendance;
pub mod conversions;
mod kept;
pub mod leads;
mod marks;
pub mod runs;
pub mod tasks;
pub mod texts;

pub use kept::{Kept, KeptHead, Key, Origin, find, find_by_id, list, mark_stale, put};
pub use marks::mark;

use super::sql::Sql;
use crate::domain::ids::id_prefix;
use crate::domain::time::{Millis, Timestamp};

/// From the first moment, up to the last and without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub from: Timestamp,
    pub to: Timestamp,
}

/// How far the time in an id may be from the time in the row: of the clocks of a provider and of several nodes.
const ID_SLACK: Millis = Millis::days(1);

/// Rows that are read at once where each is looked at.
pub const PAGE_ROWS: i64 = 500;

impl Span {
    #[must_use]
    pub fn has(self, at: Timestamp) -> bool {
        self.from <= at && at < self.to
    }

    /// Ids of everything that can have been made in it lie between these.
    fn ids(self) -> (String, String) {
        (id_prefix(self.from - ID_SLACK), id_prefix(self.to + ID_SLACK))
    }
}

impl Sql<'_> {
    fn bind_span(self, span: Span) -> Self {
        self.bind(span.from).bind(span.to)
    }

    fn bind_ids(self, span: Span) -> Self {
        let (from, to) = span.ids();
        self.bind(from).bind(to)
    }
}
