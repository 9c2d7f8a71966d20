//! Callers who are slow, many or too talkative. Limits are short here, so that nobody waits.

use super::raw::{self, connect, read_answer, read_to_end, request, within};
use super::site::{MANYCHAT_HEADERS, Site, lead_body};
use avatar::http::ServerLimits;
use futures_util::FutureExt;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const SHORT: Duration = Duration::from_millis(200);
/// Long enough for a busy machine to send the next request.
const IDLE: Duration = Duration::from_secs(1);

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
    let site = Site::with(ServerLimits { header_timeout: SHORT, ..ServerLimits::default() }).await;
    for beginning in ["", "GET /hea", "GET /health HTTP/1.1\r\nHost: clin", "PRI * HTTP/2.0\r\n\r\n"] {
        let mut stream = connect(site.address).await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        let answer = read_to_end(&mut stream).await;
        assert!(!String::from_utf8_lossy(&answer).contains("200 OK"), "{beginning:?}");
    }
    within(async { while !answers(&site).await {} }).await;
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
    let site = Site::with(ServerLimits { idle_timeout: IDLE, ..ServerLimits::default() }).await;
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
async fn only_so_many_bodies_are_read_at_once() {
    let site = Site::with(one_at_a_time()).await;
    let mut first = InFlight::begin(&site, "first").await;
    let refused = site.lead("second").await;
    assert_eq!((refused.status, refused.header("retry-after").is_some()), (503, true));
    first.finish().await;
    assert_eq!(read_answer(&mut first.stream).await.status, 200);
    assert_eq!(site.lead("second").await.status, 200);
}

fn one_at_a_time() -> ServerLimits {
    ServerLimits { bodies_max: 1, drain_timeout: SHORT, ..ServerLimits::default() }
}

/// A lead of which the last bytes are held back.
struct InFlight {
    stream: TcpStream,
    rest: Vec<u8>,
}

impl InFlight {
    /// Comes back when the server is reading the body: then it, which reads one at a time, refuses others.
    /// It may itself be refused, because it came while another one was read: then it begins again.
    async fn begin(site: &Site, id: &str) -> Self {
        let mut most = request("POST", "/webhooks/manychat", &MANYCHAT_HEADERS, &lead_body(id));
        let rest = most.split_off(most.len() - 5);
        let begun = async {
            loop {
                let mut stream = connect(site.address).await;
                stream.write_all(&most).await.unwrap();
                while !is_answered(&stream) && site.lead("another").await.status != 503 {}
                if !is_answered(&stream) {
                    return stream;
                }
            }
        };
        Self { stream: within(begun).await, rest }
    }

    async fn finish(&mut self) {
        self.stream.write_all(&self.rest).await.unwrap();
    }
}

fn is_answered(stream: &TcpStream) -> bool {
    stream.peek(&mut [0; 1]).now_or_never().is_some()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_finishes_what_has_begun_and_closes_the_rest() {
    let site = Site::with(ServerLimits { drain_timeout: raw::PATIENCE, ..one_at_a_time() }).await;
    let mut idle = connect(site.address).await;
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: clinic\r\n\r\n").await.unwrap();
    read_answer(&mut idle).await;
    let mut busy = InFlight::begin(&site, "in flight").await;
    site.stop.cancel();
    assert!(read_to_end(&mut idle).await.is_empty());
    busy.finish().await;
    assert_eq!(read_answer(&mut busy.stream).await.status, 200);
    within(site.server).await.unwrap().unwrap();
    assert!(TcpStream::connect(site.address).await.is_err(), "nobody is listening any more");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_does_not_wait_for_ever() {
    let site = Site::with(one_at_a_time()).await;
    let mut stalled = InFlight::begin(&site, "never").await;
    site.stop.cancel();
    within(site.server).await.unwrap().unwrap();
    assert!(read_to_end(&mut stalled.stream).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_that_says_nothing_does_not_keep_others_out() {
    let site = Site::with(ServerLimits { header_timeout: SHORT, connections_max: 300, ..ServerLimits::default() }).await;
    let mut crowd = Vec::new();
    for n in 0..250 {
        let mut stream = connect(site.address).await;
        if n % 2 == 0 {
            stream.write_all(b"POST /webhooks/manychat HTTP/1.1\r\nX-").await.unwrap();
        }
        crowd.push(stream);
    }
    for n in 0..20 {
        assert_eq!(site.lead(&format!("lead {n}")).await.status, 200);
    }
    for mut stream in crowd {
        assert!(read_to_end(&mut stream).await.is_empty(), "hung up on without a word");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_2_is_spoken_on_the_same_port() {
    let site = Site::open().await;
    let io = TokioIo::new(connect(site.address).await);
    let (mut sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    let connection = tokio::spawn(connection);
    for n in 0..3 {
        let body = http_body_util::Full::new(bytes::Bytes::from(lead_body(&format!("h2 {n}"))));
        let request =
            MANYCHAT_HEADERS.iter().fold(hyper::Request::post("http://clinic/webhooks/manychat"), |request, (name, value)| {
                request.header(*name, *value)
            });
        let answer = within(sender.send_request(request.body(body).unwrap())).await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, hyper::Version::HTTP_2));
    }
    site.stop.cancel();
    within(site.server).await.unwrap().unwrap();
    assert!(within(connection).await.unwrap().is_ok(), "said goodbye");
}
