//! A whole report: counted in one snapshot of the database.

use super::figure::Figure;
use super::period::{Kind, Period};
use super::{bookings, credit, definitions, leads, texts, work};
use crate::domain::clinic::Clinic;
use crate::domain::time::{Millis, Timestamp};
use crate::store::{Conn, StoreResult};
use serde::{Deserialize, Serialize};

/// What came of a lead or a recall is followed for so long; touches so long before a booking count.
pub const FOLLOWED: Millis = Millis::days(90);

/// What was counted, when, over which time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub kind: Kind,
    /// The first day, of the clinic's calendar: `2026-03-02`.
    pub start: String,
    /// IANA name.
    pub zone: String,
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    pub generated_at: Timestamp,
    pub figures: Vec<Figure>,
}

impl Report {
    /// The period was over when it was counted.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.generated_at >= self.to
    }

    /// Time alone changes nothing any more: whatever is followed has been followed to its end. Late records still can.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.generated_at >= self.to + FOLLOWED
    }

    #[must_use]
    pub fn find(&self, name: &str, group: Option<&str>) -> Option<&Figure> {
        self.figures.iter().find(|f| f.name == name && f.group.as_deref() == group)
    }
}

/// Counts everything. `conn` must show one moment only: see [`Conn::snapshot`].
pub(super) fn count(conn: &mut Conn, period: Period, clinic: &Clinic, now: Timestamp) -> StoreResult<Report> {
    let mut figures = bookings::count(conn, period)?;
    figures.extend(leads::count(conn, period, &clinic.calendar)?);
    figures.extend(texts::count(conn, period, &clinic.keywords)?);
    figures.extend(work::count(conn, period, now)?);
    figures.extend(credit::count(conn, period)?);
    let place = |f: &Figure| definitions::ALL.iter().position(|d| d.name == f.name);
    figures.sort_by_key(place);
    Ok(Report {
        kind: period.kind,
        start: period.start.to_string(),
        zone: period.tz.name().to_owned(),
        from: period.span.from,
        to: period.span.to,
        generated_at: now,
        figures,
    })
}
