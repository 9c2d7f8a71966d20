//! What providers hear.

use super::raw::{self, request};
use super::site::{MANYCHAT_HEADERS, SMS_TOKEN, Site, WIX_SECRET, lead_body};
use avatar::domain::staff::Role;
use avatar::inbound::sign::hmac_hex;
use std::collections::BTreeSet;
use std::sync::Arc;

const WIX_BODY: &str = include_str!("../../samples/wix_plain_seed.json");
const FORM: &str = "application/x-www-form-urlencoded";
const INBOUND: &str = include_str!("../../samples/clicksend_inbound.form");
const RECEIPT: &str = include_str!("../../samples/clicksend_receipt_201.form");

/// One line of the status table: what is sent, and what must come back.
pub struct Case {
    pub name: &'static str,
    pub request: Vec<u8>,
    pub status: u16,
}

pub fn table() -> Vec<Case> {
    let json = ("Content-Type", "application/json");
    let form = ("Content-Type", FORM);
    let token = ("X-Webhook-Token", SMS_TOKEN);
    let wix = hmac_hex(WIX_SECRET, WIX_BODY.as_bytes());
    let wix = [("X-Wix-Webhook-Signature", wix.as_str()), json];
    let wrong = [("X-Wix-Webhook-Signature", "00"), json];
    let inbound = format!("/webhooks/sms/inbound/{SMS_TOKEN}");
    let receipts = format!("/webhooks/sms/receipts/{SMS_TOKEN}");
    let lead = lead_body("table");
    let [secret, _] = MANYCHAT_HEADERS;
    let case = |name, status, method: &str, path: &str, headers: &[(&str, &str)], body: &str| Case {
        name,
        status,
        request: request(method, path, headers, body),
    };
    vec![
        case("wix, signed", 200, "POST", "/webhooks/wix/bookings", &wix, WIX_BODY),
        case("wix, the same again on its other path", 200, "POST", "/webhooks/wix", &wix, WIX_BODY),
        case("wix, wrong signature", 401, "POST", "/webhooks/wix", &wrong, WIX_BODY),
        case("wix, changed after signing", 401, "POST", "/webhooks/wix", &wix, &format!("{WIX_BODY} ")),
        case("wix, no signature", 401, "POST", "/webhooks/wix", &[json], WIX_BODY),
        case("manychat", 200, "POST", "/webhooks/manychat", &MANYCHAT_HEADERS, &lead),
        case("manychat, verified but unreadable", 200, "POST", "/webhooks/manychat", &MANYCHAT_HEADERS, "{nonsense"),
        case("manychat, no token", 401, "POST", "/webhooks/manychat", &[json], &lead),
        case("manychat, empty", 401, "POST", "/webhooks/manychat", &MANYCHAT_HEADERS, ""),
        case("manychat, another type", 415, "POST", "/webhooks/manychat", &[secret, ("Content-Type", "text/xml")], "<a/>"),
        case("manychat, compressed", 415, "POST", "/webhooks/manychat", &[secret, json, ("Content-Encoding", "gzip")], "xx"),
        case("sms, token in the path", 200, "POST", &inbound, &[form], INBOUND),
        case("sms, token in the header", 200, "POST", "/webhooks/sms/inbound", &[form, token], INBOUND),
        case("sms, no token", 401, "POST", "/webhooks/sms/inbound", &[form], INBOUND),
        case("sms, wrong token", 401, "POST", "/webhooks/sms/inbound/guess", &[form], INBOUND),
        case("sms, XML", 415, "POST", &inbound, &[("Content-Type", "application/xml")], "<reply/>"),
        case("receipt, token in the path", 200, "POST", &receipts, &[form], RECEIPT),
        case("receipt, token in the header", 200, "POST", "/webhooks/sms/receipts", &[form, token], RECEIPT),
        case("a source nobody declared", 404, "POST", "/webhooks/fax", &[json], "{}"),
        case("another method", 405, "GET", "/webhooks/manychat", &[], ""),
        case("TRACE", 405, "TRACE", "/webhooks/wix", &[], ""),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_delivery_gets_the_status_that_its_sender_understands() {
    let site = Site::open().await;
    for case in table() {
        let answer = raw::send(site.address, &case.request).await;
        assert_eq!(answer.status, case.status, "{}: {}", case.name, answer.body);
        if answer.status == 200 {
            let body = answer.json();
            assert_eq!(body["success"], true, "{}", case.name);
            assert!(body["duplicate"].is_boolean() && body["event_id"].as_str().unwrap().len() == 36, "{body}");
        } else {
            assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{}", case.name);
            assert_eq!(answer.json()["status"], case.status, "{}", case.name);
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{}", case.name);
        assert_eq!(answer.header("x-request-id").map(str::len), Some(36), "{}", case.name);
        assert_eq!(answer.header("server"), None);
    }
}

/// A provider that was told to send XML can be told otherwise by whoever reads its log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_content_type_is_refused_with_those_that_are_taken() {
    let site = Site::open().await;
    let path = format!("/webhooks/sms/receipts/{SMS_TOKEN}");
    let answer = raw::send(site.address, &request("POST", &path, &[("Content-Type", "application/xml")], "<report/>")).await;
    assert_eq!(answer.json()["detail"], "Send application/json or application/x-www-form-urlencoded, not compressed.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_copies_at_once_are_one_event_and_fifty_times_200() {
    let site = Arc::new(Site::open().await);
    let sends = (0..50).map(|_| {
        let site = Arc::clone(&site);
        tokio::spawn(async move { site.lead("same").await })
    });
    let mut ids = BTreeSet::new();
    let mut fresh = 0;
    for send in sends.collect::<Vec<_>>() {
        let answer = send.await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.body);
        ids.insert(answer.json()["event_id"].as_str().unwrap().to_owned());
        fresh += usize::from(answer.json()["duplicate"] == false);
    }
    assert_eq!((ids.len(), fresh), (1, 1));
    let key = site.key(Role::Ops).await;
    let events = site.get(&key, "/api/events?type=lead_created").await.json();
    assert_eq!(events["total"], 1);
    assert_eq!(events["items"][0]["duplicates"], 49);
    assert_eq!(events["items"][0]["source"], "manychat");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunked_body_is_as_good_as_one_with_a_length() {
    let site = Site::open().await;
    let body = lead_body("chunked");
    let (first, second) = body.split_at(17);
    let mut request = request("POST", "/webhooks/manychat", &MANYCHAT_HEADERS, "");
    request.truncate(request.len() - 2);
    request.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
    for part in [first, second, ""] {
        request.extend_from_slice(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes());
    }
    let answer = raw::send(site.address, &request).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(site.lead("chunked").await.json()["duplicate"], true);
}
