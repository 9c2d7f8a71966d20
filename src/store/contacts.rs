//! Contacts and what identifies them.

use super::changes::Topic;
use super::db::on;
use super::one_of::one_of;
use super::row::{domain_rows, log_row, row};
use super::schema::{contact_identities, contacts};
use super::{Conn, StoreResult, Tx, search};
use crate::domain::contact::{Contact, Identity, IdentityKind};
use crate::domain::time::Timestamp;
use diesel::prelude::*;
use std::collections::HashMap;

row!(contacts, ContactRow, Contact, id, upsert {
    id => id: String, name => name: String, first_name => first_name: String, last_name => last_name: String,
    phone => phone: Option<String>, phone_raw => phone_raw: Option<String>, phone_status => phone_status: String,
    email => email: Option<String>, is_existing_patient => is_existing_patient: bool,
    guardian_contact_id => guardian_contact_id: Option<String>, marketing_consent => marketing_consent: String,
    sms_consent => sms_consent: String, recall_consent => recall_consent: String,
    opted_out_at => opted_out_at: Option<Timestamp>, source => source: String, first_source => first_source: Option<String>,
    interest => interest: Option<String>, current_pipeline => current_pipeline: Option<String>,
    current_stage => current_stage: Option<String>, stage_entered_at => stage_entered_at: Option<Timestamp>,
    warmness => warmness: i32, warmness_at => warmness_at: Option<Timestamp>, assigned_to => assigned_to: Option<String>,
    last_inbound_at => last_inbound_at: Option<Timestamp>, last_outbound_at => last_outbound_at: Option<Timestamp>,
    last_visit_at => last_visit_at: Option<Timestamp>, recall_due_on => recall_due_on: Option<Timestamp>,
    no_shows => no_shows: i32, tags => tags: Vec<String>, merged_into_id => merged_into_id: Option<String>, is_demo => is_demo: bool,
    version => version: i64, created_at => created_at: Timestamp, updated_at => updated_at: Timestamp,
});

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<Contact>> {
    let row: Option<ContactRow> = on!(conn, c => contacts::table.find(id).select(ContactRow::as_select()).first(c).optional())?;
    row.map(ContactRow::into_domain).transpose()
}

pub fn list_by_ids(conn: &mut Conn, ids: &[String]) -> StoreResult<Vec<Contact>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<ContactRow> =
        on!(conn, c => contacts::table.filter(one_of(contacts::id, ids)).select(ContactRow::as_select()).load(c))?;
    domain_rows!(rows)
}

/// The next page of contacts after `after` (by id), for work that walks over all of them.
pub fn list_ids_after(conn: &mut Conn, after: &str, limit: i64) -> StoreResult<Vec<String>> {
    Ok(on!(conn, c => contacts::table
        .filter(contacts::id.gt(after))
        .filter(contacts::merged_into_id.is_null())
        .order(contacts::id)
        .select(contacts::id)
        .limit(limit)
        .load(c))?)
}

/// Which contact owns each of the identities.
pub fn find_owners(conn: &mut Conn, identities: &[Identity]) -> StoreResult<HashMap<Identity, String>> {
    let mut owners = HashMap::new();
    for kind in [IdentityKind::WixContact, IdentityKind::Manychat, IdentityKind::Phone, IdentityKind::Email] {
        let values: Vec<&str> = identities.iter().filter(|i| i.kind == kind).map(|i| i.value.as_str()).collect();
        if values.is_empty() {
            continue;
        }
        let rows: Vec<(String, String)> = on!(conn, c => contact_identities::table
            .filter(contact_identities::kind.eq(kind.as_str()))
            .filter(one_of(contact_identities::value, &values))
            .select((contact_identities::value, contact_identities::contact_id))
            .load(c))?;
        owners.extend(rows.into_iter().map(|(value, contact)| (Identity { kind, value }, contact)));
    }
    Ok(owners)
}

/// Versions of contacts as they are now, locked until the transaction ends.
pub fn lock_versions(tx: &mut Tx<'_>, ids: &[String]) -> StoreResult<HashMap<String, i64>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let query = contacts::table.filter(one_of(contacts::id, ids)).select((contacts::id, contacts::version)).order(contacts::id);
    let rows: Vec<(String, i64)> = match &mut tx.db {
        super::db::Db::Lite(c) => query.load(c)?,
        super::db::Db::Pg(c) => query.for_update().load(c)?,
    };
    Ok(rows.into_iter().collect())
}

pub fn upsert_many(tx: &mut Tx<'_>, contacts: &[&Contact]) -> StoreResult<()> {
    ContactRow::upsert_all(tx, contacts)?;
    contacts.iter().for_each(|contact| tx.changed(Topic::Contacts, &contact.id));
    search::write_many(tx, contacts)
}

/// Claims identities for contacts. An identity that another contact owns is an error: [`super::StoreError::Duplicate`].
pub fn insert_identities(tx: &mut Tx<'_>, owned: &[(&Identity, &str)], now: Timestamp) -> StoreResult<()> {
    let row = |(identity, contact): &(&Identity, &str)| IdentityRow {
        kind: identity.kind.as_str().to_owned(),
        value: identity.value.clone(),
        contact_id: (*contact).to_owned(),
        created_at: now,
    };
    IdentityRow::insert_these(tx, &owned.iter().map(row).collect::<Vec<_>>())
}

/// Gives up identities that these contacts own.
pub fn delete_identities(tx: &mut Tx<'_>, owned: &[(&Identity, &str)]) -> StoreResult<()> {
    for (identity, contact) in owned {
        on!(tx, c => diesel::delete(contact_identities::table
            .filter(contact_identities::kind.eq(identity.kind.as_str()))
            .filter(contact_identities::value.eq(&identity.value))
            .filter(contact_identities::contact_id.eq(*contact)))
            .execute(c))?;
    }
    Ok(())
}

log_row!(contact_identities, IdentityRow { kind: String, value: String, contact_id: String, created_at: Timestamp });

/// The identities of each of the contacts.
pub fn list_identities(conn: &mut Conn, contact_ids: &[String]) -> StoreResult<HashMap<String, Vec<Identity>>> {
    let mut found: HashMap<String, Vec<Identity>> = HashMap::new();
    if contact_ids.is_empty() {
        return Ok(found);
    }
    let rows: Vec<(String, String, String)> = on!(conn, c => contact_identities::table
        .filter(one_of(contact_identities::contact_id, contact_ids))
        .select((contact_identities::contact_id, contact_identities::kind, contact_identities::value))
        .load(c))?;
    for (contact_id, kind, value) in rows {
        let kind = super::row::read::<IdentityKind>(kind, "contact_identities", "kind")?;
        found.entry(contact_id).or_default().push(Identity { kind, value });
    }
    Ok(found)
}

/// A few contacts, oldest ids first: enough to tell what kind of database this is.
pub fn list_first(conn: &mut Conn) -> StoreResult<Vec<Contact>> {
    let rows: Vec<ContactRow> =
        on!(conn, c => contacts::table.order(contacts::id).select(ContactRow::as_select()).limit(20).load(c))?;
    domain_rows!(rows)
}

/// The provider says that no phone has this number.
pub fn note_phone_invalid(tx: &mut Tx<'_>, id: &str, phone: &str) -> StoreResult<()> {
    on!(tx, c => diesel::update(contacts::table.find(id).filter(contacts::phone.eq(phone)))
        .set((contacts::phone_status.eq("invalid"), contacts::version.eq(contacts::version + 1)))
        .execute(c))?;
    tx.changed(Topic::Contacts, id);
    Ok(())
}

/// A text went out. Raises the version: whoever decided on the contact meanwhile decides anew.
pub fn note_outbound(tx: &mut Tx<'_>, id: &str, at: Timestamp) -> StoreResult<()> {
    on!(tx, c => diesel::update(contacts::table.find(id))
        .set((contacts::last_outbound_at.eq(Some(at.0)), contacts::version.eq(contacts::version + 1)))
        .execute(c))?;
    tx.changed(Topic::Contacts, id);
    Ok(())
}
