//! `/api/inbox/{contact_id}`: one conversation, and whether somebody else is at it.

use super::draft::{Draft, draft_of};
use crate::domain::time::Millis;
use crate::http::api::listing::{PAGING, Wall, find_record};
use crate::http::api::sms::{Sms, text};
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::{Query, encode_cursor};
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::inbox::{find_draft, find_state};
use crate::store::views::contacts::find_survivor;
use crate::store::views::inbox::list_answers_since;
use crate::store::views::sms::{self, SmsFilter};
use crate::store::{Conn, StoreResult, handovers};
use serde::Serialize;
use std::collections::HashMap;
use std::sync::Arc;
use utoipa::ToSchema;

const THREAD: Route = Route::get("/api/inbox/{id}", Permission::Clinic);
/// Whoever has changed the draft so lately is still writing.
const WRITING_WITHIN: Millis = Millis::seconds(60);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = Doc::new("Inbox", "Shows a conversation, the newest text first, and who else is at it.");
    vec![reading(THREAD, shared, show).doc(doc.query(FILTERS).answers::<Thread>())]
}

const FILTERS: &[(&str, &str)] =
    &[("since", "when the caller has read it last: answers after that are told in replied_since"), PAGING[0], PAGING[1]];

#[derive(Serialize, ToSchema)]
#[schema(as = ConversationThread)]
struct Thread {
    contact_id: String,
    name: String,
    phone: Option<String>,
    /// Since when the person must not be texted.
    opted_out_at: Option<String>,
    /// The newest first.
    items: Vec<Sms>,
    total: i64,
    next_cursor: Option<String>,
    assigned_to: Option<String>,
    done_at: Option<String>,
    done_by: Option<String>,
    draft: Option<Draft>,
    /// Who else is writing an answer at this moment.
    writing: Option<String>,
    /// Ids of texts that staff has sent after `since`.
    replied_since: Vec<String>,
}

async fn show(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let since = query.time("since").map(|at| at.0);
    let request = query.page();
    query.finish()?;
    let read = move |conn: &mut Conn, id: &str| {
        let Some(person) = find_survivor(conn, id)? else { return Ok(None) };
        let filter = SmsFilter { contact_id: Some(person.id.clone()), ..SmsFilter::default() };
        let rows = sms::list(conn, &filter, &request)?;
        let ids: Vec<String> = rows.items.iter().map(|view| view.id.clone()).collect();
        let handed = handovers::list_by_ids(conn, &ids)?;
        let replied = since.map_or_else(|| Ok(Vec::new()), |since| list_answers_since(conn, &person.id, since))?;
        let (state, draft) = (find_state(conn, &person.id)?, find_draft(conn, &person.id)?);
        StoreResult::Ok(Some((person, rows, handed, replied, state, draft)))
    };
    let (person, rows, handed, replied_since, state, draft) = find_record(&call, read).await?;
    let handed: HashMap<_, _> = handed.into_iter().map(|h| (h.sms_id.clone(), h)).collect();
    let (wall, now) = (Wall::of(&call), call.context.clock.now());
    let is_writing = |author: &str, at: i64| author != call.by && now.0 - at < WRITING_WITHIN.0;
    let state = state.unwrap_or_default();
    Ok(reply::json(&Thread {
        contact_id: person.id,
        name: person.name,
        phone: person.phone,
        opted_out_at: wall.optional(person.opted_out_at),
        total: rows.total,
        next_cursor: rows.next.as_ref().map(encode_cursor),
        items: rows
            .items
            .into_iter()
            .map(|view| {
                let handover = handed.get(&view.id);
                text(view, handover, wall)
            })
            .collect(),
        assigned_to: state.assigned_to,
        done_at: wall.optional(state.done_at),
        done_by: state.done_by,
        writing: draft.as_ref().filter(|d| is_writing(&d.author, d.updated_at)).map(|d| d.author.clone()),
        draft: draft.map(|draft| draft_of(draft, wall)),
        replied_since,
    }))
}
