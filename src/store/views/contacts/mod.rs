//! People: those that match, in the order asked for, with how many there are.

mod order;

use super::{Page, PageRequest};
use crate::domain::contact::Contact;
use crate::domain::finding;
use crate::domain::time::Timestamp;
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::one_of::one_of;
use crate::store::schema::contacts;
use crate::store::search;
use crate::store::sql::{Number, Value, sql};
use diesel::prelude::*;
use std::collections::HashMap;

/// Contacts that match a text and are looked at; more of them are not told apart by it.
pub const MATCHES_MAX: i64 = 500;
/// Contacts that are counted.
pub const COUNTED_MAX: i64 = 10_000;

/// Which contacts; all conditions hold together.
#[derive(Clone, Debug, Default)]
pub struct ContactFilter {
    /// Beginnings of words of the name, of the email address, or any part of the phone number.
    pub text: Option<String>,
    pub pipeline: Option<String>,
    pub stage: Option<String>,
    pub opted_out: Option<bool>,
    pub assigned_to: Option<String>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ContactSort {
    /// The last changed first.
    #[default]
    Updated,
    /// The warmest first.
    Warmness,
    /// From A to Z.
    Name,
}

/// A page of contacts. `total` is a lower bound when `total_is_exact` is false.
#[derive(Debug)]
pub struct ContactPage {
    pub rows: Page<ContactView, 1>,
    pub total_is_exact: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = contacts)]
pub struct ContactView {
    pub id: String,
    pub name: String,
    pub first_name: String,
    pub last_name: String,
    pub phone: Option<String>,
    pub phone_status: String,
    pub email: Option<String>,
    pub is_existing_patient: bool,
    pub marketing_consent: String,
    pub recall_consent: String,
    pub sms_consent: String,
    pub current_pipeline: Option<String>,
    pub current_stage: Option<String>,
    pub stage_entered_at: Option<i64>,
    pub warmness: i32,
    pub opted_out_at: Option<i64>,
    pub source: String,
    pub interest: Option<String>,
    pub assigned_to: Option<String>,
    pub last_inbound_at: Option<i64>,
    pub last_outbound_at: Option<i64>,
    pub no_shows: i32,
    pub merged_into_id: Option<String>,
    pub version: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

/// Contacts that were merged into another are left out.
pub fn list(conn: &mut Conn, filter: &ContactFilter, sort: ContactSort, page: &PageRequest<1>) -> StoreResult<ContactPage> {
    let (keys, total, total_is_exact) = match &filter.text {
        Some(text) => {
            let mut ids = search::list_matching(conn, &finding::conditions(text), MATCHES_MAX + 1)?;
            let total_is_exact = ids.len() as i64 <= MATCHES_MAX;
            ids.truncate(MATCHES_MAX as usize);
            for owner in search::list_owners(conn, text)? {
                if !ids.contains(&owner) {
                    ids.push(owner);
                }
            }
            let found = order::of_ids(conn, &ids, filter, sort)?;
            (order::after(found, sort, page), None, total_is_exact)
        }
        None => (order::list(conn, filter, sort, page)?, Some(count(conn, filter)?), true),
    };
    let total_is_exact = total_is_exact && total.is_none_or(|total| total <= COUNTED_MAX);
    let total = total.map_or(keys.total, |total| if filter.is_empty() { total } else { total.min(COUNTED_MAX) });
    let is_exact = total_is_exact || filter.is_empty();
    let rows = page.page_of(keys.items, total, order::Key::place);
    let views = views_of(conn, &rows.items.iter().map(|key| key.id.clone()).collect::<Vec<_>>())?;
    Ok(ContactPage { rows: Page { items: views, total: rows.total, next: rows.next }, total_is_exact: is_exact })
}

impl ContactFilter {
    const fn is_empty(&self) -> bool {
        self.text.is_none() && !self.has_conditions()
    }

    const fn has_conditions(&self) -> bool {
        self.pipeline.is_some() || self.stage.is_some() || self.opted_out.is_some() || self.assigned_to.is_some()
    }

    /// The filter as SQL over `contacts AS c`, each condition with ` AND ` before it, and its values.
    fn conditions(&self) -> (String, Vec<Value<'_>>) {
        let mut text = String::new();
        let mut values: Vec<Value<'_>> = Vec::new();
        let columns = [("current_pipeline", &self.pipeline), ("current_stage", &self.stage), ("assigned_to", &self.assigned_to)];
        for (column, wanted) in columns {
            if let Some(wanted) = wanted {
                text += &format!(" AND c.{column} = ?");
                values.push(wanted.as_str().into());
            }
        }
        match self.opted_out {
            Some(true) => text += " AND c.opted_out_at IS NOT NULL",
            Some(false) => text += " AND c.opted_out_at IS NULL",
            None => {}
        }
        (text, values)
    }
}

/// How many there are: all of them, or with a filter at most one more than [`COUNTED_MAX`]. Merged contacts are in no stage,
/// nobody's, and have no line to be found by.
fn count(conn: &mut Conn, filter: &ContactFilter) -> StoreResult<i64> {
    let query = if filter.has_conditions() {
        let (conditions, values) = filter.conditions();
        // Merged contacts have not opted out either: only there they must be told apart.
        let merged = if filter.opted_out == Some(false) { " AND c.merged_into_id IS NULL" } else { "" };
        sql(format!("SELECT COUNT(*) AS n FROM (SELECT 1 FROM contacts AS c WHERE 1 = 1{conditions}{merged} LIMIT ?) AS counted"))
            .bind_all(values)
            .bind(COUNTED_MAX + 1)
    } else {
        sql("SELECT COUNT(*) AS n FROM contact_search")
    };
    Ok(query.first::<Number>(conn)?.map_or(0, |row| row.n))
}

/// In the order of the ids.
pub fn views_of(conn: &mut Conn, ids: &[String]) -> StoreResult<Vec<ContactView>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<ContactView> =
        on!(conn, c => contacts::table.filter(one_of(contacts::id, ids)).select(ContactView::as_select()).load(c))?;
    let mut by_id: HashMap<String, ContactView> = rows.into_iter().map(|view| (view.id.clone(), view)).collect();
    Ok(ids.iter().filter_map(|id| by_id.remove(id)).collect())
}

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<ContactView>> {
    Ok(on!(conn, c => contacts::table.find(id).select(ContactView::as_select()).first(c).optional())?)
}

/// Follows merges: whoever the contact with this id is now.
pub fn find_survivor(conn: &mut Conn, id: &str) -> StoreResult<Option<ContactView>> {
    let mut found = find(conn, id)?;
    for _ in 0..MERGES_FOLLOWED_MAX {
        let Some(into) = found.as_ref().and_then(|view| view.merged_into_id.clone()) else { return Ok(found) };
        found = find(conn, &into)?;
    }
    Ok(found)
}

/// A merge brings along who was merged before, so that one step leads to the end.
const MERGES_FOLLOWED_MAX: usize = 4;

/// Names of contacts, by id.
pub fn names_of(conn: &mut Conn, ids: &[String]) -> StoreResult<HashMap<String, String>> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, String)> =
        on!(conn, c => contacts::table.filter(one_of(contacts::id, ids)).select((contacts::id, contacts::name)).load(c))?;
    Ok(rows.into_iter().collect())
}

impl From<Contact> for ContactView {
    fn from(contact: Contact) -> Self {
        let ms = |at: Option<Timestamp>| at.map(|at| at.0);
        Self {
            id: contact.id,
            name: contact.name,
            first_name: contact.first_name,
            last_name: contact.last_name,
            phone: contact.phone,
            phone_status: contact.phone_status,
            email: contact.email,
            is_existing_patient: contact.is_existing_patient,
            marketing_consent: contact.marketing_consent,
            recall_consent: contact.recall_consent,
            sms_consent: contact.sms_consent,
            current_pipeline: contact.current_pipeline,
            current_stage: contact.current_stage,
            stage_entered_at: ms(contact.stage_entered_at),
            warmness: contact.warmness,
            opted_out_at: ms(contact.opted_out_at),
            source: contact.source,
            interest: contact.interest,
            assigned_to: contact.assigned_to,
            last_inbound_at: ms(contact.last_inbound_at),
            last_outbound_at: ms(contact.last_outbound_at),
            no_shows: contact.no_shows,
            merged_into_id: contact.merged_into_id,
            version: contact.version,
            created_at: contact.created_at.0,
            updated_at: contact.updated_at.0,
        }
    }
}
