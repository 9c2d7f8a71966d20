//! The live stream, read as a dashboard reads it.

use super::raw::{self, connect, within};
use super::site::Site;
use crate::store::START;
use avatar::automation::staff::{self, split_api_key};
use avatar::domain::contact::Note;
use avatar::domain::ids::new_id;
use avatar::domain::staff::Role;
use avatar::domain::time::Millis;
use avatar::http::ServerLimits;
use avatar::store::{Store, history};
use serde_json::Value;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const SHORT: Duration = Duration::from_millis(50);

/// An open stream.
struct Reader {
    connection: TcpStream,
    head: String,
    /// Of the body, chunks taken apart.
    text: String,
    bytes: Vec<u8>,
}

#[derive(Debug, Default, PartialEq)]
struct Heard {
    name: String,
    data: Value,
    id: Option<String>,
}

impl Reader {
    async fn open(site: &Site, key: &str, query: &str, headers: &str) -> Self {
        let mut connection = connect(site.address).await;
        let request = format!("GET /api/stream{query} HTTP/1.1\r\nHost: clinic\r\nAuthorization: Bearer {key}\r\n{headers}\r\n");
        connection.write_all(request.as_bytes()).await.unwrap();
        let mut reader = Self { connection, head: String::new(), text: String::new(), bytes: Vec::new() };
        while reader.head.is_empty() {
            assert!(reader.receive().await, "closed without an answer");
            let text = String::from_utf8_lossy(&reader.bytes).into_owned();
            if let Some((head, _)) = text.split_once("\r\n\r\n") {
                reader.head = head.to_owned();
                reader.bytes.drain(..head.len() + 4);
            }
        }
        reader
    }

    fn status(&self) -> &str {
        self.head.split(' ').nth(1).unwrap()
    }

    /// False at the end.
    async fn receive(&mut self) -> bool {
        let mut chunk = [0; 4096];
        let count = within(self.connection.read(&mut chunk)).await.unwrap_or(0);
        self.bytes.extend_from_slice(&chunk[..count]);
        count > 0
    }

    /// The next event; `None` when the server has ended the stream.
    async fn next(&mut self) -> Option<Heard> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let heard = Heard::parse(event);
                self.text = rest.to_owned();
                return Some(heard);
            }
            if !self.take_chunk() && !self.receive().await {
                return None;
            }
            if self.bytes == b"0\r\n\r\n" {
                return None;
            }
        }
    }

    fn take_chunk(&mut self) -> bool {
        let Some(line) = self.bytes.windows(2).position(|pair| pair == b"\r\n") else { return false };
        let length = usize::from_str_radix(std::str::from_utf8(&self.bytes[..line]).unwrap(), 16).unwrap();
        if length == 0 || self.bytes.len() < line + 2 + length + 2 {
            return false;
        }
        self.text.push_str(std::str::from_utf8(&self.bytes[line + 2..line + 2 + length]).unwrap());
        self.bytes.drain(..line + 2 + length + 2);
        true
    }

    /// The next event of this name.
    async fn hear(&mut self, name: &str) -> Heard {
        loop {
            let heard = self.next().await.expect("the stream goes on");
            if heard.name == name {
                return heard;
            }
        }
    }

    /// The next change of this topic.
    async fn change(&mut self, topic: &str) -> Heard {
        loop {
            let heard = self.hear("change").await;
            if heard.data["topic"] == topic {
                return heard;
            }
        }
    }
}

impl Heard {
    fn parse(text: &str) -> Self {
        let mut heard = Self::default();
        for line in text.lines() {
            match line.split_once(':') {
                Some(("event", name)) => heard.name = name.into(),
                Some(("data", data)) => heard.data = serde_json::from_str(data).unwrap(),
                Some(("id", id)) => heard.id = Some(id.into()),
                Some(("retry", "2000")) => {}
                _ => panic!("{line:?} is nothing that this stream says"),
            }
        }
        heard
    }
}

async fn write_note(store: &Store, contact_id: &str) {
    let (id, contact_id) = (new_id(START), Some(contact_id.to_owned()));
    let author = "key:test".into();
    let note = Note { id, contact_id, booking_id: None, body: "called".into(), author, run_id: None, created_at: START };
    store.write(move |tx| history::insert_notes(tx, &[&note])).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_changes_is_heard_as_ids_and_nothing_else() {
    for site in Site::of_each_database().await {
        let key = site.key(Role::Manager).await;
        let mut reader = Reader::open(&site, &key, "", "").await;
        assert_eq!(reader.status(), "200");
        assert!(reader.head.contains("text/event-stream"), "{}", reader.head);
        let ready = reader.next().await.unwrap();
        assert_eq!(ready.name, "ready");

        let event_id = site.lead("one").await.json()["event_id"].as_str().unwrap().to_owned();
        let heard = reader.change("events").await;
        assert_eq!(heard.data["ids"], serde_json::json!([event_id]));
        assert!(heard.data["seq"].as_u64() > ready.data["seq"].as_u64());
        assert_eq!(heard.data.as_object().unwrap().len(), 3, "topic, ids and seq: {heard:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_comes_back_hears_what_they_missed_or_that_they_missed_something() {
    let site = Site::open().await;
    let key = site.key(Role::Manager).await;
    let mut reader = Reader::open(&site, &key, "", "").await;
    let position = reader.next().await.unwrap().id.unwrap();
    drop(reader);
    site.lead("one").await;

    let mut by_header = Reader::open(&site, &key, "", &format!("Last-Event-ID: {position}\r\n")).await;
    let heard = by_header.change("events").await;
    let mut by_query = Reader::open(&site, &key, &format!("?last_event_id={position}"), "").await;
    assert_eq!(by_query.change("events").await, heard, "the same numbers again");
    let mut from_elsewhere = Reader::open(&site, &key, "?last_event_id=another-17", "").await;
    from_elsewhere.hear("resync").await;
    site.lead("two").await;
    from_elsewhere.change("events").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_front_desk_hears_of_its_own_topics_only() {
    let site = Site::open().await;
    let key = site.key(Role::FrontDesk).await;
    for (query, status) in
        [("?topics=events", "403"), ("?topics=birds", "400"), ("?topic=tasks", "400"), ("?topics=tasks,sms", "200")]
    {
        assert_eq!(Reader::open(&site, &key, query, "").await.status(), status, "{query}");
    }
    assert_eq!(Reader::open(&site, "avatar_x_y", "", "").await.status(), "401");

    let mut reader = Reader::open(&site, &key, "", "").await;
    site.lead("one").await;
    write_note(&site.context.store, "c-1").await;
    let heard = reader.hear("change").await;
    let contact = (&heard.data["topic"], &heard.data["ids"][0]);
    assert_eq!(contact, (&"contacts".into(), &"c-1".into()), "the event before it is not for them");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quiet_stream_lives_longer_than_an_idle_connection() {
    let limits = ServerLimits { heartbeat: SHORT, idle_timeout: SHORT * 10, ..ServerLimits::default() };
    let site = Site::with(limits).await;
    let mut reader = Reader::open(&site, &site.key(Role::Ops).await, "", "").await;
    for _ in 0..20 {
        reader.hear("heartbeat").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_revoked_key_ends_its_streams() {
    let site = Site::with(ServerLimits { authorise_again: SHORT, ..ServerLimits::default() }).await;
    let (key, other) = (site.key(Role::Ops).await, site.key(Role::Ops).await);
    let mut reader = Reader::open(&site, &key, "", "").await;
    let mut stays = Reader::open(&site, &other, "", "").await;
    reader.hear("ready").await;
    let (id, _) = split_api_key(&key).unwrap();
    staff::revoke_api_key(&site.context.store, &site.context.clock, id).await.unwrap();
    site.test.clock.advance(Millis::seconds(10));
    assert_eq!(reader.next().await, None);
    site.lead("one").await;
    stays.change("events").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_so_many_places_and_one_is_free_again_when_its_reader_leaves() {
    let site = Site::with(ServerLimits { streams_max: 1, heartbeat: SHORT, ..ServerLimits::default() }).await;
    let key = site.key(Role::Ops).await;
    let first = Reader::open(&site, &key, "", "").await;
    let second = Reader::open(&site, &key, "", "").await;
    assert_eq!(second.status(), "503");
    assert!(second.head.to_lowercase().contains("retry-after"), "{}", second.head);
    drop(first);
    within(async { while Reader::open(&site, &key, "", "").await.status() != "200" {} }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_ends_streams_at_once() {
    let site = Site::open().await;
    let mut reader = Reader::open(&site, &site.key(Role::Ops).await, "", "").await;
    reader.hear("ready").await;
    site.stop.cancel();
    assert_eq!(reader.next().await, None);
    // Much sooner than the connections would be closed by force.
    tokio::time::timeout(ServerLimits::default().drain_timeout / 2, site.server).await.unwrap().unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_changes_of_another_node_are_heard() {
    let sites = Site::of_each_database().await;
    let Some(site) = sites.into_iter().find(|site| site.context.store.is_postgres()) else { return };
    let mut reader = Reader::open(&site, &site.key(Role::Ops).await, "", "").await;
    reader.hear("ready").await;
    let other = tokio::task::block_in_place(|| site.test.another_node());
    write_note(&other, "c-1").await;
    assert_eq!(reader.change("contacts").await.data["ids"], serde_json::json!(["c-1"]));
    tokio::task::block_in_place(|| drop(other));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_request_and_another_method_are_answered_at_once() {
    let site = Site::open().await;
    let key = site.key(Role::Ops).await;
    let authorization = ("Authorization", format!("Bearer {key}"));
    let head = site.send("HEAD", "/api/stream", &[(authorization.0, &authorization.1)], "").await;
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    let post = raw::send(site.address, &raw::request("POST", "/api/stream", &[(authorization.0, &authorization.1)], "{}")).await;
    assert_eq!(post.status, 405);
}
