//! The simulated provider, as a client over HTTP sees it, and as its book tells it.

mod callbacks;
mod command;
mod faults;
mod shapes;

use avatar::simulator::{KEY_DEFAULT, Options, Provider, Simulator, USERNAME_DEFAULT};
use serde_json::{Value, json};
use std::time::Duration;

/// A number that belongs to nobody, and gets every text.
const JANE: &str = "+61491570006";
/// Ours.
const CLINIC: &str = "+61491570156";

/// What a patient client waits.
const PATIENCE: Duration = Duration::from_secs(20);

async fn simulator(provider: Provider, rules: &[&str]) -> Simulator {
    let faults = rules.iter().map(|rule| rule.parse().unwrap()).collect();
    Simulator::start(Options { faults, ..Options::new(provider) }).await.unwrap()
}

/// A client that speaks plain HTTP/1.1, as the real gateways do, and follows nothing.
fn client(patience: Duration) -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(patience).build().unwrap()
}

fn send_path(provider: Provider) -> &'static str {
    match provider {
        Provider::ClickSend => "/v3/sms/send",
        Provider::MessageMedia => "/v1/messages",
    }
}

/// Texts as `(our id, number, words)`.
fn body(provider: Provider, texts: &[(&str, &str, &str)]) -> Value {
    let messages: Vec<Value> = texts
        .iter()
        .map(|(id, to, words)| match provider {
            Provider::ClickSend => {
                json!({ "source": "avatar-cms", "to": to, "from": CLINIC, "body": words, "custom_string": id, "country": "AU" })
            }
            Provider::MessageMedia => json!({
                "content": words, "destination_number": to, "format": "SMS", "delivery_report": true, "source_number": CLINIC,
                "source_number_type": "INTERNATIONAL", "metadata": { "sms_id": id },
            }),
        })
        .collect();
    json!({ "messages": messages })
}

fn request(simulator: &Simulator, client: &reqwest::Client, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
    client.request(method, format!("{}{path}", simulator.base_url())).basic_auth(USERNAME_DEFAULT, Some(KEY_DEFAULT))
}

/// Sends texts, and reads the whole answer.
async fn send(simulator: &Simulator, provider: Provider, texts: &[(&str, &str, &str)]) -> (u16, Value) {
    let asked = request(simulator, &client(PATIENCE), reqwest::Method::POST, send_path(provider)).json(&body(provider, texts));
    let answer = asked.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn get(simulator: &Simulator, path: &str) -> (u16, Value) {
    let answer = request(simulator, &client(PATIENCE), reqwest::Method::GET, path).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}
