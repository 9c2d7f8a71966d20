//! Why warmness changed: what the contact did since it was last reckoned.

use super::TimelineEntry;
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::schema::{field_changes, touchpoints};
use diesel::prelude::*;

const WARMNESS: &str = "contact.warmness";
/// Touchpoints that one page of a timeline looks through.
const TOUCHPOINTS_MAX: i64 = 500;
/// Names in one explanation.
const REASONS_MAX: usize = 5;

/// `61 → 79` becomes `61 → 79: +18 after booking, sms_in`.
pub(super) fn explain_warmness(conn: &mut Conn, contact_id: &str, entries: &mut [TimelineEntry]) -> StoreResult<()> {
    let times: Vec<i64> = entries.iter().filter(|e| is_warmness(e)).map(|e| e.at).collect();
    let (Some(newest), Some(oldest)) = (times.first(), times.last()) else { return Ok(()) };
    let before = last_warmness_before(conn, contact_id, *oldest)?;
    let touched = touchpoints_between(conn, contact_id, before, *newest)?;
    for (position, entry) in entries.iter_mut().filter(|e| is_warmness(e)).enumerate() {
        let since = times.get(position + 1).copied().unwrap_or(before);
        let mut reasons: Vec<&str> =
            touched.iter().filter(|(at, _)| (since + 1..=entry.at).contains(at)).map(|(_, k)| k.as_str()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        reasons.truncate(REASONS_MAX);
        if let Some(text) = &mut entry.text {
            *text = explained(text, &reasons);
        }
    }
    Ok(())
}

/// True of a change of warmness.
#[must_use]
pub fn is_warmness(entry: &TimelineEntry) -> bool {
    entry.kind == "field_change" && entry.what.as_deref() == Some(WARMNESS)
}

/// Both numbers of `61 → 79`, or of `61 → 79: +18 after booking`.
#[must_use]
pub fn change_of(text: &str) -> Option<(i64, i64)> {
    let (from, to) = text.split(':').next()?.split_once(" → ")?;
    Some((from.parse().ok()?, to.parse().ok()?))
}

fn explained(values: &str, reasons: &[&str]) -> String {
    let Some((from, to)) = change_of(values) else { return values.to_owned() };
    let because = match reasons {
        // Nothing was added: what there was has faded.
        [] if to < from => " with time".to_owned(),
        [] => String::new(),
        some => format!(" after {}", some.join(", ")),
    };
    format!("{values}: {:+}{because}", to - from)
}

/// When it was last reckoned before: epoch ms; 0 when it never was.
pub fn last_warmness_before(conn: &mut Conn, contact_id: &str, at: i64) -> StoreResult<i64> {
    let found: Option<i64> = on!(conn, c => field_changes::table
        .filter(field_changes::contact_id.eq(contact_id))
        .filter(field_changes::field.eq(WARMNESS))
        .filter(field_changes::at.lt(at))
        .select(diesel::dsl::max(field_changes::at))
        .first(c))?;
    Ok(found.unwrap_or(0))
}

fn touchpoints_between(conn: &mut Conn, contact_id: &str, after: i64, until: i64) -> StoreResult<Vec<(i64, String)>> {
    Ok(on!(conn, c => touchpoints::table
        .filter(touchpoints::contact_id.eq(contact_id))
        .filter(touchpoints::timestamp.gt(after))
        .filter(touchpoints::timestamp.le(until))
        .order(touchpoints::timestamp.desc())
        .limit(TOUCHPOINTS_MAX)
        .select((touchpoints::timestamp, touchpoints::kind))
        .load(c))?)
}

#[cfg(test)]
mod tests {
    use super::explained;

    #[test]
    fn a_change_says_what_made_it() {
        assert_eq!(explained("61 → 79", &["booking", "sms_in"]), "61 → 79: +18 after booking, sms_in");
        assert_eq!(explained("61 → 40", &[]), "61 → 40: -21 with time");
        assert_eq!(explained("nothing → 5", &[]), "nothing → 5");
    }
}
