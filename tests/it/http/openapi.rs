//! The OpenAPI document: valid, complete, true, and the one in docs/.

use super::site::Site;
use avatar::domain::ids::new_id;
use avatar::domain::staff::Role;
use avatar::http::{CODES, document, list_routes};
use serde_json::{Value, json};
use std::fmt::Write;
use std::path::{Path, PathBuf};

/// Set to write docs/openapi.json and the lists of docs/API.md anew: `AVATAR_WRITE_DOCS=1 cargo test openapi`.
const WRITE: &str = "AVATAR_WRITE_DOCS";

fn root(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

#[expect(clippy::disallowed_methods, reason = "a switch for people who change the API, not a setting")]
fn is_writing() -> bool {
    std::env::var(WRITE).is_ok()
}

/// (path, method, operation) of everything documented.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            operations.push((path.clone(), method.to_uppercase(), operation.clone()));
        }
    }
    operations
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openapi_is_valid_and_its_examples_are_of_their_types() {
    let site = Site::open().await;
    let document = document(&site.context);
    let official: Value =
        serde_json::from_str(&std::fs::read_to_string(root("tests/samples/openapi_3_1_schema.json")).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&official).unwrap();
    let errors: Vec<String> = validator.iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    let mut examples = 0;
    for (path, method, operation) in operations(&document) {
        for (schema, example) in examples_of(&operation) {
            let mut schema = schema.clone();
            schema["components"] = document["components"].clone();
            let validator = jsonschema::validator_for(&schema).unwrap_or_else(|e| panic!("{method} {path}: {e}"));
            let errors: Vec<String> = validator.iter_errors(example).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(errors.is_empty(), "{method} {path}: {errors:#?} in {example:#}");
            examples += 1;
        }
    }
    assert!(examples > 20, "{examples}");
}

fn examples_of(operation: &Value) -> Vec<(&Value, &Value)> {
    let bodies = operation["responses"].as_object().unwrap().values().chain(operation.get("requestBody"));
    let contents = bodies.filter_map(|body| body["content"]["application/json"].as_object());
    contents.filter_map(|content| Some((content.get("schema")?, content.get("example")?))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openapi_names_every_route_and_says_what_each_is_for() {
    let site = Site::open().await;
    let document = document(&site.context);
    let mut silent = Vec::new();
    for route in list_routes(&site.context) {
        let operation = &document["paths"][route.template][route.method.as_str().to_lowercase()];
        let text = |name: &str| operation[name].as_str().unwrap_or_default().to_owned();
        let answers = operation["responses"].as_object().map(|all| all.keys().any(|status| status.starts_with('2')));
        let is_told = text("summary").ends_with('.') && operation["tags"][0] != "" && answers == Some(true);
        if !is_told {
            silent.push(format!("{} {}", route.method.as_str(), route.template));
        }
    }
    assert!(silent.is_empty(), "these say nothing of themselves (`.doc(Doc::new(…))`): {silent:#?}");
    let mut ids: Vec<_> = operations(&document).into_iter().map(|(_, _, o)| o["operationId"].to_string()).collect();
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!((ids.len(), count), (count, list_routes(&site.context).len()), "each operation has an id of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_documented_parameter_is_one_that_the_route_takes() {
    let site = Site::open().await;
    let key = site.key(Role::Admin).await;
    for (path, method, operation) in operations(&document(&site.context)) {
        if method != "GET" || !path.starts_with("/api/") || path == "/api/stream" {
            continue;
        }
        let path = path.split('/').map(|s| if s.starts_with('{') { new_id(site.test.now()) } else { s.to_owned() });
        let path = path.collect::<Vec<_>>().join("/");
        let named = operation["parameters"].as_array().unwrap().iter().filter(|p| p["in"] == "query");
        // Empty values count as absent, so only the names are looked at.
        let query: Vec<String> = named.map(|p| format!("{}=", p["name"].as_str().unwrap())).collect();
        let answer = site.get(&key, &format!("{path}?{}", query.join("&"))).await;
        assert!(!answer.body.contains("is not a parameter"), "{method} {path}: {}", answer.body);
        let other = site.get(&key, &format!("{path}?colour=red")).await;
        assert!(matches!(other.status, 400 | 404), "{method} {path} takes anything: {}", other.status);
    }
}

/// `GET /api/tasks (clinic) → 200 TaskListing`, a line for each.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_contract_changes_only_on_purpose() {
    let site = Site::open().await;
    let mut lines = String::new();
    for (path, method, operation) in operations(&document(&site.context)) {
        let permission = operation["x-permission"].as_str().unwrap();
        write!(lines, "{method} {path} ({permission})").unwrap();
        let query = operation["parameters"].as_array().unwrap().iter().filter(|p| p["in"] == "query");
        let query: Vec<&str> = query.filter_map(|p| p["name"].as_str()).collect();
        if !query.is_empty() {
            write!(lines, " ?{}", query.join(",")).unwrap();
        }
        if let Some(body) = operation.get("requestBody") {
            write!(lines, " ← {}", names_of(&body["content"])).unwrap();
        }
        for (status, answer) in operation["responses"].as_object().unwrap().iter().filter(|(s, _)| s.starts_with('2')) {
            write!(lines, " → {status} {}", names_of(&answer["content"])).unwrap();
        }
        lines.push('\n');
    }
    insta::assert_snapshot!("contract", lines);
}

fn names_of(content: &Value) -> String {
    let Some(content) = content.as_object() else { return "nothing".into() };
    let name = |(kind, body): (&String, &Value)| {
        let target = body["schema"]["$ref"].as_str().and_then(|t| t.rsplit('/').next());
        target.map_or_else(|| kind.clone(), str::to_owned)
    };
    content.iter().map(name).collect::<Vec<_>>().join("|")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_openapi_document_in_docs_is_that_of_the_program() {
    let site = Site::open().await;
    let text = format!("{:#}\n", document(&site.context));
    let path = root("docs/openapi.json");
    if is_writing() {
        std::fs::write(&path, &text).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "docs/openapi.json is not the program's: run the tests with {WRITE}=1");
    let served = site.send("GET", "/api/openapi.json", &[], "").await;
    assert_eq!((served.status, served.header("content-type")), (200, Some("application/json")));
    assert_eq!(served.json(), document(&site.context));
}

const BEGIN: &str = "<!-- begin: routes -->\n";
const END: &str = "<!-- end: routes -->";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_lists_of_the_api_manual_are_those_of_the_program() {
    let site = Site::open().await;
    let path = root("docs/API.md");
    let manual = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = manual.split_once(BEGIN).expect("a place for the lists");
    let (found, after) = rest.split_once(END).expect("an end of the lists");
    let lists = lists(&document(&site.context));
    if is_writing() {
        std::fs::write(&path, format!("{before}{BEGIN}{lists}{END}{after}")).unwrap();
        return;
    }
    assert!(found == lists, "the lists of docs/API.md are not those of the program: run the tests with {WRITE}=1");
}

fn lists(document: &Value) -> String {
    let mut text = String::new();
    for tag in document["tags"].as_array().unwrap() {
        write!(text, "\n### {}\n\n| route | who | what |\n|---|---|---|\n", tag["name"].as_str().unwrap()).unwrap();
        for (path, method, operation) in operations(document) {
            if operation["tags"][0] == tag["name"] {
                let (who, what) = (&operation["x-permission"], &operation["summary"]);
                writeln!(text, "| `{method} {path}` | {} | {} |", who.as_str().unwrap(), what.as_str().unwrap()).unwrap();
            }
        }
    }
    text.push_str("\n### Codes of refusals\n\n| status | code | means |\n|---|---|---|\n");
    for code in CODES {
        writeln!(text, "| {} | `{}` | {} |", code.status, code.code, code.meaning).unwrap();
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_have_a_type_a_code_and_pointers() {
    let site = Site::open().await;
    let key = site.key(Role::Ops).await;
    let wrong = site.get(&key, "/api/jobs?state=red&colour=red").await.json();
    assert_eq!(wrong["type"], "urn:avatar:problem:invalid_parameters");
    assert_eq!(wrong["errors"].as_array().unwrap().len(), 2, "{wrong}");
    let bearer = format!("Bearer {key}");
    let post = async |body: &str| {
        let answer = site.send("POST", "/api/jobs/retry", &[("Authorization", &bearer)], body).await;
        (answer.status, answer.json())
    };
    let (status, problem) = post(r#"{"id":"Jane"}"#).await;
    assert_eq!((status, &problem["errors"]), (422, &json!([{ "pointer": "/body/id", "detail": "must be i64" }])));
    let (status, problem) = post(r#"{"all":true,"colour":1}"#).await;
    assert_eq!((status, &problem["errors"][0]["pointer"]), (422, &json!("/body/colour")));
    assert_eq!(post("{").await.0, 400);
    assert_eq!(post("{").await.1["code"], "bad_request");
}
