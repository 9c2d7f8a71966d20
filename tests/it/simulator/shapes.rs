//! Calls and answers have the providers' documented shapes.

use super::{CLINIC, JANE, PATIENCE, body, client, get, request, send, simulator};
use crate::support::clinic::sample;
use avatar::simulator::{KEY_DEFAULT, Provider};
use serde_json::{Map, Value, json};

/// The same with every value replaced by the name of its type.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null => json!("null"),
        Value::Bool(_) => json!("bool"),
        Value::Number(_) => json!("number"),
        Value::String(_) => json!("text"),
        Value::Array(items) => items.iter().map(shape).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), shape(value))).collect::<Map<_, _>>())
        }
    }
}

fn sampled(name: &str) -> Value {
    serde_json::from_str(&sample(name)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn clicksend_answers_a_mixed_batch_as_its_sample_shows() {
    let simulator = simulator(Provider::ClickSend, &[]).await;
    let (status, answer) =
        send(&simulator, Provider::ClickSend, &[("s-1", JANE, "Hi Jane, ..."), ("s-2", "+610", "Hi ...")]).await;
    assert_eq!((status, shape(&answer)), (200, shape(&sampled("clicksend_send_response_mixed.json"))));
    let data = &answer["data"];
    assert_eq!((&data["total_price"], &data["queued_count"], &data["blocked_count"]), (&json!(0.0792), &json!(1), &json!(1)));
    let texts = data["messages"].as_array().unwrap();
    let told: Vec<[&str; 3]> =
        texts.iter().map(|t| ["custom_string", "status", "message_price"].map(|name| t[name].as_str().unwrap())).collect();
    assert_eq!(told, [["s-1", "SUCCESS", "0.0792"], ["s-2", "INVALID_RECIPIENT", "0.0000"]]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_sample_requests_are_taken_as_they_are() {
    for (provider, path, file, status) in [
        (Provider::ClickSend, "/v3/sms/send", "clicksend_send_request.json", 200),
        (Provider::MessageMedia, "/v1/messages", "messagemedia_send_request.json", 202),
    ] {
        let simulator = simulator(provider, &[]).await;
        let asked = request(&simulator, &client(PATIENCE), reqwest::Method::POST, path);
        let answer = asked.header("Content-Type", "application/json").body(sample(file)).send().await.unwrap();
        assert_eq!(answer.status(), status);
        assert_eq!(simulator.ledger().copies("0192f2c0-0000-7000-8000-000000000001"), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn clicksend_errors_are_its_samples_word_for_word() {
    let simulator = simulator(Provider::ClickSend, &["429=1", "500=1", "403=1"]).await;
    for status in [429, 500, 403] {
        let answer = send(&simulator, Provider::ClickSend, &[("s", JANE, "Hi")]).await;
        assert_eq!(answer, (status, sampled(&format!("clicksend_error_{status}.json"))));
    }
    assert_eq!(get(&simulator, "/v3/sms/nothing").await, (404, sampled("clicksend_error_404.json")));
    let url = format!("{}/v3/sms/send", simulator.base_url());
    for (name, key, status) in
        [("simulator", "wrong", 401), ("nobody", KEY_DEFAULT, 401), ("banned", KEY_DEFAULT, 403), ("notactive", KEY_DEFAULT, 403)]
    {
        let answer = client(PATIENCE).post(&url).basic_auth(name, Some(key)).body("{}").send().await.unwrap();
        assert_eq!(answer.status(), status, "{name}");
        assert_eq!(answer.json::<Value>().await.unwrap(), sampled(&format!("clicksend_error_{status}.json")));
    }
    assert_eq!(client(PATIENCE).post(&url).body("{}").send().await.unwrap().status(), 401, "without any credentials");
    let broken = request(&simulator, &client(PATIENCE), reqwest::Method::POST, "/v3/sms/send").body("{\"messages\":");
    let answer = broken.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.json::<Value>().await.unwrap()), (400, sampled("clicksend_error_400.json")));
    assert_eq!(simulator.ledger().totals().unauthorised, 5);
    assert_eq!(simulator.ledger().totals().sent, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn clicksend_says_of_each_text_what_is_wrong_with_it() {
    let simulator = simulator(Provider::ClickSend, &[]).await;
    let texts = [
        ("invalid", "+61491570110", "Hi", "INVALID_RECIPIENT"),
        ("letters", "0491 570 006", "Hi", "INVALID_RECIPIENT"),
        ("nobody", "", "Hi", "MISSING_REQUIRED_FIELDS"),
        ("empty", JANE, "", "EMPTY_MESSAGE"),
        ("abroad", "+64211234567", "Hi", "COUNTRY_NOT_ENABLED"),
        ("no-route", "+61491571266", "Hi", "COUNTRY_NOT_ENABLED"),
        ("twice", "+61491570737", "Hi", "THROTTLED"),
        ("muddled", "+61491571491", "Hi", "INTERNAL_ERROR"),
    ];
    let asked: Vec<(&str, &str, &str)> = texts.iter().map(|(id, to, words, _)| (*id, *to, *words)).collect();
    let (_, answer) = send(&simulator, Provider::ClickSend, &asked).await;
    for (index, (id, .., status)) in texts.iter().enumerate() {
        assert_eq!(answer["data"]["messages"][index]["status"], *status, "{id}");
        assert_eq!(simulator.ledger().copies(id), u32::from(*id == "muddled"), "{id}");
    }
    let named = json!({ "messages": [
        { "to": JANE, "body": "Hi", "from": "Avatar Imaging", "custom_string": "a" },
        { "to": JANE, "body": "Hi", "from": "AvatarImaging", "custom_string": "b" },
        { "to": JANE, "body": "Hi", "from": "AvatarImage", "custom_string": "c" },
    ] });
    let asked = request(&simulator, &client(PATIENCE), reqwest::Method::POST, "/v3/sms/send").json(&named);
    let answer: Value = asked.send().await.unwrap().json().await.unwrap();
    let status = |index: usize| answer["data"]["messages"][index]["status"].clone();
    assert_eq!([status(0), status(1), status(2)], ["INVALID_SENDER_ID", "INVALID_SENDER_ID", "SUCCESS"]);
    let url = format!("{}/v3/sms/send", simulator.base_url());
    let poor = client(PATIENCE)
        .post(url)
        .basic_auth("nocredit", Some(KEY_DEFAULT))
        .json(&body(Provider::ClickSend, &[("poor", JANE, "Hi")]));
    let answer: Value = poor.send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["data"]["messages"][0]["status"], "INSUFFICIENT_CREDIT");
}

#[tokio::test(flavor = "multi_thread")]
async fn clicksends_history_is_found_by_number_and_in_pages() {
    let simulator = simulator(Provider::ClickSend, &[]).await;
    for n in 0..7 {
        send(&simulator, Provider::ClickSend, &[(&format!("s-{n}"), JANE, "Hi"), (&format!("o-{n}"), CLINIC, "Ho")]).await;
    }
    send(&simulator, Provider::ClickSend, &[("refused", "+610", "Hi")]).await;
    let ids = async |query: &str| {
        let (status, answer) = get(&simulator, &format!("/v3/sms/history?{query}")).await;
        assert_eq!(status, 200);
        let data = &answer["data"];
        let found = data["data"].as_array().unwrap().iter().map(|text| text["custom_string"].as_str().unwrap().to_owned());
        (data["total"].as_u64().unwrap(), data["last_page"].as_u64().unwrap(), found.collect::<Vec<_>>())
    };
    assert_eq!(ids("q=to:%2B61491570006&limit=3").await, (7, 3, vec!["s-6".into(), "s-5".into(), "s-4".into()]));
    assert_eq!(ids("q=to:+61491570006&limit=3&page=3").await, (7, 3, vec!["s-0".into()]));
    assert_eq!(ids("limit=100").await.0, 14, "what was refused is no history");
    assert_eq!(ids("date_from=4102444800").await.0, 0);
    assert_eq!(ids("q=custom_string:s-1").await.0, 0, "not a filter that ClickSend has");
    let (_, answer) = get(&simulator, "/v3/sms/history?limit=1").await;
    assert_eq!(answer["data"]["data"][0]["message_parts"], "1", "numbers are strings in the history");
    let by_id = answer["data"]["data"][0]["message_id"].as_str().unwrap();
    assert_eq!(ids(&format!("q=message_id:{by_id}")).await.0, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn clicksend_prices_without_sending_and_shows_the_account() {
    let simulator = simulator(Provider::ClickSend, &[]).await;
    let long = "a".repeat(161);
    let asked = request(&simulator, &client(PATIENCE), reqwest::Method::POST, "/v3/sms/price")
        .json(&body(Provider::ClickSend, &[("s", JANE, &long), ("u", JANE, "ễ"), ("i", "+610", "Hi")]));
    let answer: Value = asked.send().await.unwrap().json().await.unwrap();
    assert_eq!((&answer["data"]["total_price"], &answer["data"]["queued_count"]), (&json!(0.2376), &json!(2)));
    assert_eq!(answer["data"]["messages"][0]["message_parts"], 2);
    assert_eq!(simulator.ledger().totals().sent, 0);
    let (status, account) = get(&simulator, "/v3/account").await;
    assert_eq!(
        (status, &account["data"]["username"], &account["data"]["balance"]),
        (200, &json!("simulator"), &json!("1000.000000"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn messagemedia_echoes_what_it_takes_and_shows_it_again() {
    let simulator = simulator(Provider::MessageMedia, &[]).await;
    let asked = request(&simulator, &client(PATIENCE), reqwest::Method::POST, "/v1/messages");
    let answer = asked.body(sample("messagemedia_send_request.json")).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let answer: Value = answer.json().await.unwrap();
    let (message, documented) = (&answer["messages"][0], sampled("messagemedia_send_response_202.json")["messages"][0].clone());
    for (name, value) in documented.as_object().unwrap() {
        if !["message_id", "message_expiry_timestamp"].contains(&name.as_str()) {
            assert_eq!(message[name], *value, "{name}");
        }
    }
    let id = message["message_id"].as_str().unwrap();
    assert_eq!(id.len(), 36);
    // The sample's callback is not of this machine: nobody answers there, and the state stays what it was.
    let (status, found) = get(&simulator, &format!("/v1/messages/{id}")).await;
    assert_eq!((status, &found["message_id"], &found["metadata"]), (200, &json!(id), &message["metadata"]));
    assert_eq!(get(&simulator, "/v1/messages/877c19ef-fa2e-4cec-827a-e1df9b5509f7").await.0, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn messagemedia_takes_all_or_nothing() {
    let simulator = simulator(Provider::MessageMedia, &[]).await;
    let (status, answer) =
        send(&simulator, Provider::MessageMedia, &[("good", JANE, "Hi"), ("bad", "+61491570110", "Hi"), ("empty", JANE, "")])
            .await;
    assert_eq!(status, 400);
    assert_eq!(
        answer["details"],
        json!(["messages[1]: destination_number is not valid", "messages[2]: content must not be empty"])
    );
    assert_eq!(simulator.ledger().totals().sent, 0, "not even the good one");
    let many: Vec<(&str, &str, &str)> = vec![("s", JANE, "Hi"); 101];
    assert_eq!(send(&simulator, Provider::MessageMedia, &many).await.0, 400);
    let broken = request(&simulator, &client(PATIENCE), reqwest::Method::POST, "/v1/messages").body("{");
    let answer = broken.send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.json::<Value>().await.unwrap()), (400, sampled("messagemedia_error_400.json")));
    let stranger = client(PATIENCE).post(format!("{}/v1/messages", simulator.base_url())).body("{}").send().await.unwrap();
    assert_eq!(
        (stranger.status().as_u16(), stranger.json::<Value>().await.unwrap()),
        (403, sampled("messagemedia_error_403.json"))
    );
}
