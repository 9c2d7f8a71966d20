//! What has changed, for whoever shows it: ids by topic, numbered, in a ring in memory. Told after the commit, so nothing is told that
//! did not happen; nothing is written for it. Whoever cannot be told everything is told that something was missed.

mod gathered;
mod topic;

pub(in crate::store) use gathered::Gathered;
pub use gathered::IDS_MAX;
pub use topic::Topic;

use crate::domain::ids::new_id;
use crate::domain::time::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// So many changes are remembered for those who come back.
const REMEMBERED_MAX: usize = 4_096;
/// Numbers begin at the time of the start, so that they never go back over a restart: there are fewer changes in a millisecond.
const NUMBERS_PER_MS: u64 = 1_000;
/// The random end of an id.
const STREAM_CHARS: usize = 12;

/// What changed in one commit, of one topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub seq: u64,
    pub topic: Topic,
    /// None: many.
    pub ids: Vec<String>,
}

/// What a listener hears next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// In the order of their numbers; each topic at most once.
    Changes(Vec<Change>),
    /// Something was missed: everything is to be read anew.
    Missed,
}

/// The changes of this process's database, in this process and in others.
pub struct Changes {
    /// Names this ring: a position in another one means nothing here.
    stream: String,
    ring: Mutex<Ring>,
    newest: watch::Sender<u64>,
}

struct Ring {
    changes: VecDeque<Change>,
    /// The number of the newest change, or of the gap after it.
    last: u64,
    /// Who has heard less than this has missed something.
    complete_since: u64,
}

impl Changes {
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let last = now.0.unsigned_abs() * NUMBERS_PER_MS;
        let id = new_id(now);
        let stream = id[id.len() - STREAM_CHARS..].to_owned();
        Self {
            stream,
            ring: Mutex::new(Ring { changes: VecDeque::new(), last, complete_since: last }),
            newest: watch::Sender::new(last),
        }
    }

    /// After a commit, here or elsewhere.
    pub(in crate::store) fn tell(&self, gathered: Gathered) {
        if gathered.is_empty() {
            return;
        }
        let mut ring = self.ring();
        for (topic, ids) in gathered.into_topics() {
            ring.push(topic, ids);
        }
        self.newest.send_replace(ring.last);
    }

    /// Something may have happened of which nobody will hear: everybody reads anew.
    pub(in crate::store) fn miss(&self) {
        let mut ring = self.ring();
        ring.changes.clear();
        ring.last += 1;
        ring.complete_since = ring.last;
        self.newest.send_replace(ring.last);
    }

    /// Listens from now on, or from `position` on, as an earlier listener said it ([`Listener::position`]).
    #[must_use]
    pub fn listen(self: &Arc<Self>, position: Option<&str>) -> Listener {
        let newest = self.newest.subscribe();
        let ring = self.ring();
        let known = position.map(|position| self.number_of(position, &ring));
        let heard = match known {
            // Numbers begin above zero: so whoever has heard nothing has missed something.
            Some(known) => known.unwrap_or(0),
            None => ring.last,
        };
        Listener { changes: Arc::clone(self), newest, heard }
    }

    /// `None` when the position is not of this ring.
    fn number_of(&self, position: &str, ring: &Ring) -> Option<u64> {
        let (stream, number) = position.split_once('-')?;
        let number: u64 = number.parse().ok()?;
        (stream == self.stream && number <= ring.last).then_some(number)
    }

    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn push(&mut self, topic: Topic, ids: Vec<String>) {
        self.last += 1;
        self.changes.push_back(Change { seq: self.last, topic, ids });
        if self.changes.len() > REMEMBERED_MAX
            && let Some(forgotten) = self.changes.pop_front()
        {
            self.complete_since = forgotten.seq;
        }
    }

    /// What came after `heard`, one change for each topic, with the number of its newest.
    fn after(&self, heard: u64) -> Vec<Change> {
        let start = self.changes.partition_point(|change| change.seq <= heard);
        let mut gathered = Gathered::default();
        let mut numbers: BTreeMap<Topic, u64> = BTreeMap::new();
        for change in self.changes.range(start..) {
            gathered.add_all(change.topic, &change.ids);
            numbers.insert(change.topic, change.seq);
        }
        let numbered = |(topic, ids)| Change { seq: numbers.get(&topic).copied().unwrap_or(self.last), topic, ids };
        let mut changes: Vec<Change> = gathered.into_topics().map(numbered).collect();
        changes.sort_by_key(|change| change.seq);
        changes
    }
}

/// Someone who hears of changes. It holds no changes itself: who is slow finds more of them together, or has missed some.
pub struct Listener {
    changes: Arc<Changes>,
    newest: watch::Receiver<u64>,
    heard: u64,
}

impl Listener {
    /// Waits for what comes next. Nothing is lost when it is dropped half-way.
    pub async fn next(&mut self) -> News {
        loop {
            if let Some(news) = self.take() {
                return news;
            }
            if self.newest.changed().await.is_err() {
                // The store is gone, so nothing will ever change.
                std::future::pending::<()>().await;
            }
        }
    }

    /// What there is already.
    pub fn take(&mut self) -> Option<News> {
        let (changes, last, missed) = {
            let ring = self.changes.ring();
            if self.heard == ring.last {
                return None;
            }
            (ring.after(self.heard), ring.last, self.heard < ring.complete_since)
        };
        self.heard = last;
        Some(if missed { News::Missed } else { News::Changes(changes) })
    }

    /// How far it has heard, for listening on later: `9f3c…-1772402400000000`.
    #[must_use]
    pub fn position(&self) -> String {
        format!("{}-{}", self.changes.stream, self.heard)
    }

    /// The number of the last change it has heard of.
    #[must_use]
    pub const fn seq(&self) -> u64 {
        self.heard
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changes() -> Arc<Changes> {
        Arc::new(Changes::new(Timestamp(1_000)))
    }

    fn tell(changes: &Changes, topic: Topic, id: &str) {
        let mut gathered = Gathered::default();
        gathered.add(topic, id);
        changes.tell(gathered);
    }

    #[test]
    fn a_listener_hears_of_each_topic_once_in_order() {
        let changes = changes();
        let mut listener = changes.listen(None);
        assert_eq!(listener.take(), None);
        tell(&changes, Topic::Tasks, "a");
        tell(&changes, Topic::Sms, "b");
        tell(&changes, Topic::Tasks, "c");
        let expected = vec![
            Change { seq: 1_000_002, topic: Topic::Sms, ids: vec!["b".into()] },
            Change { seq: 1_000_003, topic: Topic::Tasks, ids: vec!["a".into(), "c".into()] },
        ];
        assert_eq!(listener.take(), Some(News::Changes(expected)));
        assert_eq!(listener.take(), None);
    }

    #[test]
    fn who_comes_back_goes_on_where_they_were() {
        let changes = changes();
        let position = changes.listen(None).position();
        tell(&changes, Topic::Tasks, "a");
        let again = changes.listen(Some(&position)).take();
        assert!(matches!(again, Some(News::Changes(all)) if all.len() == 1));
    }

    #[test]
    fn who_was_away_for_long_or_comes_from_elsewhere_has_missed_something() {
        let changes = changes();
        let old = changes.listen(None).position();
        let mut slow = changes.listen(None);
        for number in 0..=REMEMBERED_MAX {
            tell(&changes, Topic::Tasks, &number.to_string());
        }
        for position in [old.as_str(), "another-5", "", "nonsense", &format!("{}-{}", changes.stream, u64::MAX)] {
            assert_eq!(changes.listen(Some(position)).take(), Some(News::Missed), "{position}");
        }
        assert_eq!(slow.take(), Some(News::Missed));
        assert_eq!(slow.take(), None, "from now on it hears everything again");
    }

    #[test]
    fn a_gap_is_heard_by_all() {
        let changes = changes();
        let mut listener = changes.listen(None);
        tell(&changes, Topic::Tasks, "a");
        changes.miss();
        tell(&changes, Topic::Tasks, "b");
        assert_eq!(listener.take(), Some(News::Missed));
        assert_eq!(changes.listen(Some(&listener.position())).take(), None);
    }

    #[test]
    fn numbers_do_not_go_back_over_a_restart() {
        let before = changes();
        for number in 0..900 {
            tell(&before, Topic::Tasks, &number.to_string());
        }
        let after = Arc::new(Changes::new(Timestamp(1_001)));
        assert!(after.listen(None).seq() > before.listen(None).seq());
        assert_eq!(after.listen(Some(&before.listen(None).position())).take(), Some(News::Missed));
    }
}
