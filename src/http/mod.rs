//! The program's face to the world: warp behind an accept loop of its own.
//!
//! A request meets, in this order: a place (`server`), deadlines, request id and log (`server::shell`), its route and permission
//! (`route`, `endpoint`, `auth`), its handler (`webhooks`, `api`, `system`). Every refusal is a `problem`.

mod access;
mod api;
mod auth;
mod body;
mod codes;
mod context;
mod doc;
mod endpoint;
mod json_body;
mod metrics;
mod once;
mod openapi;
mod problem;
mod query;
mod reply;
mod route;
mod routes;
mod server;
mod system;
mod webhooks;

pub use access::{Access, AccessSettings, Rate};
pub use codes::{CODES, Code};
pub use context::{DraftStatus, HttpContext, RuleSummary, RulesStatus, RulesView, SmsWay};
pub use route::{Permission, Route, Verb};
pub use routes::{document, list as list_routes};
pub use server::{Peer, ServerLimits, serve};
