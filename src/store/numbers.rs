//! What the people at a number have said: STOP holds for the number, whoever of them it belongs to.

use super::changes::Topic;
use super::dialect;
use super::sms::{lift_suppression, list_suppressed, list_unheard, suppress};
use super::sql::sql;
use super::{Conn, StoreResult, Tx};
use crate::domain::event::phone_lane;
use crate::domain::time::Timestamp;
use diesel::QueryableByName;
use diesel::sql_types::Text;
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
    lock(tx, phones)?;
    let unheard = list_unheard(tx, phones)?;
    let suppressed = list_suppressed(tx, phones)?;
    Ok(Heard { suppressed, unheard })
}

/// Nobody else lets texts to these numbers go, or records messages from them, until the transaction ends.
pub fn lock(tx: &mut Tx<'_>, phones: &[String]) -> StoreResult<()> {
    let lanes: BTreeSet<String> = phones.iter().map(|phone| phone_lane(phone)).collect();
    dialect::lock_lanes(tx, &lanes.iter().map(String::as_str).collect())
}

/// The contacts whose texts go to one of the numbers: their owners, and those whom the owners look after.
pub fn list_contacts(conn: &mut Conn, phones: &[String]) -> StoreResult<Vec<String>> {
    let mut found = Vec::new();
    for phone in phones {
        let rows: Vec<Id> = sql(CONTACTS).bind(phone.as_str()).bind(phone.as_str()).load(conn)?;
        found.extend(rows.into_iter().map(|row| row.id));
    }
    found.sort_unstable();
    found.dedup();
    Ok(found)
}

const CONTACTS: &str = "SELECT contact_id AS id FROM contact_identities WHERE kind = 'phone' AND value = ? UNION \
     SELECT id FROM contacts WHERE guardian_contact_id IN \
     (SELECT contact_id FROM contact_identities WHERE kind = 'phone' AND value = ?)";

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = Text)]
    id: String,
}

/// STOP: nobody at the number is texted from now on, and what waits for it is withdrawn. Contacts were locked before.
pub fn stop(tx: &mut Tx<'_>, phone: &str, reason: &str, event_id: &str, now: Timestamp) -> StoreResult<()> {
    suppress(tx, phone, reason, event_id, now)?;
    for id in list_contacts(tx, &[phone.to_owned()])? {
        tx.changed(Topic::Contacts, &id);
        sql(OPT_OUT).bind(now).bind(now).bind(id).execute(tx)?;
    }
    if sql(WITHDRAW).bind(now).bind(phone).execute(tx)? > 0 {
        tx.changed(Topic::Sms, "");
    }
    Ok(())
}

const OPT_OUT: &str =
    "UPDATE contacts SET opted_out_at = ?, version = version + 1, updated_at = ? WHERE id = ? AND opted_out_at IS NULL";
/// All but the text that tells that STOP is obeyed.
pub(super) const WITHDRAW: &str = "UPDATE sms_messages SET status = 'cancelled', status_reason = 'opted_out', updated_at = ? \
     WHERE to_number = ? AND direction = 'out' AND status IN ('scheduled', 'queued') \
     AND (dedupe_key IS NULL OR dedupe_key NOT LIKE 'opt_out_ack:%')";

/// START: everybody at the number is texted again.
pub fn start(tx: &mut Tx<'_>, phone: &str, now: Timestamp) -> StoreResult<()> {
    lift_suppression(tx, phone, now)?;
    for id in list_contacts(tx, &[phone.to_owned()])? {
        tx.changed(Topic::Contacts, &id);
        sql(OPT_IN).bind(now).bind(id).execute(tx)?;
    }
    Ok(())
}

const OPT_IN: &str =
    "UPDATE contacts SET opted_out_at = NULL, version = version + 1, updated_at = ? WHERE id = ? AND opted_out_at IS NOT NULL";
