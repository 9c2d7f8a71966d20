//! The OpenAPI 3.1 document: made of the routes and of what each endpoint says of itself.

mod example;
mod operation;
mod problems;
mod schemas;

use super::doc::Doc;
use super::route::{Permission, Route};
use crate::domain::staff::Role;
use schemas::Schemas;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const ABOUT: &str = "JSON over HTTP. Times are RFC 3339 with the clinic's offset; optional fields are null; ids are UUIDv7. Errors are \
    application/problem+json with a stable `code`. Lists are paged by `cursor` and tell their `total`.";

/// The whole document. Routes that the program does not document are missing: a test finds them.
pub(super) fn document(endpoints: &[(Route, Doc)]) -> Value {
    let mut sorted: Vec<_> = endpoints.iter().collect();
    sorted.sort_by_key(|(route, _)| (route.template, route.method.as_str()));
    let mut schemas = Schemas::default();
    schemas.add("Problem", problems::schema());
    let mut paths: Map<String, Value> = Map::new();
    for (route, doc) in &sorted {
        let operation = operation::describe(*route, doc, &mut schemas);
        let methods = paths.entry(route.template).or_insert_with(|| json!({}));
        methods[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    let tags: BTreeSet<&str> = sorted.iter().map(|(_, doc)| doc.tag).collect();
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Avatar CMS", "version": env!("CARGO_PKG_VERSION"), "description": ABOUT, "license": { "name": "Proprietary" } },
        "servers": [{ "url": "/" }],
        "tags": tags.into_iter().map(|tag| json!({ "name": tag })).collect::<Vec<_>>(),
        "paths": paths,
        "components": {
            "schemas": schemas.finish(),
            "responses": problems::responses(),
            "securitySchemes": {
                "key": { "type": "http", "scheme": "bearer", "description": "An API key (`avatar token create`) or a session's token." },
                "session": { "type": "apiKey", "in": "cookie", "name": "__Host-sid", "description": "The dashboard's session." },
            },
        },
    })
}

impl Permission {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Public => "public",
            Self::Provider => "provider",
            Self::SignedIn => "signed_in",
            Self::Clinic => "clinic",
            Self::Reports => "reports",
            Self::Automation => "automation",
            Self::Admin => "admin",
        }
    }

    /// True when a key or a session is asked for.
    const fn is_staff(self) -> bool {
        !matches!(self, Self::Public | Self::Provider)
    }

    fn roles(self) -> Vec<&'static str> {
        Role::ALL.into_iter().filter(|role| self.is_staff() && self.allows(*role)).map(Role::as_str).collect()
    }
}
