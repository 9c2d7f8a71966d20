//! Every fault: what a real HTTP client sees of it, and what the provider's book says.

use super::{JANE, PATIENCE, body, client, get, request, send, send_path, simulator};
use crate::support::clinic::{MONDAY_9AM, at};
use avatar::domain::clock::ManualClock;
use avatar::simulator::faults::Fault;
use avatar::simulator::{Options, Provider, Simulator};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

/// What a client waits for an answer that never comes.
const IMPATIENCE: Duration = Duration::from_millis(400);
/// What a careful client reads of an answer.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Rule; what the client sees; whether the text went out all the same.
const STORY: &[(&str, &str, u32)] = &[
    ("fine", "200 JSON SUCCESS", 1),
    ("429", "429 JSON TOO_MANY_REQUESTS, again after 2", 0),
    ("429-bare", "429 JSON TOO_MANY_REQUESTS", 0),
    ("400", "400 JSON BAD_REQUEST", 0),
    ("401", "401 JSON UNAUTHORIZED", 0),
    ("402", "402 JSON PAYMENT_REQUIRED", 0),
    ("403", "403 JSON FORBIDDEN", 0),
    ("404", "404 JSON NOT_FOUND", 0),
    ("408", "408 JSON REQUEST_TIMEOUT", 0),
    ("sent-408", "408 JSON REQUEST_TIMEOUT", 1),
    ("no-credit", "200 JSON SUCCESS INSUFFICIENT_CREDIT", 0),
    ("500", "500 JSON INTERNAL_SERVER_ERROR", 0),
    ("sent-500", "500 JSON INTERNAL_SERVER_ERROR", 1),
    ("502", "502 no JSON", 0),
    ("sent-502", "502 no JSON", 1),
    ("503", "503 JSON INTERNAL_SERVER_ERROR", 0),
    ("sent-503", "503 JSON INTERNAL_SERVER_ERROR", 1),
    ("timeout", "no answer in time", 0),
    ("sent-timeout", "no answer in time", 1),
    ("reset", "reset", 0),
    ("sent-reset", "reset", 1),
    ("close", "closed", 0),
    ("sent-close", "closed", 1),
    ("garbage", "no HTTP", 0),
    ("sent-garbage", "no HTTP", 1),
    ("html", "200 no JSON", 0),
    ("sent-html", "200 no JSON", 1),
    ("redirect", "307 no JSON", 0),
    ("sent-redirect", "307 no JSON", 1),
    ("huge", "200 too large", 0),
    ("sent-huge", "200 too large", 1),
    ("empty", "200 JSON SUCCESS", 0),
    ("sent-empty", "200 JSON SUCCESS", 1),
    ("hang", "no answer in time", 1),
    ("reset-mid-body", "200 reset", 1),
    ("cut", "200 no HTTP", 1),
    ("slow", "no answer in time", 1),
    ("truncated", "200 no JSON", 1),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_client_sees_what_each_fault_promises_and_the_book_knows_better() {
    let simulator = simulator(Provider::ClickSend, &[]).await;
    for (rule, seen, copies) in STORY {
        simulator.faults().set(vec![format!("{rule}=1").parse().unwrap()]);
        assert_eq!(sees(&simulator, rule).await, *seen, "{rule}");
        assert_eq!(simulator.ledger().copies(rule), *copies, "{rule}");
        assert!(simulator.faults().rules().is_empty(), "{rule}: a script ends");
    }
    let told: BTreeSet<String> = STORY.iter().map(|(rule, ..)| (*rule).to_owned()).collect();
    let known: BTreeSet<String> = Fault::names().filter(|name| !name.starts_with("receipt-")).collect();
    assert_eq!(told, known, "each fault has its line");
    let totals = simulator.ledger().totals();
    assert_eq!((totals.doubled, totals.redirects_followed), (0, 0));
    assert_eq!(totals.faults.values().sum::<u64>(), STORY.len() as u64 - 1, "{:?}", totals.faults);
}

#[tokio::test(flavor = "multi_thread")]
async fn messagemedia_goes_wrong_in_its_own_words() {
    let simulator = simulator(Provider::MessageMedia, &["429=1", "403=1", "no-credit=1", "500=1", "reset-mid-body=1"]).await;
    for (status, message) in [
        (429, "Too many requests. Please retry later."),
        (403, "Invalid authentication credentials"),
        (402, "Insufficient credit"),
        (500, "Something went wrong. Please try again later."),
    ] {
        let answer = send(&simulator, Provider::MessageMedia, &[("s", JANE, "Hi")]).await;
        assert_eq!(answer, (status, json!({ "message": message })));
    }
    let asked = request(&simulator, &client(PATIENCE), reqwest::Method::POST, "/v1/messages");
    let answer = asked.json(&body(Provider::MessageMedia, &[("s", JANE, "Hi")])).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    assert!(answer.bytes().await.is_err(), "broken off in the middle");
    assert_eq!(simulator.ledger().copies("s"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_tries_again_after_an_unknown_outcome_doubles_a_text_and_the_book_says_so() {
    let simulator = simulator(Provider::ClickSend, &["sent-timeout=1"]).await;
    for _ in 0..2 {
        sees(&simulator, "s-1").await;
    }
    sees(&simulator, "s-2").await;
    assert_eq!(simulator.ledger().doubled().into_iter().collect::<Vec<_>>(), [("s-1".to_owned(), 2)]);
    let totals = simulator.ledger().totals();
    assert_eq!((totals.sent, totals.messages, totals.doubled, totals.calls), (3, 2, 1, 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_that_is_followed_is_noticed() {
    let simulator = simulator(Provider::ClickSend, &["redirect=1"]).await;
    let careless = reqwest::Client::builder().no_proxy().build().unwrap();
    let asked = request(&simulator, &careless, reqwest::Method::POST, "/v3/sms/send");
    assert_eq!(asked.json(&body(Provider::ClickSend, &[("s", JANE, "Hi")])).send().await.unwrap().status(), 404);
    assert_eq!(simulator.ledger().totals().redirects_followed, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_seed_has_the_same_luck_and_the_same_ids() {
    let story = async |seed| {
        let faults = vec!["500=20%".parse().unwrap(), "429=20%".parse().unwrap()];
        let simulator = Simulator::start(Options { faults, seed, ..Options::new(Provider::ClickSend) }).await.unwrap();
        let mut seen = Vec::new();
        for n in 0..60 {
            seen.push(send(&simulator, Provider::ClickSend, &[(&format!("s-{n}"), JANE, "Hi")]).await.0.to_string());
        }
        seen.extend(simulator.ledger().texts().into_iter().map(|text| text.message_id));
        seen
    };
    let first = story(7).await;
    assert_eq!(story(7).await, first);
    assert_ne!(story(8).await, first);
    assert!(first.iter().filter(|seen| *seen == "500").count() > 3 && first.iter().filter(|seen| *seen == "429").count() > 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn lookups_have_faults_of_their_own() {
    let simulator = simulator(Provider::ClickSend, &["lookup.503=1", "lookup.truncated=1"]).await;
    assert_eq!(send(&simulator, Provider::ClickSend, &[("s", JANE, "Hi")]).await.0, 200);
    assert_eq!(get(&simulator, "/v3/sms/history").await.0, 503);
    let answer = request(&simulator, &client(PATIENCE), reqwest::Method::GET, "/v3/sms/history").send().await.unwrap();
    assert!(answer.json::<Value>().await.is_err());
    assert_eq!(get(&simulator, "/v3/sms/history").await.1["data"]["total"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_change_while_it_runs() {
    let simulator = simulator(Provider::ClickSend, &[]).await;
    let url = format!("{}/_simulator/faults", simulator.base_url());
    let post = async |body: Value| {
        let answer = client(PATIENCE).post(&url).json(&body).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (status, said) = post(json!({ "faults": ["rest=5%"] })).await;
    assert_eq!((status, &said["error"]), (400, &json!("there is no fault `rest`: did you mean `reset`?")));
    assert_eq!(post(json!({ "faults": ["429=2", "receipt-late=50%"] })).await.0, 200);
    assert_eq!(send(&simulator, Provider::ClickSend, &[("s", JANE, "Hi")]).await.0, 429);
    let shown = client(PATIENCE).get(&url).send().await.unwrap().json::<Value>().await.unwrap();
    assert_eq!(shown["faults"], json!(["429=1", "receipt-late=50%"]));
    assert_eq!(post(json!({ "faults": [] })).await.0, 200);
    assert_eq!(send(&simulator, Provider::ClickSend, &[("s", JANE, "Hi")]).await.0, 200);
    let form = client(PATIENCE).post(&url).header("Content-Type", "text/plain").body("{\"faults\":[]}").send().await.unwrap();
    assert_eq!(form.status(), 415, "no foreign page can do it");
    let elsewhere = client(PATIENCE).get(&url).header("Host", "evil.example").send().await.unwrap();
    assert_eq!(elsewhere.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_book_is_read_by_id_and_cleared() {
    let simulator = simulator(Provider::ClickSend, &[]).await;
    for id in ["s-1", "s-2", "s-1"] {
        send(&simulator, Provider::ClickSend, &[(id, JANE, "Hi")]).await;
    }
    let url = format!("{}/_simulator/ledger", simulator.base_url());
    let ask = async |request: reqwest::RequestBuilder| request.send().await.unwrap().json::<Value>().await.unwrap();
    let book = ask(client(PATIENCE).get(format!("{url}?id=s-1"))).await;
    assert_eq!(
        (&book["schema"], &book["provider"], &book["doubled"]),
        (&json!("avatar.simulator/1"), &json!("clicksend"), &json!({ "s-1": 2 }))
    );
    assert_eq!((book["texts"].as_array().unwrap().len(), &book["totals"]["sent"]), (2, &json!(3)));
    let cleared = ask(client(PATIENCE).delete(&url)).await;
    assert_eq!((&cleared["texts"], &cleared["totals"]["calls"]), (&json!([]), &json!(0)));
    let numbers = ask(client(PATIENCE).get(format!("{}/_simulator/numbers", simulator.base_url()))).await;
    assert_eq!(numbers["numbers"][0], json!({ "number": "+61491570157", "fate": "fails: unknown subscriber" }));
    let nothing = client(PATIENCE).get(format!("{}/_simulator/book", simulator.base_url())).send().await.unwrap();
    assert_eq!(nothing.status(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_to_a_number_are_answered_with_the_word_that_was_asked_for() {
    let simulator = simulator(Provider::ClickSend, &[]).await;
    let url = format!("{}/_simulator/words", simulator.base_url());
    let post = async |body: Value| client(PATIENCE).post(&url).json(&body).send().await.unwrap().status().as_u16();
    let word = async |id: &str| {
        let (_, answer) = send(&simulator, Provider::ClickSend, &[(id, JANE, "Hi")]).await;
        answer["data"]["messages"][0]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(post(json!({ "to": JANE, "word": "not a word" })).await, 400);
    assert_eq!(post(json!({ "to": JANE, "word": "A_WORD_OF_NEXT_YEAR" })).await, 200);
    assert_eq!((word("s-1").await.as_str(), simulator.ledger().copies("s-1")), ("A_WORD_OF_NEXT_YEAR", 0));
    assert_eq!(post(json!({ "to": JANE, "word": null })).await, 200);
    assert_eq!((word("s-2").await.as_str(), simulator.ledger().copies("s-2")), ("SUCCESS", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn messagemedia_reports_what_it_sent_by_our_id() {
    let options = Options { clock: ManualClock::at(at(MONDAY_9AM)), ..Options::new(Provider::MessageMedia) };
    let simulator = Simulator::start(options).await.unwrap();
    send(&simulator, Provider::MessageMedia, &[("s-1", JANE, "Hi"), ("s-2", JANE, "Ho")]).await;
    let report = async |query: &str| get(&simulator, &format!("/v1/reporting/sent_messages/detail?{query}")).await;
    let day = "start_date=2026-11-22T00%3A00%3A00&end_date=2026-11-23T00%3A00%3A00&timezone=UTC";
    let (status, found) = report(&format!("metadata_key=sms_id&metadata_value=s-2&{day}")).await;
    let sent = simulator.ledger().texts().pop().unwrap();
    assert_eq!((status, &found["pagination"]["total_count"]), (200, &json!(1)));
    assert_eq!((&found["data"][0]["id"], &found["data"][0]["metadata"]), (&json!(sent.message_id), &json!({ "sms_id": "s-2" })));
    assert_eq!(report(day).await.1["data"].as_array().map(Vec::len), Some(2));
    let before = "start_date=2026-11-20T00%3A00%3A00&end_date=2026-11-21T00%3A00%3A00";
    assert_eq!(report(before).await.1["data"], json!([]));
    assert_eq!(report("metadata_key=sms_id").await.0, 400, "it is about a span of time");
}

/// Sends one text under the id `id`, as an impatient and careful client does, and says what came of it.
async fn sees(simulator: &Simulator, id: &str) -> String {
    let asked = request(simulator, &client(IMPATIENCE), reqwest::Method::POST, send_path(Provider::ClickSend));
    let mut answer = match asked.json(&body(Provider::ClickSend, &[(id, JANE, "Hi")])).send().await {
        Ok(answer) => answer,
        Err(error) => return trouble(&error).to_owned(),
    };
    let status = answer.status().as_u16();
    let again = answer.headers().get("retry-after").map(|after| format!(", again after {}", after.to_str().unwrap()));
    let mut read = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(Some(chunk)) => read.extend_from_slice(&chunk),
            Ok(None) => break,
            Err(error) => return format!("{status} {}", trouble(&error)),
        }
        if read.len() > ANSWER_BYTES_MAX {
            return format!("{status} too large");
        }
    }
    let Ok(json) = serde_json::from_slice::<Value>(&read) else { return format!("{status} no JSON") };
    let code = json["response_code"].as_str().unwrap_or_default();
    let of_text = json["data"]["messages"][0]["status"].as_str().filter(|status| *status != "SUCCESS");
    let of_text = of_text.map(|status| format!(" {status}")).unwrap_or_default();
    format!("{status} JSON {code}{of_text}{}", again.unwrap_or_default())
}

fn trouble(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        return "no answer in time";
    }
    let mut cause: Option<&dyn Error> = Some(error);
    while let Some(this) = cause {
        if this.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::ConnectionReset) {
            return "reset";
        }
        cause = this.source();
        if cause.is_none() {
            let words = this.to_string();
            return if words.contains("before message completed") { "closed" } else { "no HTTP" };
        }
    }
    "nothing known"
}
