//! `/api/inbox`: conversations by text, who waits for an answer, and who is writing one.

mod change;
mod draft;
mod thread;

use super::assignees::whose;
use super::listing::{PAGING, Wall};
use super::words;
use crate::domain::time::Millis;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::{Query, encode_cursor};
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::inbox::InboxState;
use crate::store::views::contacts::{ContactView, views_of};
use crate::store::views::inbox::{Conversation, LastText, conversations, last_texts};
use crate::store::views::{Cursor, PageRequest};
use crate::store::{Conn, StoreResult};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/inbox", Permission::Clinic);
/// A conversation without a message for so long is in the contact's timeline only.
const WINDOW: Millis = Millis::days(30);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = Doc::new(
        "Inbox",
        "Lists conversations of the last 30 days: unanswered ones by how long they wait, others the newest first.",
    );
    let list = reading(LIST, shared, list).doc(doc.query(FILTERS).answers::<Conversations>());
    let mut all = vec![list];
    all.extend(thread::endpoints(shared));
    all.extend(draft::endpoints(shared));
    all.extend(change::endpoints(shared));
    all
}

const FILTERS: &[(&str, &str)] =
    &[("filter", "unanswered, mine (assigned to whoever asks) or all; all unless given"), PAGING[0], PAGING[1]];

#[derive(Serialize, ToSchema)]
struct Conversations {
    items: Vec<Line>,
    total: i64,
    /// False when more people wrote than are looked at.
    total_is_exact: bool,
    next_cursor: Option<String>,
    /// Conversations that wait for an answer, whatever the filter.
    unanswered: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Conversation)]
struct Line {
    contact_id: String,
    name: String,
    phone: Option<String>,
    warmness: i32,
    opted_out: bool,
    last_text: Option<Said>,
    /// Since when the person waits for an answer; `null` when there is nothing to answer.
    unanswered_since: Option<String>,
    assigned_to: Option<String>,
}

/// The newest text.
#[derive(Serialize, ToSchema)]
#[schema(as = LastText)]
struct Said {
    id: String,
    /// `in` or `out`.
    #[schema(value_type = words::Direction)]
    direction: String,
    body: String,
    #[schema(value_type = words::SmsStatus)]
    status: String,
    at: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    Unanswered,
    Mine,
    All,
}

async fn list(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let parse = |text: &str| match text {
        "unanswered" => Some(Which::Unanswered),
        "mine" => Some(Which::Mine),
        "all" => Some(Which::All),
        _ => None,
    };
    let which = query.parsed("filter", "one of unanswered, mine, all", parse).unwrap_or(Which::All);
    let request: PageRequest<1> = query.page();
    query.finish()?;
    let me = whose("me".to_owned(), &call);
    let since = (call.context.clock.now() - WINDOW).0;
    let clinic = Arc::clone(&call.context.clinic);
    let found = call.context.store.read(move |conn| gather(conn, &clinic.keywords, since, which, &me, &request)).await?;
    let wall = Wall::of(&call);
    Ok(reply::json(&Conversations {
        total: found.total,
        total_is_exact: found.is_all,
        next_cursor: found.next.as_ref().map(encode_cursor),
        unanswered: found.unanswered,
        items: found.lines.into_iter().map(|(one, person, text)| line(one, person, text, wall)).collect(),
    }))
}

struct Found {
    lines: Vec<(Conversation, Option<ContactView>, Option<LastText>)>,
    total: i64,
    is_all: bool,
    unanswered: i64,
    next: Option<Cursor<1>>,
}

fn gather(
    conn: &mut Conn,
    keywords: &crate::domain::keywords::Keywords,
    since: i64,
    which: Which,
    me: &str,
    request: &PageRequest<1>,
) -> StoreResult<Found> {
    let (all, is_all) = conversations(conn, keywords, since)?;
    let unanswered = all.iter().filter(|c| c.unanswered_since.is_some()).count() as i64;
    let is_mine = |state: Option<&InboxState>| state.and_then(|s| s.assigned_to.as_deref()) == Some(me);
    let mut wanted: Vec<Conversation> = all
        .into_iter()
        .filter(|c| match which {
            Which::Unanswered => c.unanswered_since.is_some(),
            Which::Mine => is_mine(c.state.as_ref()),
            Which::All => true,
        })
        .collect();
    if which == Which::Unanswered {
        wanted.sort_by_key(|c| place(c, which));
    }
    let total = wanted.len() as i64;
    let begin = match &request.after {
        None => 0,
        Some(cursor) => wanted.iter().position(|c| is_after(c, which, cursor)).unwrap_or(wanted.len()),
    };
    let limit = usize::try_from(request.limit).unwrap_or(0);
    let rest = wanted.len().saturating_sub(begin);
    let page: Vec<Conversation> = wanted.into_iter().skip(begin).take(limit).collect();
    let last = page.last().map(|c| place(c, which));
    let next = last.filter(|_| rest > limit).map(|(key, id)| Cursor { keys: [key], id });
    let ids: Vec<String> = page.iter().map(|c| c.contact_id.clone()).collect();
    let mut people: HashMap<String, ContactView> = views_of(conn, &ids)?.into_iter().map(|v| (v.id.clone(), v)).collect();
    let mut texts = last_texts(conn, &ids)?;
    let lines =
        page.into_iter().map(|c| (people.remove(&c.contact_id), texts.remove(&c.contact_id), c)).map(|(p, t, c)| (c, p, t));
    Ok(Found { lines: lines.collect(), total, is_all, unanswered, next })
}

/// What the list is sorted by: who waits longest first, or the newest text first.
fn place(conversation: &Conversation, which: Which) -> (i64, String) {
    match (which, conversation.unanswered_since) {
        (Which::Unanswered, Some(since)) => (since, conversation.contact_id.clone()),
        _ => (conversation.last_in_at, conversation.last_in_id.clone()),
    }
}

fn is_after(conversation: &Conversation, which: Which, cursor: &Cursor<1>) -> bool {
    let (key, id) = place(conversation, which);
    let here = (key, id.as_str());
    let there = (cursor.keys[0], cursor.id.as_str());
    if which == Which::Unanswered { here > there } else { here < there }
}

fn line(conversation: Conversation, person: Option<ContactView>, text: Option<LastText>, wall: Wall) -> Line {
    let assigned = conversation.state.and_then(|s| s.assigned_to);
    Line {
        unanswered_since: wall.optional(conversation.unanswered_since),
        last_text: text.map(|text| Said {
            id: text.id,
            direction: text.direction,
            body: text.body,
            status: text.status,
            at: wall.time(text.created_at),
        }),
        name: person.as_ref().map(|p| p.name.clone()).unwrap_or_default(),
        phone: person.as_ref().and_then(|p| p.phone.clone()),
        warmness: person.as_ref().map_or(0, |p| p.warmness),
        opted_out: person.is_some_and(|p| p.opted_out_at.is_some()),
        contact_id: conversation.contact_id,
        assigned_to: assigned,
    }
}
