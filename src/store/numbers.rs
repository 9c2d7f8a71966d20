//! What the people at a number have said: STOP holds for the number, whoever of them it belongs to.

use super::dialect;
use super::sms::{list_suppressed, list_unheard};
use super::{StoreResult, Tx};
use std::collections::{BTreeSet, HashSet};

/// What is known of some numbers, in the transaction that lets texts to them leave.
#[derive(Debug, Default)]
pub struct Heard {
    /// Must not be texted.
    pub suppressed: HashSet<String>,
    /// Have sent a message that nobody has worked on yet: it may say STOP.
    pub unheard: HashSet<String>,
}

/// Asks what the numbers have said, and keeps it true until the transaction ends: a message from one of them is recorded either
/// before, and seen here, or after. The recording of a message takes the same lock (that of its lane).
///
/// The order matters where others commit between two statements (PostgreSQL): a STOP that is just being worked on leaves the
/// second set in the same commit that adds it to the first. Asked the other way round it would be in neither.
pub fn listen(tx: &mut Tx<'_>, phones: &[String]) -> StoreResult<Heard> {
    let lanes: BTreeSet<String> = phones.iter().map(|phone| lane(phone)).collect();
    dialect::lock_lanes(tx, &lanes.iter().map(String::as_str).collect())?;
    let unheard = list_unheard(tx, phones)?;
    let suppressed = list_suppressed(tx, phones)?;
    Ok(Heard { suppressed, unheard })
}

/// The lane of everything that a number sends.
pub(in crate::store) fn lane(phone: &str) -> String {
    format!("p:{phone}")
}
