//! Rules that are watched for their silence.

use super::sql::{Number, sql};
use super::{Conn, StoreResult, Tx};
use crate::domain::time::Timestamp;

/// What is noted of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// Its runs are counted since then.
    Watched,
    /// It has been silent since then, and somebody was told.
    Silent,
}

impl Alarm {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Watched => "watched",
            Self::Silent => "silent",
        }
    }
}

/// Since when this holds of the rule.
pub fn find(conn: &mut Conn, rule_id: &str, alarm: Alarm) -> StoreResult<Option<Timestamp>> {
    let text = "SELECT raised_at AS n FROM rule_alarms WHERE rule_id = ? AND kind = ?";
    Ok(sql(text).bind(rule_id).bind(alarm.as_str()).first::<Number>(conn)?.map(|row| Timestamp(row.n)))
}

/// True when it did not hold before.
pub fn raise(tx: &mut Tx<'_>, rule_id: &str, alarm: Alarm, now: Timestamp) -> StoreResult<bool> {
    let text = "INSERT INTO rule_alarms (rule_id, kind, raised_at) VALUES (?, ?, ?) ON CONFLICT (rule_id, kind) DO NOTHING";
    Ok(sql(text).bind(rule_id).bind(alarm.as_str()).bind(now).execute(tx)? == 1)
}

/// True when it held before.
pub fn clear(tx: &mut Tx<'_>, rule_id: &str, alarm: Alarm) -> StoreResult<bool> {
    let text = "DELETE FROM rule_alarms WHERE rule_id = ? AND kind = ?";
    Ok(sql(text).bind(rule_id).bind(alarm.as_str()).execute(tx)? == 1)
}
