//! `/api/assignees`: to whom tasks, contacts and conversations are given. And the check that somebody is one of them.

use super::fields::{Fields, SHORT_CHARS_MAX};
use super::listing::{Listing, whole};
use crate::automation::staff::USERS_MAX;
use crate::domain::edit::Edit;
use crate::http::doc::Doc;
use crate::http::endpoint::{Call, Endpoint, Shared, reading};
use crate::http::problem::ApiError;
use crate::http::query::Query;
use crate::http::reply::Response;
use crate::http::route::{Permission, Route};
use crate::store::StoreError;
use crate::store::staff::{User, list_users};
use serde::Serialize;
use std::sync::Arc;
use utoipa::ToSchema;

const LIST: Route = Route::get("/api/assignees", Permission::Clinic);

/// Whoever asks, as they write it.
const ME: &str = "me";

pub(super) fn endpoints(shared: &Arc<Shared>) -> Vec<Endpoint> {
    let doc = Doc::new("Session", "Lists the teams and members of staff that work can be given to.");
    vec![reading(LIST, shared, list).doc(doc.answers::<Listing<Assignee>>())]
}

#[derive(Serialize, ToSchema)]
struct Assignee {
    /// What `assigned_to` holds: a team's name, or the id of a member of staff.
    id: String,
    name: String,
    /// `team` or `staff`.
    kind: &'static str,
    /// Whoever asks.
    is_me: bool,
}

async fn list(call: Call) -> Result<Response, ApiError> {
    Query::parse(&call.query).finish()?;
    let known = Assignees::load(&call).await?;
    let teams = known.teams.iter().map(|team| Assignee { id: team.clone(), name: team.clone(), kind: "team", is_me: false });
    let is_me = |id: &str| known.me.as_deref() == Some(id);
    let person = |user: &User| Assignee { id: user.id.clone(), name: user.name.clone(), kind: "staff", is_me: is_me(&user.id) };
    Ok(whole(teams.chain(known.staff.iter().map(person)).collect()))
}

/// Whoever asks by `me`, anybody else as they are written.
pub(super) fn whose(who: String, call: &Call) -> String {
    let me = call.caller.as_ref().filter(|_| who == ME).map(|caller| caller.id.clone());
    me.unwrap_or(who)
}

/// Teams, and those who may come in.
pub(super) struct Assignees {
    teams: Vec<String>,
    staff: Vec<User>,
    me: Option<String>,
}

impl Assignees {
    pub(super) async fn load(call: &Call) -> Result<Self, ApiError> {
        let mut staff = call.context.store.read::<_, StoreError>(|conn| list_users(conn, USERS_MAX)).await?;
        staff.retain(|user| user.active);
        Ok(Self { teams: call.context.clinic.teams.clone(), staff, me: call.caller.as_ref().map(|caller| caller.id.clone()) })
    }

    /// The team, or the id of the member of staff, that is meant: by itself, by an address, or by `me`.
    pub(super) fn field(&self, fields: &mut Fields, name: &str, given: Option<String>) -> Option<String> {
        let who = fields.text(name, given, SHORT_CHARS_MAX)?;
        let found = self.find(&who);
        if found.is_none() {
            let teams = self.teams.join(", ");
            let detail = format!("is nobody; it must be me, a team ({teams}), or a member of staff by id or email address");
            fields.refuse(name, detail);
        }
        found
    }

    /// An empty one clears the field.
    pub(super) fn edit(&self, fields: &mut Fields, name: &str, edit: Edit<String>) -> Edit<String> {
        match edit {
            Edit::To(who) => self.field(fields, name, Some(who)).map_or(Edit::Clear, Edit::To),
            other => other,
        }
    }

    fn find(&self, who: &str) -> Option<String> {
        if who == ME || self.me.as_deref() == Some(who) {
            return self.me.clone();
        }
        let is_meant = |user: &&User| user.id == who || user.email.eq_ignore_ascii_case(who);
        let team = self.teams.iter().find(|team| *team == who).cloned();
        team.or_else(|| self.staff.iter().find(is_meant).map(|user| user.id.clone()))
    }
}
