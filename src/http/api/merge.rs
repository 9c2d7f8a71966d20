//! `/api/contacts/…/merge`: two records of one person become one, and two again; and which ones might be one.

use super::acting::version_if_given;
use super::contacts::{Contact, contact};
use super::listing::{Listing, PAGING, Wall, page};
use crate::automation::merge::{MergeError, Wanted, merge, others_named, unmerge};
use crate::domain::ids::is_id;
use crate::http::doc::{Doc, IfMatch, Kind};
use crate::http::endpoint::{Call, Endpoint, Shared, reading, writing};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::{self, Response};
use crate::http::route::{Permission, Route};
use crate::store::views::contacts::{self as people, ContactView};
use crate::store::views::tasks::{self, TaskFilter};
use crate::store::{Conn, StoreResult};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use utoipa::ToSchema;

const MERGE: Route = Route::post("/api/contacts/{id}/merge", Permission::Reports);
const UNMERGE: Route = Route::post("/api/contacts/{id}/unmerge", Permission::Reports);
const DUPLICATES: Route = Route::get("/api/contacts/duplicates", Permission::Clinic);

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let merge_doc = Doc::new("Contacts", "Merges another record of the same person into this one; can be undone for 30 days.");
    let unmerge_doc = Doc::new("Contacts", "Undoes the merge of a contact into another.");
    let duplicates_doc = Doc::new("Contacts", "Lists people who might be one: the open merge_review tasks.");
    vec![
        writing(MERGE, shared, merge_two).doc(
            merge_doc
                .query(PREVIEW)
                .kind("dry_run", Kind::Flag)
                .takes_if_match(IfMatch::Optional)
                .takes::<Merging>()
                .answers::<Merged>(),
        ),
        writing(UNMERGE, shared, unmerge_two)
            .doc(unmerge_doc.takes_if_match(IfMatch::Optional).takes::<Unmerging>().answers::<Unmerged>()),
        reading(DUPLICATES, shared, duplicates).doc(duplicates_doc.query(&PAGING).answers::<Listing<Duplicate>>()),
    ]
}

const PREVIEW: &[(&str, &str)] = &[("dry_run", "true: nothing is changed, and the answer tells what would be")];

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = Merge)]
struct Merging {
    /// The contact that becomes a part of the one in the path.
    other_id: String,
}

#[derive(Default, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(as = Unmerge, example = json!({ }))]
struct Unmerging {
    /// The contact that was merged into the one in the path; without it the one in the path was merged.
    contact_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Merged {
    contact: Contact,
    dry_run: bool,
    /// Records that change hands, by kind.
    moved: BTreeMap<String, usize>,
    /// Texts that do not leave: the person has got the same, or wants none.
    texts_withdrawn: usize,
    /// One of the two had said STOP: it holds for both numbers.
    opted_out: bool,
    /// `null` in a preview.
    event_id: Option<String>,
}

#[derive(Serialize, ToSchema)]
struct Unmerged {
    /// The one that is itself again.
    contact: Contact,
    /// The one that it was merged into.
    other: Contact,
    event_id: String,
}

async fn merge_two(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let dry_run = query.parsed("dry_run", "true or false", |text| text.parse().ok()).unwrap_or(false);
    query.finish()?;
    let Merging { other_id } = call.json()?;
    let id = path_id(&call)?;
    if !is_id(&other_id) {
        return Err(ApiError::refused("/body/other_id", "there is no contact with this id"));
    }
    let wanted = Wanted { winner_id: id, loser_id: other_id, who: call.who(), dry_run, version: version_if_given(&call)? };
    let wall = Wall::of(&call);
    let done = merge(&call.context.store, wanted, call.context.clock.now()).await;
    let done = done.map_err(|e| refused(e, "/body/other_id", wall))?;
    let version = done.contact.version;
    let answer = Merged {
        contact: contact(ContactView::from(done.contact), wall),
        dry_run,
        moved: done.moved.into_iter().collect(),
        texts_withdrawn: done.texts_withdrawn,
        opted_out: done.is_opted_out,
        event_id: done.event_id,
    };
    Ok(reply::with_etag(reply::json(&answer), version))
}

async fn unmerge_two(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let Unmerging { contact_id } = call.json()?;
    let path = path_id(&call)?;
    let loser = contact_id.unwrap_or(path);
    if !is_id(&loser) {
        return Err(ApiError::refused("/body/contact_id", "there is no contact with this id"));
    }
    let wall = Wall::of(&call);
    let done = unmerge(&call.context.store, &loser, call.who(), version_if_given(&call)?, call.context.clock.now()).await;
    let done = done.map_err(|e| refused(e, "/body/contact_id", wall))?;
    Ok(reply::json(&Unmerged {
        contact: contact(ContactView::from(done.contact), wall),
        other: contact(ContactView::from(done.winner), wall),
        event_id: done.event_id,
    }))
}

fn path_id(call: &Call) -> Result<String, ApiError> {
    if is_id(&call.parameter) { Ok(call.parameter.clone()) } else { Err(ApiError::not_found()) }
}

fn refused(error: MergeError, pointer: &str, wall: Wall) -> ApiError {
    match error {
        MergeError::Nobody => ApiError::not_found(),
        MergeError::Itself => ApiError::refused(pointer, error.to_string()),
        MergeError::Store(error) => error.into(),
        MergeError::Changed(current) => {
            let current = contact(ContactView::from(*current), wall);
            ApiError::changed_meanwhile(serde_json::to_value(current).unwrap_or_default())
        }
        other => ApiError::conflict(sentence(&other.to_string())),
    }
}

/// With a capital, and a full stop.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), letters.as_str()))
}

#[derive(Serialize, ToSchema)]
struct Duplicate {
    task_id: String,
    because: String,
    contact: Person,
    /// Who may be the same.
    others: Vec<Person>,
    created_at: String,
}

#[derive(Clone, Serialize, ToSchema)]
struct Person {
    id: String,
    name: String,
    phone: Option<String>,
    email: Option<String>,
}

async fn duplicates(call: Call) -> Result<Response, ApiError> {
    let mut query = Query::parse(&call.query);
    let request = query.page();
    query.finish()?;
    let read = move |conn: &mut Conn| {
        let filter = TaskFilter { task_type: Some("merge_review".to_owned()), ..TaskFilter::default() };
        let rows = tasks::list_open(conn, &filter, &request)?;
        let noted = rows.items.iter().flat_map(|task| others_named(task.note.as_deref().unwrap_or_default()));
        let ids: Vec<String> = rows.items.iter().filter_map(|task| task.contact_id.clone()).chain(noted).collect();
        StoreResult::Ok((rows, people::views_of(conn, &ids)?))
    };
    let (rows, views) = call.context.store.read(read).await?;
    let known: HashMap<String, Person> = views.into_iter().map(|view| (view.id.clone(), person(view))).collect();
    let wall = Wall::of(&call);
    let find = |id: &String| {
        known.get(id).cloned().unwrap_or_else(|| Person { id: id.clone(), name: String::new(), phone: None, email: None })
    };
    Ok(page(rows, |task| Duplicate {
        contact: find(&task.contact_id.clone().unwrap_or_default()),
        others: others_named(task.note.as_deref().unwrap_or_default()).iter().map(&find).collect(),
        created_at: wall.time(task.created_at),
        task_id: task.id,
        because: task.because,
    }))
}

fn person(view: ContactView) -> Person {
    Person { id: view.id, name: view.name, phone: view.phone, email: view.email }
}
