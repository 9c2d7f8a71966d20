//! From the first sign of a person to the visit, and how soon somebody spoke to them.

use super::FOLLOWED;
use super::definitions as d;
use super::figure::{Figure, fold};
use super::period::Period;
use crate::domain::calendar::Calendar;
use crate::domain::time::Timestamp;
use crate::store::reports::leads::{self, Lead};
use crate::store::{Conn, StoreResult};
use std::collections::BTreeMap;

/// Leads that are counted together.
#[derive(Default)]
struct Funnel {
    leads: i64,
    contacted: i64,
    booked: i64,
    visited: i64,
    /// Milliseconds, one for each lead that was contacted.
    wall: Vec<i64>,
    open: Vec<i64>,
    /// One for each lead that booked.
    to_booking: Vec<i64>,
}

pub(super) fn count(conn: &mut Conn, period: Period, calendar: &Calendar) -> StoreResult<Vec<Figure>> {
    let mut sources: BTreeMap<String, Funnel> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = leads::list(conn, period.span, FOLLOWED, &after)?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        for lead in page {
            sources.entry(lead.source.clone()).or_default().add(&lead, calendar);
        }
    }
    Ok(figures(fold(sources, |f| f.leads, Funnel::merge)))
}

/// Those of everything first, then by source.
fn figures(sources: BTreeMap<String, Funnel>) -> Vec<Figure> {
    let mut all = Funnel::default();
    let mut by_source = Vec::new();
    for (source, mut funnel) in sources {
        funnel.sort();
        by_source.extend(funnel.figures(Some(&source)));
        all.merge(funnel);
    }
    all.sort();
    let mut figures = all.figures(None);
    figures.extend(by_source);
    figures
}

impl Funnel {
    fn add(&mut self, lead: &Lead, calendar: &Calendar) {
        self.leads += 1;
        let contacted = [lead.called_at, lead.call_done_at, lead.texted_at].into_iter().flatten().min();
        if let Some(at) = contacted {
            self.contacted += 1;
            self.wall.push(at - lead.created_at);
            self.open.push(calendar.business_between(Timestamp(lead.created_at), Timestamp(at)).0);
        }
        if let Some(at) = lead.booked_at {
            self.booked += 1;
            self.visited += i64::from(lead.visits > 0);
            self.to_booking.push(at - lead.created_at);
        }
    }

    fn merge(&mut self, mut other: Self) {
        self.leads += other.leads;
        self.contacted += other.contacted;
        self.booked += other.booked;
        self.visited += other.visited;
        self.wall.append(&mut other.wall);
        self.open.append(&mut other.open);
        self.to_booking.append(&mut other.to_booking);
    }

    fn sort(&mut self) {
        for values in [&mut self.wall, &mut self.open, &mut self.to_booking] {
            values.sort_unstable();
        }
    }

    /// The values are sorted.
    fn figures(&self, source: Option<&str>) -> Vec<Figure> {
        let (leads, booked) = (self.leads, self.booked);
        vec![
            Figure::count(&d::LEADS, source, leads),
            Figure::rate(&d::CONTACTED, source, (self.contacted, leads)),
            Figure::rate(&d::BOOKED, source, (booked, leads)),
            Figure::rate(&d::VISITED, source, (self.visited, booked)),
            Figure::rate(&d::LEAD_TO_VISIT, source, (self.visited, leads)),
            Figure::percentile(&d::TO_BOOKING_P50, source, 50, &self.to_booking, leads),
            Figure::percentile(&d::SPEED_P50, source, 50, &self.wall, leads),
            Figure::percentile(&d::SPEED_P90, source, 90, &self.wall, leads),
            Figure::percentile(&d::SPEED_OPEN_P50, source, 50, &self.open, leads),
            Figure::percentile(&d::SPEED_OPEN_P90, source, 90, &self.open, leads),
        ]
    }
}
