//! From changes to server-sent events: `ready` first, then `change` and `heartbeat`, and `resync` where something was missed.

use crate::store::changes::{Change, Listener, News, Topic};
use futures_util::Stream;
use futures_util::stream::unfold;
use serde::Serialize;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use warp::sse::Event;

/// Changes within this time are told together, so that a busy clinic does not keep its readers busy.
const PAUSE: Duration = Duration::from_millis(100);
/// A reader that lost its stream comes back after this time.
const RETRY: Duration = Duration::from_secs(2);

#[derive(Clone, Copy)]
pub(super) struct Rhythm {
    pub heartbeat: Duration,
    pub authorise_again: Duration,
}

/// One reader's stream.
pub(super) struct Feed<G> {
    listener: Listener,
    topics: Vec<Topic>,
    rhythm: Rhythm,
    /// Says whether the reader may still read.
    gate: G,
    stop: CancellationToken,
    /// At most one for each topic.
    ready: VecDeque<Event>,
    not_before: Instant,
    beat_at: Instant,
    authorise_at: Instant,
}

#[derive(Serialize)]
struct ChangeBody<'a> {
    topic: &'static str,
    /// Empty: so many that the whole topic is to be read anew.
    ids: &'a [String],
    seq: u64,
}

#[derive(Serialize)]
struct Position {
    seq: u64,
}

impl<G, F> Feed<G>
where
    G: Fn() -> F + Send + 'static,
    F: Future<Output = bool> + Send,
{
    pub(super) fn new(listener: Listener, topics: Vec<Topic>, rhythm: Rhythm, gate: G, stop: CancellationToken) -> Self {
        let now = Instant::now();
        let (beat_at, authorise_at) = (now + rhythm.heartbeat, now + rhythm.authorise_again);
        let ready = VecDeque::new();
        let mut feed = Self { listener, topics, rhythm, gate, stop, ready, not_before: now, beat_at, authorise_at };
        let hello = feed.at_position("ready").retry(RETRY);
        feed.ready.push_back(hello);
        feed
    }

    /// `held` is dropped with the stream.
    pub(super) fn into_stream<H: Send + 'static>(self, held: H) -> impl Stream<Item = Result<Event, Infallible>> + Send {
        unfold((self, held), |(mut feed, held)| async move {
            let event = feed.next().await?;
            Some((Ok(event), (feed, held)))
        })
    }

    /// `None` at the end: the server stops, or the reader may not read any more.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.beat_at = Instant::now() + self.rhythm.heartbeat;
                return Some(event);
            }
            let news = async {
                sleep_until(self.not_before).await;
                self.listener.next().await
            };
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return None,
                () = sleep_until(self.authorise_at) => {
                    if !(self.gate)().await {
                        return None;
                    }
                    self.authorise_at = Instant::now() + self.rhythm.authorise_again;
                }
                news = news => self.take(news),
                () = sleep_until(self.beat_at) => {
                    let beat = self.at_position("heartbeat");
                    self.ready.push_back(beat);
                }
            }
        }
    }

    fn take(&mut self, news: News) {
        self.not_before = Instant::now() + PAUSE;
        match news {
            News::Missed => {
                let resync = self.at_position("resync");
                self.ready.push_back(resync);
            }
            News::Changes(changes) => {
                let mut wanted: Vec<Change> = changes.into_iter().filter(|change| self.topics.contains(&change.topic)).collect();
                let last = wanted.pop();
                self.ready.extend(wanted.iter().map(body));
                // Only after the last of them has everything up to the position been heard.
                self.ready.extend(last.iter().map(|change| body(change).id(self.listener.position())));
            }
        }
    }

    /// An event that says how far the stream is.
    fn at_position(&self, name: &'static str) -> Event {
        let event = Event::default().event(name).id(self.listener.position());
        with_json(event, &Position { seq: self.listener.seq() })
    }
}

fn body(change: &Change) -> Event {
    let body = ChangeBody { topic: change.topic.as_str(), ids: &change.ids, seq: change.seq };
    with_json(Event::default().event("change"), &body)
}

fn with_json<T: Serialize>(event: Event, body: &T) -> Event {
    // Plain texts and numbers always serialise.
    event.data(serde_json::to_string(body).unwrap_or_else(|_| "{}".to_owned()))
}
