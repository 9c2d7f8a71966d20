//! Figures about bookings and appointments.

use super::definitions as d;
use super::figure::Figure;
use super::period::Period;
use crate::store::reports::attendance::{self, Attendance, Made};
use crate::store::{Conn, StoreResult};
use std::collections::BTreeMap;

pub(super) fn count(conn: &mut Conn, period: Period) -> StoreResult<Vec<Figure>> {
    let mut figures = made(conn, period)?;
    let waited = attendance::count_waited(conn, period.span)?;
    figures.push(Figure::rate(&d::WAITLIST_FILLED, None, (waited.filled, waited.joined)));
    figures.extend(attended(&attendance::count_appointments(conn, period.span)?));
    Ok(figures)
}

fn made(conn: &mut Conn, period: Period) -> StoreResult<Vec<Figure>> {
    let now = attendance::count_made(conn, period.span)?;
    let mut figures = vec![Figure::count(&d::BOOKINGS_MADE, None, total(&now))];
    figures.extend(now.iter().map(|row| Figure::count(&d::BOOKINGS_MADE, Some(&row.status), row.n)));
    for (figure, other) in [(&d::BOOKINGS_BEFORE, period.before()), (&d::BOOKINGS_LAST_YEAR, period.last_year())] {
        let Some(other) = other else { continue };
        figures.push(Figure::count(figure, None, total(&attendance::count_made(conn, other.span)?)));
    }
    Ok(figures)
}

fn total(rows: &[Made]) -> i64 {
    rows.iter().map(|row| row.n).sum()
}

fn attended(rows: &[Attendance]) -> Vec<Figure> {
    let sum = |which: &dyn Fn(&Attendance) -> bool| rows.iter().filter(|row| which(row)).map(|row| row.n).sum::<i64>();
    let mut figures = vec![Figure::count(&d::APPOINTMENTS, None, sum(&|_| true))];
    let mut by_status: BTreeMap<&str, i64> = BTreeMap::new();
    for row in rows {
        *by_status.entry(&row.status).or_default() += row.n;
    }
    figures.extend(by_status.into_iter().map(|(status, n)| Figure::count(&d::APPOINTMENTS, Some(status), n)));
    let (came, missed) = (sum(&|r| r.status == "completed"), sum(&|r| r.status == "no_show"));
    let late = sum(&|r| r.status == "cancelled" && r.late == 1);
    let replied = (sum(&|r| r.texted == 1 && r.by_reply == 1), sum(&|r| r.texted == 1));
    figures.push(Figure::rate(&d::CONFIRMED_BY_REPLY, None, replied));
    figures.push(Figure::rate(&d::SHOW, None, (came, came + missed)));
    figures.push(Figure::rate(&d::NO_SHOW, None, (missed, came + missed)));
    figures.push(Figure::rate(&d::LATE_CANCEL, None, (late, came + missed + sum(&|r| r.status == "cancelled"))));
    for (group, reminded, confirmed) in
        [("reminded_confirmed", 1, Some(1)), ("reminded_unconfirmed", 1, Some(0)), ("not_reminded", 0, None)]
    {
        let is_in = |r: &Attendance| r.reminded == reminded && confirmed.is_none_or(|c| r.confirmed == c);
        let came = sum(&|r| is_in(r) && r.status == "completed");
        let missed = sum(&|r| is_in(r) && r.status == "no_show");
        figures.push(Figure::rate(&d::SHOW_BY_REMINDER, Some(group), (came, came + missed)));
    }
    figures
}
