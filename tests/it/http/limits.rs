//! Callers who are slow, many or too talkative. Limits are short here, so that nobody waits.

use super::raw::{self, connect, read_answer, read_to_end, request, within};
use super::site::{MANYCHAT_HEADERS, Site, lead_body};
use avatar::http::ServerLimits;
use std::time::Duration;
use tokio::io::AsyncWriteExt;

const SHORT: Duration = Duration::from_millis(200);

fn hasty() -> ServerLimits {
    ServerLimits { header_timeout: SHORT, body_timeout: SHORT, idle_timeout: SHORT, ..ServerLimits::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_megabytes_are_413_whether_announced_or_not() {
    let site = Site::open().await;
    let body = "x".repeat(10 * 1024 * 1024);
    let announced = raw::send(site.address, &request("POST", "/webhooks/manychat", &MANYCHAT_HEADERS, &body)).await;
    assert_eq!(announced.status, 413);

    let mut chunked = request("POST", "/webhooks/manychat", &MANYCHAT_HEADERS, "");
    chunked.truncate(chunked.len() - 2);
    chunked.extend_from_slice(b"Transfer-Encoding: chunked\r\n\r\n");
    for part in body.as_bytes().chunks(65_536) {
        chunked.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        chunked.extend_from_slice(part);
        chunked.extend_from_slice(b"\r\n");
    }
    chunked.extend_from_slice(b"0\r\n\r\n");
    assert_eq!(raw::send(site.address, &chunked).await.status, 413);

    let expecting = [MANYCHAT_HEADERS[0], MANYCHAT_HEADERS[1], ("Expect", "100-continue"), ("Content-Length", "10485760")];
    let answer = raw::send(site.address, &request("POST", "/webhooks/manychat", &expecting, "")).await;
    assert_eq!(answer.status, 413, "a sender that asks first is told before it sends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_says_nothing_or_never_ends_is_hung_up_on() {
    let site = Site::with(hasty()).await;
    for beginning in ["", "GET /hea", "GET /health HTTP/1.1\r\nHost: clin", "PRI * HTTP/2.0\r\n\r\n"] {
        let mut stream = connect(site.address).await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(!String::from_utf8_lossy(&answer).contains("200 OK"), "{beginning:?}");
    }
    assert_eq!(site.send("GET", "/health", &[], "").await.status, 200, "others are served");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_stalls_is_408() {
    let site = Site::with(ServerLimits { body_timeout: SHORT, ..ServerLimits::default() }).await;
    let mut stalled = request("POST", "/webhooks/manychat", &MANYCHAT_HEADERS, &lead_body("slow"));
    stalled.truncate(stalled.len() - 5);
    assert_eq!(raw::send(site.address, &stalled).await.status, 408);
    assert_eq!(site.lead("slow").await.json()["duplicate"], false, "nothing was recorded of it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_is_kept_for_more_requests_until_it_idles() {
    let site = Site::with(hasty()).await;
    let mut stream = connect(site.address).await;
    for _ in 0..3 {
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: clinic\r\n\r\n").await.unwrap();
        let answer = read_answer(&mut stream).await;
        assert_eq!(answer.status, 200);
        assert!(answer.json()["timestamp"].is_i64());
    }
    assert!(read_to_end(&mut stream).await.is_empty(), "closed without a word");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_place_is_the_last_and_comes_free_again() {
    let site = Site::with(ServerLimits { connections_max: 2, ..ServerLimits::default() }).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = connect(site.address).await;
        stream.write_all(b"GET /health HTTP/1.1\r\nHost: clinic\r\n\r\n").await.unwrap();
        assert_eq!(read_answer(&mut stream).await.status, 200);
        held.push(stream);
    }
    let mut third = connect(site.address).await;
    let refused = String::from_utf8(read_to_end(&mut third).await).unwrap();
    assert!(refused.starts_with("HTTP/1.1 503 ") && refused.contains("Retry-After: 1"), "{refused:?}");
    drop(held);
    within(async {
        // The server learns of a closed connection by reading it.
        while !answers(&site).await {
            tokio::task::yield_now().await;
        }
    })
    .await;
}

async fn answers(site: &Site) -> bool {
    let mut stream = connect(site.address).await;
    let _ = stream.write_all(&request("GET", "/health", &[], "")).await;
    String::from_utf8_lossy(&read_to_end(&mut stream).await).starts_with("HTTP/1.1 200 ")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_or_too_large_headers_are_431() {
    let site = Site::open().await;
    let many: Vec<String> = (0..80).map(|n| format!("X-{n}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
    assert_eq!(site.send("GET", "/health", &many, "").await.status, 431);
    let large = "x".repeat(20_000);
    assert_eq!(site.send("GET", "/health", &[("X-Large", &large)], "").await.status, 431);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_in_a_storm_is_429_and_leaves_room_for_others() {
    let site = Site::with(ServerLimits { source_concurrency_max: 1, ..ServerLimits::default() }).await;
    let mut first = connect(site.address).await;
    let whole = request("POST", "/webhooks/manychat", &MANYCHAT_HEADERS, &lead_body("first"));
    let (most, rest) = whole.split_at(whole.len() - 5);
    first.write_all(most).await.unwrap();
    let throttled = within(async {
        loop {
            let answer = site.lead("second").await;
            if answer.status != 200 {
                break answer;
            }
        }
    })
    .await;
    assert_eq!((throttled.status, throttled.header("retry-after").is_some()), (429, true));
    assert_eq!(site.send("POST", "/webhooks/wix", &[], "{}").await.status, 401, "another source is not held up");
    first.write_all(rest).await.unwrap();
    assert_eq!(read_answer(&mut first).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_finishes_what_has_begun_and_closes_the_rest() {
    let site = Site::open().await;
    let mut idle = connect(site.address).await;
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: clinic\r\n\r\n").await.unwrap();
    read_answer(&mut idle).await;
    let mut busy = connect(site.address).await;
    let whole = request("POST", "/webhooks/manychat", &MANYCHAT_HEADERS, &lead_body("in flight"));
    let (most, rest) = whole.split_at(whole.len() - 5);
    busy.write_all(b"GET /health HTTP/1.1\r\nHost: clinic\r\n\r\n").await.unwrap();
    read_answer(&mut busy).await;
    busy.write_all(most).await.unwrap();
    // The server has the beginning of it once it refuses to idle: ask on another connection, in order.
    assert_eq!(site.send("GET", "/health", &[], "").await.status, 200);
    site.stop.cancel();
    assert!(read_to_end(&mut idle).await.is_empty());
    busy.write_all(rest).await.unwrap();
    assert_eq!(read_answer(&mut busy).await.status, 200);
    within(site.server).await.unwrap().unwrap();
    assert!(tokio::net::TcpStream::connect(site.address).await.is_err(), "nobody is listening any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_ever() {
    let site = Site::with(ServerLimits { drain_timeout: SHORT, ..ServerLimits::default() }).await;
    let mut stalled = connect(site.address).await;
    let whole = request("POST", "/webhooks/manychat", &MANYCHAT_HEADERS, &lead_body("never"));
    stalled.write_all(&whole[..whole.len() - 5]).await.unwrap();
    assert_eq!(site.send("GET", "/health", &[], "").await.status, 200);
    site.stop.cancel();
    within(site.server).await.unwrap().unwrap();
}
