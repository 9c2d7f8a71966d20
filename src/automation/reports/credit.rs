//! Which sources the period's bookings are credited to.

use super::FOLLOWED;
use super::attribution::{Model, Touch, WHOLE};
use super::definitions as d;
use super::figure::{Figure, fold};
use super::period::Period;
use crate::store::reports::conversions::{self, Touched};
use crate::store::{Conn, StoreResult};
use std::collections::BTreeMap;

/// Who is credited with a booking that nothing led to.
const NONE: &str = "(none)";

/// Millionths of bookings, in the order of the models.
type Credit = [i64; Model::ALL.len()];

pub(super) fn count(conn: &mut Conn, period: Period) -> StoreResult<Vec<Figure>> {
    let mut credited: BTreeMap<String, Credit> = BTreeMap::new();
    let (mut bookings, mut after) = (0, String::new());
    loop {
        let page = conversions::list(conn, period.span, FOLLOWED, &after)?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.booking_id);
        for touched in page.chunk_by(|a, b| a.booking_id == b.booking_id) {
            bookings += 1;
            add(&mut credited, touched);
        }
    }
    Ok(figures(credited, bookings))
}

fn add(credited: &mut BTreeMap<String, Credit>, touched: &[Touched]) {
    let touches: Vec<Touch> = touched.iter().filter_map(touch).collect();
    if touches.is_empty() {
        for credit in credited.entry(NONE.to_owned()).or_default() {
            *credit += WHOLE;
        }
    }
    for (place, model) in Model::ALL.into_iter().enumerate() {
        for (touch, share) in touches.iter().zip(model.credit(&touches)) {
            if let Some(credit) = credited.entry(touch.name.clone()).or_default().get_mut(place) {
                *credit += share;
            }
        }
    }
}

fn touch(row: &Touched) -> Option<Touch> {
    let (at, name) = (row.at?, row.name.clone()?);
    Some(Touch { age_ms: (row.booked_at - at).max(0), name, is_direct: row.source.is_none() })
}

fn figures(credited: BTreeMap<String, Credit>, bookings: i64) -> Vec<Figure> {
    let weight = |credit: &Credit| credit.iter().sum();
    let credited = fold(credited, weight, |to, from| to.iter_mut().zip(from).for_each(|(to, from)| *to += from));
    let mut figures = vec![Figure::count(&d::ATTRIBUTED, None, bookings)];
    for (place, model) in Model::ALL.into_iter().enumerate() {
        let shares = credited.iter().filter_map(|(source, credit)| Some((source, *credit.get(place)?)));
        figures.extend(shares.map(|(source, share)| Figure::rate(model.figure(), Some(source), (share, bookings * WHOLE))));
    }
    figures
}
