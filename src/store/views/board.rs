//! A pipeline as columns of cards: true totals, how long people stay, who needs somebody first.

use super::contacts::{ContactView, views_of};
use super::{Cursor, Page, PageRequest};
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::one_of::one_of;
use crate::store::schema::{tasks, timers};
use crate::store::sql::sql;
use diesel::QueryableByName;
use diesel::dsl::sql as literal;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text};
use std::collections::{HashMap, HashSet};

/// From this on a person counts as hot, as in the shipped rules.
pub const HOT_MIN: i32 = 70;
/// Overdue tasks whose people come first on the board; the longest overdue of more.
pub const LATE_TASKS_MAX: i64 = 1_000;
/// Moves that a median is taken of; the newest of more.
pub const MOVES_MAX: i64 = 5_000;

/// Which part of a pipeline's board. Times are epoch ms.
#[derive(Clone, Debug)]
pub struct BoardRequest {
    pub pipeline: String,
    /// In order.
    pub stages: Vec<String>,
    /// Of each column. The keys: late (1 or 0), then warmness.
    pub page: PageRequest<2>,
    pub now: i64,
    /// Moves since then count for the median.
    pub moved_since: i64,
}

#[derive(Debug)]
pub struct Column {
    pub stage: String,
    /// People with [`HOT_MIN`] and more.
    pub hot: i64,
    /// How long people who left the stage had been in it; `None` when nobody left it.
    pub median_ms: Option<i64>,
    /// Who left it in that time.
    pub left: i64,
    pub cards: Page<Card, 2>,
}

#[derive(Debug)]
pub struct Card {
    pub contact: ContactView,
    pub is_late: bool,
    pub next: Option<NextThing>,
}

/// What comes next for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextThing {
    /// `task` or `timer`.
    pub kind: &'static str,
    /// The task's title, the rule's id.
    pub what: String,
    /// Epoch ms.
    pub at: i64,
}

/// A person's place in a column.
#[derive(QueryableByName, Clone, Debug)]
struct Place {
    #[diesel(sql_type = Text)]
    id: String,
    #[diesel(sql_type = Text)]
    stage: String,
    #[diesel(sql_type = BigInt)]
    warmness: i64,
}

impl Place {
    fn cursor(&self, late: bool) -> Cursor<2> {
        Cursor { keys: [i64::from(late), self.warmness], id: self.id.clone() }
    }

    fn is_after(&self, late: bool, cursor: Option<&Cursor<2>>) -> bool {
        cursor.is_none_or(|c| (i64::from(late), self.warmness, self.id.as_str()) < (c.keys[0], c.keys[1], c.id.as_str()))
    }
}

pub fn columns(conn: &mut Conn, request: &BoardRequest) -> StoreResult<Vec<Column>> {
    let totals = totals(conn, &request.pipeline)?;
    let late = late(conn, request)?;
    let mut stays = stays(conn, request)?;
    let mut places = Vec::new();
    for stage in &request.stages {
        places.push((stage.clone(), places_in(conn, request, stage, &late)?));
    }
    let ids: Vec<String> = places.iter().flat_map(|(_, found)| found.iter().map(|(_, place)| place.id.clone())).collect();
    let mut people: HashMap<String, ContactView> =
        views_of(conn, &ids)?.into_iter().map(|view| (view.id.clone(), view)).collect();
    let mut next = next_things(conn, &ids)?;
    let mut columns = Vec::new();
    for (stage, found) in places {
        let (total, hot) = totals.get(&stage).copied().unwrap_or_default();
        let (left, median_ms) = stays.remove(&stage).map_or((0, None), |mut all| (all.len() as i64, median(&mut all)));
        let rows = request.page.page_of(found, total, |(late, place)| place.cursor(*late));
        let card = |(is_late, place): (bool, Place)| {
            Some(Card { contact: people.remove(&place.id)?, is_late, next: next.remove(&place.id) })
        };
        let cards = Page { items: rows.items.into_iter().filter_map(card).collect(), total: rows.total, next: rows.next };
        columns.push(Column { stage, hot, median_ms, left, cards });
    }
    Ok(columns)
}

#[derive(QueryableByName)]
struct Total {
    #[diesel(sql_type = Nullable<Text>)]
    stage: Option<String>,
    #[diesel(sql_type = BigInt)]
    n: i64,
    #[diesel(sql_type = BigInt)]
    hot: i64,
}

/// People in each stage, and the hot ones among them.
fn totals(conn: &mut Conn, pipeline: &str) -> StoreResult<HashMap<String, (i64, i64)>> {
    let text = "SELECT current_stage AS stage, COUNT(*) AS n, SUM(CASE WHEN warmness >= ? THEN 1 ELSE 0 END) AS hot FROM contacts \
                WHERE current_pipeline = ? GROUP BY current_stage";
    let rows: Vec<Total> = sql(text).bind(HOT_MIN).bind(pipeline).load(conn)?;
    Ok(rows.into_iter().filter_map(|row| Some((row.stage?, (row.n, row.hot)))).collect())
}

/// Whoever has an overdue task, by stage, the warmest first.
fn late(conn: &mut Conn, request: &BoardRequest) -> StoreResult<HashMap<String, Vec<Place>>> {
    let text = "SELECT DISTINCT c.id, c.current_stage AS stage, CAST(c.warmness AS BIGINT) AS warmness FROM \
                (SELECT contact_id FROM tasks WHERE status IN ('todo', 'in_progress') AND due_datetime < ? AND contact_id IS NOT NULL \
                ORDER BY due_datetime LIMIT ?) AS t JOIN contacts AS c ON c.id = t.contact_id \
                WHERE c.current_pipeline = ? AND c.current_stage IS NOT NULL";
    let mut rows: Vec<Place> = sql(text).bind(request.now).bind(LATE_TASKS_MAX).bind(request.pipeline.as_str()).load(conn)?;
    rows.sort_unstable_by(|a, b| (b.warmness, &b.id).cmp(&(a.warmness, &a.id)));
    let mut by_stage: HashMap<String, Vec<Place>> = HashMap::new();
    for place in rows {
        by_stage.entry(place.stage.clone()).or_default().push(place);
    }
    Ok(by_stage)
}

/// One page of a column, and one more when there are more.
fn places_in(
    conn: &mut Conn,
    request: &BoardRequest,
    stage: &str,
    late: &HashMap<String, Vec<Place>>,
) -> StoreResult<Vec<(bool, Place)>> {
    let wanted = request.page.rows_wanted() as usize;
    let after = request.page.after.as_ref();
    let late = late.get(stage).map_or(&[][..], Vec::as_slice);
    let mut found: Vec<(bool, Place)> =
        late.iter().filter(|place| place.is_after(true, after)).take(wanted).map(|place| (true, place.clone())).collect();
    let is_late: HashSet<&str> = late.iter().map(|place| place.id.as_str()).collect();
    // The others go on where the page before ended, if it had come to them.
    let mut begin = after.filter(|cursor| cursor.keys[0] == 0).map(|cursor| (cursor.keys[1], cursor.id.clone()));
    while found.len() < wanted {
        let rows = warmest(conn, &request.pipeline, stage, begin.as_ref(), request.page.rows_wanted())?;
        let is_last = rows.len() < wanted;
        begin = rows.last().map(|place| (place.warmness, place.id.clone()));
        found.extend(rows.into_iter().filter(|place| !is_late.contains(place.id.as_str())).map(|place| (false, place)));
        if is_last {
            break;
        }
    }
    found.truncate(wanted);
    Ok(found)
}

fn warmest(conn: &mut Conn, pipeline: &str, stage: &str, after: Option<&(i64, String)>, limit: i64) -> StoreResult<Vec<Place>> {
    let beyond = if after.is_some() { " AND (warmness, id) < (?, ?)" } else { "" };
    let text = format!(
        "SELECT id, current_stage AS stage, CAST(warmness AS BIGINT) AS warmness FROM contacts WHERE current_pipeline = ? \
         AND current_stage = ?{beyond} ORDER BY contacts.warmness DESC, id DESC LIMIT ?"
    );
    let mut query = sql(text).bind(pipeline).bind(stage);
    if let Some((warmness, id)) = after {
        query = query.bind(i32::try_from(*warmness).unwrap_or(i32::MAX)).bind(id.as_str());
    }
    query.bind(limit).load(conn)
}

#[derive(QueryableByName)]
struct Stay {
    #[diesel(sql_type = Text)]
    stage: String,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// How long each person was in the stage that they left, by stage.
fn stays(conn: &mut Conn, request: &BoardRequest) -> StoreResult<HashMap<String, Vec<i64>>> {
    let text = "SELECT from_stage AS stage, duration_ms AS n FROM pipeline_transitions WHERE at >= ? AND from_pipeline = ? \
                AND from_stage IS NOT NULL AND duration_ms IS NOT NULL ORDER BY at DESC LIMIT ?";
    let rows: Vec<Stay> = sql(text).bind(request.moved_since).bind(request.pipeline.as_str()).bind(MOVES_MAX).load(conn)?;
    let mut by_stage: HashMap<String, Vec<i64>> = HashMap::new();
    for stay in rows {
        by_stage.entry(stay.stage).or_default().push(stay.n);
    }
    Ok(by_stage)
}

/// The middle one; of an even number the mean of the two in the middle.
fn median(all: &mut [i64]) -> Option<i64> {
    all.sort_unstable();
    let middle = all.len() / 2;
    let upper = *all.get(middle)?;
    if all.len() % 2 == 1 {
        return Some(upper);
    }
    all.get(middle - 1).map(|lower| lower + (upper - lower) / 2)
}

/// The open task that is due first, or else the timer that is.
fn next_things(conn: &mut Conn, ids: &[String]) -> StoreResult<HashMap<String, NextThing>> {
    let mut next: HashMap<String, NextThing> = HashMap::new();
    if ids.is_empty() {
        return Ok(next);
    }
    let open: Vec<(Option<String>, i64, String)> = on!(conn, c => tasks::table
        .filter(one_of(tasks::contact_id, ids))
        .filter(literal::<Bool>("status IN ('todo', 'in_progress')"))
        .order((tasks::due_datetime.desc(), tasks::id.desc()))
        .select((tasks::contact_id, tasks::due_datetime, tasks::title))
        .load(c))?;
    let pending: Vec<(String, i64, String)> = on!(conn, c => timers::table
        .filter(one_of(timers::contact_id, ids))
        .filter(literal::<Bool>("state = 'pending'"))
        .order((timers::due_at.desc(), timers::rule_id.desc()))
        .select((timers::contact_id, timers::due_at, timers::rule_id))
        .load(c))?;
    // The last one written is the first one due; tasks win, for people do them.
    for (contact, at, rule) in pending {
        next.insert(contact, NextThing { kind: "timer", what: rule, at });
    }
    for (contact, at, title) in open {
        if let Some(contact) = contact {
            next.insert(contact, NextThing { kind: "task", what: title, at });
        }
    }
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn half_stay_longer_than_the_median() {
        assert_eq!(median(&mut [5, 1, 9]), Some(5));
        assert_eq!(median(&mut [4, 1, 9, 6]), Some(5));
        assert_eq!(median(&mut []), None);
    }
}
