//! One endpoint, as OpenAPI tells it.

use super::example::example_of;
use super::problems;
use super::schemas::{Schemas, Side};
use crate::http::doc::{Answer, Doc, IfMatch, Kind};
use crate::http::once::KEY_CHARS_MAX;
use crate::http::query::PAGE_ROWS_MAX;
use crate::http::route::{Permission, Route, Verb};
use serde_json::{Map, Value, json};

pub(super) fn describe(route: Route, doc: &Doc, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "operationId": operation_id(route),
        "tags": [doc.tag],
        "summary": doc.summary,
        "parameters": parameters(route, doc),
        "responses": responses(route, doc, schemas),
        "security": security(route.permission),
        "x-permission": route.permission.as_str(),
    });
    if route.permission.is_staff() {
        operation["x-roles"] = json!(route.permission.roles());
    }
    if let Some(body) = request_body(route, doc, schemas) {
        operation["requestBody"] = body;
    }
    operation
}

/// `get_tasks_by_id`, `post_tasks_by_id_complete`.
fn operation_id(route: Route) -> String {
    let mut id = route.method.as_str().to_ascii_lowercase();
    for segment in route.template.split('/').filter(|segment| !segment.is_empty() && *segment != "api") {
        let name = segment.trim_matches(['{', '}']).replace(['-', '.'], "_");
        id.push_str(if segment.starts_with('{') { "_by_" } else { "_" });
        id.push_str(&name);
    }
    id
}

fn security(permission: Permission) -> Value {
    if permission.is_staff() { json!([{ "key": [] }, { "session": [] }]) } else { json!([]) }
}

fn parameters(route: Route, doc: &Doc) -> Vec<Value> {
    let in_path = route.template.split('/').filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    let mut parameters: Vec<Value> = in_path.map(of_path).collect();
    parameters.extend(doc.query.iter().map(|(name, about)| of_query(name, about, doc)));
    parameters.extend(headers(route, doc));
    parameters
}

fn of_path(name: &str) -> Value {
    let schema = json!({ "type": "string", "minLength": 1 });
    json!({ "name": name, "in": "path", "required": true, "schema": schema, "example": super::example::of_name(name) })
}

fn of_query(name: &str, about: &str, doc: &Doc) -> Value {
    let kind = doc.kinds.iter().find(|(known, _)| *known == name).map(|(_, kind)| kind);
    let schema = match (name, kind) {
        (_, Some(Kind::OneOf(values))) => json!({ "type": "string", "enum": values }),
        (_, Some(Kind::Day)) => json!({ "type": "string", "format": "date" }),
        (_, Some(Kind::Flag)) => json!({ "type": "string", "enum": ["true", "false"] }),
        ("limit", None) => json!({ "type": "integer", "minimum": 1, "maximum": PAGE_ROWS_MAX, "default": 50 }),
        (_, None) => json!({ "type": "string" }),
    };
    let required = doc.needed.contains(&name);
    // Empty values count as absent, so that a form may send all its fields.
    let schema = if required { schema } else { json!({ "anyOf": [schema, { "type": "string", "maxLength": 0 }] }) };
    json!({ "name": name, "in": "query", "description": about, "required": required, "allowEmptyValue": !required, "schema": schema })
}

/// What may be in the header of a call that changes something.
fn headers(route: Route, doc: &Doc) -> Vec<Value> {
    let mut headers = Vec::new();
    if route.method == Verb::Get || !route.permission.is_staff() {
        return headers;
    }
    headers.push(json!({
        "name": "Idempotency-Key", "in": "header",
        "description": "The same call under the same key is carried out once; later it is answered as at first.",
        "schema": { "type": "string", "pattern": format!("^[!-~]{{1,{KEY_CHARS_MAX}}}$") },
        "example": "b1f0c0de-7d55-4c3a-9d7e-2b8f6a1c4e5d",
    }));
    let required = match doc.if_match(route) {
        IfMatch::None => return headers,
        IfMatch::Optional => false,
        _ => true,
    };
    headers.push(json!({
        "name": "If-Match", "in": "header", "required": required,
        "description": "The ETag of the record as it was read.",
        "schema": { "type": "string", "pattern": "^\"[^\"]*\"$" },
        "example": "\"7\"",
    }));
    headers
}

fn request_body(route: Route, doc: &Doc, schemas: &mut Schemas) -> Option<Value> {
    if route.method == Verb::Get {
        return None;
    }
    if route.permission == Permission::Provider {
        let any = json!({ "schema": {} });
        return Some(
            json!({ "required": true, "description": "As the provider sends it.", "content": { "application/json": any } }),
        );
    }
    let mut content = Map::new();
    let mut required = doc.takes_text.is_some();
    if let Some(shape) = &doc.takes {
        let schema = schemas.place(shape, Side::Taken, doc.tag);
        let example = example_of(&schema, schemas);
        required |= schemas.requires_fields(&schema);
        content.insert("application/json".into(), json!({ "schema": schema, "example": example }));
    }
    if let Some(content_type) = doc.takes_text {
        content.insert(content_type.into(), json!({ "schema": { "type": "string" } }));
    }
    (!content.is_empty()).then(|| json!({ "required": required, "content": content }))
}

fn responses(route: Route, doc: &Doc, schemas: &mut Schemas) -> Value {
    let mut responses = json!({});
    for answer in &doc.answers {
        let status = answer.status.as_u16().to_string();
        if responses.get(&status).is_none() {
            responses[&status] = json!({ "description": answer.status.canonical_reason().unwrap_or("Done") });
        }
        if let Some(content) = content(answer, doc.tag, schemas) {
            responses[&status]["content"][answer.content_type] = content;
        }
    }
    for (status, name) in problems::of(route, doc) {
        if responses.get(&status).is_none() {
            responses[&status] = json!({ "$ref": format!("#/components/responses/{name}") });
        }
    }
    responses
}

fn content(answer: &Answer, tag: &str, schemas: &mut Schemas) -> Option<Value> {
    let Some(shape) = &answer.shape else {
        let has_body = answer.status.as_u16() != 204;
        let is_json = answer.content_type == "application/json";
        return has_body.then(|| if is_json { json!({ "schema": {} }) } else { json!({ "schema": { "type": "string" } }) });
    };
    let schema = schemas.place(shape, Side::Answered, tag);
    let example = example_of(&schema, schemas);
    Some(json!({ "schema": schema, "example": example }))
}
