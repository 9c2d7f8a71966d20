//! `/_simulator/…`: the book and the faults, for tests and for whoever rehearses. Not a part of any provider's API.

use super::courier;
use super::faults::{RULES_MAX, Rule};
use super::ledger::LISTED_MAX;
use super::numbers::NUMBERS;
use super::wire::{Answer, Request};
use super::{SCHEMA, Shared};
use serde::Deserialize;
use serde_json::{Value, json};
use std::net::IpAddr;
use std::sync::Arc;

const PREFIX: &str = "/_simulator/";
/// Where a redirect leads: whoever comes here has followed it.
pub(super) const TRAP: &str = "/_simulator/redirected";

pub(super) fn is_for(request: &Request) -> bool {
    request.path.starts_with(PREFIX)
}

pub(super) async fn answer(shared: &Arc<Shared>, request: &Request) -> Answer {
    if request.path == TRAP {
        shared.ledger.count(|totals| totals.redirects_followed += 1);
        return Answer::html(404, "nothing is here\n");
    }
    if !is_of_this_machine(request) {
        return problem(403, "ask by address or as localhost");
    }
    let name = request.path.strip_prefix(PREFIX).unwrap_or_default();
    match (request.method.as_str(), name) {
        ("GET", "ledger") => Answer::json(200, &ledger(shared, request)),
        ("DELETE", "ledger") => {
            shared.ledger.clear();
            Answer::json(200, &ledger(shared, request))
        }
        ("GET", "faults") => Answer::json(200, &faults(shared)),
        ("POST", "faults") => with_json(request, |asked: NewFaults| set_faults(shared, &asked)),
        ("POST", "replies") => reply(shared, request).await,
        ("POST", "release") => {
            shared.released.send_modify(|count| *count += 1);
            Answer::json(200, &json!({ "schema": SCHEMA }))
        }
        ("POST", "words") => with_json(request, |asked: NewWord| match shared.words.set(&asked.to, asked.word.as_deref()) {
            Ok(()) => Answer::json(200, &json!({ "schema": SCHEMA })),
            Err(error) => problem(400, &error.to_string()),
        }),
        ("GET", "numbers") => Answer::json(200, &numbers()),
        (_, "ledger" | "faults" | "replies" | "words" | "release" | "numbers") => problem(405, "there is no such method here"),
        _ => problem(404, "there are: ledger, faults, replies, words, release, numbers"),
    }
}

/// A page on some website whose name leads to this machine must not read the book.
fn is_of_this_machine(request: &Request) -> bool {
    let host = request.header("host").unwrap_or_default();
    let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
    name == "localhost" || name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok()
}

fn ledger(shared: &Shared, request: &Request) -> Value {
    let id = request.asked("id");
    let texts = shared.ledger.newest(LISTED_MAX, |text| id.is_none() || text.id == id);
    json!({
        "schema": SCHEMA,
        "provider": shared.options.provider.as_str(),
        "totals": shared.ledger.totals(),
        "doubled": shared.ledger.doubled(),
        "texts": texts,
    })
}

fn faults(shared: &Shared) -> Value {
    let rules: Vec<String> = shared.faults.rules().iter().map(ToString::to_string).collect();
    json!({ "schema": SCHEMA, "faults": rules })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewFaults {
    faults: Vec<String>,
}

fn set_faults(shared: &Shared, asked: &NewFaults) -> Answer {
    if asked.faults.len() > RULES_MAX {
        return problem(400, &format!("at most {RULES_MAX} faults"));
    }
    match asked.faults.iter().map(|text| text.parse()).collect::<Result<Vec<Rule>, _>>() {
        Ok(rules) => {
            shared.faults.set(rules);
            Answer::json(200, &faults(shared))
        }
        Err(error) => problem(400, &error.to_string()),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewWord {
    to: String,
    /// `null`: as ever.
    word: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewReply {
    /// From this number: about nothing, or about the newest text to it.
    from: String,
    body: String,
}

async fn reply(shared: &Arc<Shared>, request: &Request) -> Answer {
    let asked = match parsed::<NewReply>(request) {
        Ok(asked) => asked,
        Err(refusal) => return refusal,
    };
    let about = shared.ledger.newest(1, |text| text.is_sent && text.to == asked.from).pop();
    let answers = about.as_ref().and_then(|text| text.id.clone());
    let taken = courier::say(shared, &asked.from, &asked.body, about).await;
    Answer::json(200, &json!({ "schema": SCHEMA, "taken": taken, "answers": answers }))
}

fn numbers() -> Value {
    let all: Vec<Value> = NUMBERS.iter().map(|(number, _, words)| json!({ "number": number, "fate": words })).collect();
    json!({ "schema": SCHEMA, "numbers": all })
}

fn with_json<T: for<'a> Deserialize<'a>>(request: &Request, work: impl FnOnce(T) -> Answer) -> Answer {
    parsed(request).map_or_else(|refusal| refusal, work)
}

/// The content type is asked for because no foreign page can send it without asking first.
fn parsed<T: for<'a> Deserialize<'a>>(request: &Request) -> Result<T, Answer> {
    if !request.is_json() {
        return Err(problem(415, "send JSON, with Content-Type: application/json"));
    }
    serde_json::from_slice(&request.body).map_err(|error| problem(400, &error.to_string()))
}

fn problem(status: u16, detail: &str) -> Answer {
    Answer::json(status, &json!({ "schema": SCHEMA, "error": detail }))
}
