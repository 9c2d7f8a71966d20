//! The orders that contacts are listed in. Each reads the tree that is sorted so, not all contacts.

use super::{ContactFilter, ContactSort};
use crate::store::db::Conn;
use crate::store::error::StoreResult;
use crate::store::sql::{Value, sql};
use crate::store::views::{Cursor, PageRequest};
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Nullable, Text};

/// Stages that are looked through for the warmest of all; the settings declare far fewer.
const STAGES_MAX: usize = 200;

/// The place of one contact.
#[derive(QueryableByName, Debug)]
pub(super) struct Key {
    #[diesel(sql_type = Text)]
    pub id: String,
    /// What it is sorted by, but for names.
    #[diesel(sql_type = BigInt)]
    pub number: i64,
    #[diesel(sql_type = Text)]
    pub name: String,
}

/// Places in order, one more than the page holds when there are more; and how many there are, where that is known.
pub(super) struct Keys {
    pub items: Vec<Key>,
    pub total: i64,
}

impl Key {
    pub(super) fn place(&self) -> Cursor<1> {
        Cursor { keys: [self.number], id: self.id.clone() }
    }
}

const fn number_of(sort: ContactSort) -> &'static str {
    match sort {
        ContactSort::Updated => "c.updated_at",
        ContactSort::Warmness => "CAST(c.warmness AS BIGINT)",
        ContactSort::Name => "CAST(0 AS BIGINT)",
    }
}

/// Those of `ids` that the filter lets through, sorted.
pub(super) fn of_ids(conn: &mut Conn, ids: &[String], filter: &ContactFilter, sort: ContactSort) -> StoreResult<Vec<Key>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (conditions, values) = filter.conditions();
    let number = number_of(sort);
    let marks = vec!["?"; length_class(ids.len())].join(", ");
    let text = format!(
        "SELECT c.id, {number} AS number, s.sort_name AS name FROM contacts AS c JOIN contact_search AS s ON s.contact_id = c.id \
         WHERE c.id IN ({marks}){conditions}"
    );
    let last = ids.last().map_or("", String::as_str);
    let padded = (0..length_class(ids.len())).map(|at| Value::from(ids.get(at).map_or(last, String::as_str)));
    let mut keys: Vec<Key> = sql(text).bind_all(padded).bind_all(values).load(conn)?;
    keys.sort_unstable_by(|a, b| match sort {
        ContactSort::Name => (&a.name, &a.id).cmp(&(&b.name, &b.id)),
        _ => (b.number, &b.id).cmp(&(a.number, &a.id)),
    });
    Ok(keys)
}

/// Few lengths, so that few statements are prepared.
fn length_class(length: usize) -> usize {
    [4, 64, super::MATCHES_MAX as usize].into_iter().find(|class| *class >= length).unwrap_or(length)
}

/// The page of a list that is here as a whole.
pub(super) fn after(keys: Vec<Key>, sort: ContactSort, page: &PageRequest<1>) -> Keys {
    let total = keys.len() as i64;
    let is_after = |key: &Key, cursor: &Cursor<1>| match sort {
        // The names of those before are here.
        ContactSort::Name => false,
        _ => (key.number, key.id.as_str()) < (cursor.keys[0], cursor.id.as_str()),
    };
    let begin = match &page.after {
        None => 0,
        Some(cursor) => match keys.iter().position(|key| key.id == cursor.id && key.number == cursor.keys[0]) {
            Some(at) => at + 1,
            None => keys.iter().position(|key| is_after(key, cursor)).unwrap_or(keys.len()),
        },
    };
    let items = keys.into_iter().skip(begin).take(page.rows_wanted() as usize).collect();
    Keys { items, total }
}

pub(super) fn list(conn: &mut Conn, filter: &ContactFilter, sort: ContactSort, page: &PageRequest<1>) -> StoreResult<Keys> {
    let items = match sort {
        ContactSort::Updated => by_update(conn, filter, page)?,
        ContactSort::Name => by_name(conn, filter, page)?,
        ContactSort::Warmness => by_warmness(conn, filter, page)?,
    };
    Ok(Keys { total: 0, items })
}

fn by_update(conn: &mut Conn, filter: &ContactFilter, page: &PageRequest<1>) -> StoreResult<Vec<Key>> {
    let (conditions, values) = filter.conditions();
    let after = if page.after.is_some() { " AND (c.updated_at, c.id) < (?, ?)" } else { "" };
    let text = format!(
        "SELECT c.id, c.updated_at AS number, '' AS name FROM contacts AS c WHERE c.merged_into_id IS NULL{conditions}{after} \
         ORDER BY c.updated_at DESC, c.id DESC LIMIT ?"
    );
    let mut query = sql(text).bind_all(values);
    if let Some(Cursor { keys: [updated], id }) = &page.after {
        query = query.bind(*updated).bind(id.as_str());
    }
    query.bind(page.rows_wanted()).load(conn)
}

fn by_name(conn: &mut Conn, filter: &ContactFilter, page: &PageRequest<1>) -> StoreResult<Vec<Key>> {
    let (conditions, values) = filter.conditions();
    // The cursor names the last contact of the page before; a contact that is gone since begins the list anew.
    let last = match &page.after {
        Some(cursor) => name_of(conn, &cursor.id)?.map(|name| (name, cursor.id.clone())),
        None => None,
    };
    let after = if last.is_some() { " AND (s.sort_name, s.contact_id) > (?, ?)" } else { "" };
    let text = format!(
        "SELECT s.contact_id AS id, CAST(0 AS BIGINT) AS number, s.sort_name AS name FROM contact_search AS s \
         JOIN contacts AS c ON c.id = s.contact_id WHERE 1 = 1{conditions}{after} ORDER BY s.sort_name, s.contact_id LIMIT ?"
    );
    let mut query = sql(text).bind_all(values);
    if let Some((name, id)) = last {
        query = query.bind(name).bind(id);
    }
    query.bind(page.rows_wanted()).load(conn)
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

fn name_of(conn: &mut Conn, id: &str) -> StoreResult<Option<String>> {
    let row: Option<Name> = sql("SELECT sort_name AS name FROM contact_search WHERE contact_id = ?").bind(id).first(conn)?;
    Ok(row.map(|row| row.name))
}

#[derive(QueryableByName, Debug)]
struct Stage {
    #[diesel(sql_type = Nullable<Text>)]
    pipeline: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    stage: Option<String>,
}

/// Each stage is sorted by warmness already: the beginnings of all of them hold the beginning of the list.
fn by_warmness(conn: &mut Conn, filter: &ContactFilter, page: &PageRequest<1>) -> StoreResult<Vec<Key>> {
    let stages = match (&filter.pipeline, &filter.stage) {
        (Some(_), Some(_)) => vec![Stage { pipeline: filter.pipeline.clone(), stage: filter.stage.clone() }],
        _ => stages(conn)?,
    };
    let is_wanted = |wanted: &Option<String>, found: &Option<String>| wanted.is_none() || wanted == found;
    let mut keys = Vec::new();
    for stage in stages {
        if is_wanted(&filter.pipeline, &stage.pipeline) && is_wanted(&filter.stage, &stage.stage) {
            keys.extend(warmest_of(conn, &stage, filter, page)?);
        }
    }
    keys.sort_unstable_by(|a, b| (b.number, &b.id).cmp(&(a.number, &a.id)));
    keys.truncate(page.rows_wanted() as usize);
    Ok(keys)
}

/// The stages that people are in, one look at the tree for each.
fn stages(conn: &mut Conn) -> StoreResult<Vec<Stage>> {
    const FIRST: &str = "SELECT current_pipeline AS pipeline, current_stage AS stage FROM contacts WHERE current_pipeline IS NOT NULL \
                         ORDER BY current_pipeline, current_stage LIMIT 1";
    const NEXT: &str = "SELECT current_pipeline AS pipeline, current_stage AS stage FROM contacts \
                        WHERE (current_pipeline, current_stage) > (?, ?) ORDER BY current_pipeline, current_stage LIMIT 1";
    let mut found = vec![Stage { pipeline: None, stage: None }];
    let mut next: Option<Stage> = sql(FIRST).first(conn)?;
    while let Some(stage) = next.take().filter(|_| found.len() < STAGES_MAX) {
        let (pipeline, name) = (stage.pipeline.clone(), stage.stage.clone());
        next = sql(NEXT).bind(pipeline.unwrap_or_default()).bind(name.unwrap_or_default()).first(conn)?;
        found.push(stage);
    }
    Ok(found)
}

fn warmest_of(conn: &mut Conn, stage: &Stage, filter: &ContactFilter, page: &PageRequest<1>) -> StoreResult<Vec<Key>> {
    let rest = ContactFilter { pipeline: stage.pipeline.clone(), stage: stage.stage.clone(), ..filter.clone() };
    let (conditions, values) = rest.conditions();
    // Merged contacts are in no stage.
    let nowhere = if stage.pipeline.is_none() {
        " AND c.current_pipeline IS NULL AND c.current_stage IS NULL AND c.merged_into_id IS NULL"
    } else {
        ""
    };
    let after = if page.after.is_some() { " AND (c.warmness, c.id) < (?, ?)" } else { "" };
    let text = format!(
        "SELECT c.id, CAST(c.warmness AS BIGINT) AS number, '' AS name FROM contacts AS c WHERE 1 = 1{conditions}{nowhere}{after} \
         ORDER BY c.warmness DESC, c.id DESC LIMIT ?"
    );
    let mut query = sql(text).bind_all(values);
    if let Some(Cursor { keys: [warmness], id }) = &page.after {
        query = query.bind(i32::try_from(*warmness).unwrap_or(i32::MAX)).bind(id.as_str());
    }
    query.bind(page.rows_wanted()).load(conn)
}
