//! Webhooks into the real server: verified, parsed, deduplicated, on stable storage before the answer.

use super::client::{closed_loop, open_loop, post};
use super::house::House;
use super::{SECONDS, line};
use avatar::domain::clock::{Clock, SharedClock, SystemClock};
use avatar::inbound::Secrets;
use avatar::inbound::sign::{Identity, WixSigner, hmac_hex};
use std::sync::Arc;

const SECRET: &str = "load-secret";
const PATH: &str = "/webhooks/wix/bookings";
const CONNECTIONS: [usize; 4] = [1, 16, 64, 256];
/// RSA signatures are made before the clock starts: they cost the sender far more than the receiver.
const JWTS: usize = 3_000;
const OPEN_RATE: usize = 1_000;

pub async fn run() {
    let public = std::fs::read_to_string(sample("wix_test_public.pem")).expect("a key");
    let secrets = Secrets::new().with("WIX_WEBHOOK_SECRET", SECRET).with("WIX_WEBHOOK_PUBLIC_KEY", &public);
    let clock: SharedClock = Arc::new(SystemClock);
    let house = House::open(clock, &secrets).await;
    let serving = house.serve().await;
    let address = serving.base_url.trim_start_matches("http://").parse().expect("an address");
    for connections in CONNECTIONS {
        let make = move |client, n| Some(signed_json(&format!("h{connections}-{client}-{n}")));
        let measured = closed_loop(address, connections, SECONDS, make).await;
        line(&measured.row(&format!("HMAC JSON, {connections} connections")));
    }
    let make = move |client, n| Some(signed_json(&format!("o-{client}-{n}")));
    let measured = open_loop(address, 64, OPEN_RATE, SECONDS, make).await;
    line(&measured.row(&format!("HMAC JSON, open loop {OPEN_RATE}/s")));
    for connections in [16, 64] {
        let requests = Arc::new(jwts(connections));
        let make = move |client: usize, n: usize| requests.get(n * connections + client).cloned();
        let measured = closed_loop(address, connections, SECONDS, make).await;
        line(&measured.row(&format!("Wix JWT, {connections} connections")));
    }
    serving.stop().await;
}

/// About 650 bytes.
fn signed_json(id: &str) -> Vec<u8> {
    let padding = "n".repeat(120);
    let body = format!(
        r#"{{"event_id":"{id}","event":"booking_created","event_time":"2026-11-22T02:14:09Z","booking_id":"b-{id}","status":"CONFIRMED","appointment_datetime":"2026-12-04T10:30:00+11:00","end_datetime":"2026-12-04T11:00:00+11:00","timezone":"Australia/Sydney","service_name":"MRI scan","location":{{"name":"Parramatta"}},"customerInfo":{{"contactId":"c-{id}","firstName":"Jane","lastName":"Nguyen","email":"jane.{id}@example.com","phone":"0491 570 006"}},"payment_status":"NOT_PAID","notes":"{padding}"}}"#
    );
    let signature = hmac_hex(SECRET, body.as_bytes());
    post(PATH, &[("Content-Type", "application/json"), ("X-Wix-Webhook-Signature", &signature)], &body)
}

fn jwts(round: usize) -> Vec<Vec<u8>> {
    let signer = WixSigner::from_pem(&std::fs::read_to_string(sample("wix_test_private.pem")).expect("a key")).expect("a signer");
    let inner = std::fs::read_to_string(sample("wix_created.inner.json")).expect("a sample");
    let now = SystemClock.now();
    let one = |n: usize| {
        let inner = inner
            .replace("11111111-0000-4000-8000-000000000001", &format!("11111111-{round:04}-4000-8000-{n:012}"))
            .replace("4d5088e6-7cd4-40cf-8009-92ad4532965e", &format!("4d5088e6-{round:04}-40cf-8009-{n:012}"));
        let body = signer.sign_event("wix.bookings.v2.booking_created", &inner, Identity::Visitor, now).expect("a signature");
        post(PATH, &[], &body)
    };
    (0..JWTS).map(one).collect()
}

fn sample(name: &str) -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/samples").join(name)
}
