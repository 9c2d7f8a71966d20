//! Waking the workers of other nodes, and telling their listeners what changed, on PostgreSQL. One thread with a connection of its own
//! sends what was committed, gathered (inside of the transactions NOTIFY would take a global lock), and listens. It may lose wakes, as
//! workers poll as well; listeners are told when something may have been lost.

use super::changes::{Gathered, Topic};
use super::db::{Conn, Db};
use super::dialect::postgres;
use super::error::{StoreError, StoreResult};
use super::sql::{Number, sql};
use super::wakeups::Wakeups;
use diesel::connection::SimpleConnection;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

const CHANNEL: &str = "avatar_jobs";
const CHANGES_CHANNEL: &str = "avatar_changes";
/// Instead of a topic: some changes were not told.
const GAP: &str = "*";
/// How often the thread looks for notifications, and at most sends some.
const ROUND: Duration = Duration::from_millis(25);
/// So many quiet rounds, and the connection is asked for a sign of life.
const ROUNDS_TO_WATCHDOG: u32 = 200;
/// So many rounds pass before a lost connection is opened again.
const ROUNDS_TO_RECONNECT: u32 = 40;
/// Announcements that wait; further ones are dropped.
const ANNOUNCEMENTS_MAX: usize = 1_024;

/// Tells other nodes. The thread ends when this is dropped.
pub(in crate::store) struct Notifier {
    line: SyncSender<(String, u32)>,
    changes: Arc<Mutex<Gathered>>,
}

impl Notifier {
    pub(in crate::store) fn start(url: &str, wakeups: &Arc<Wakeups>) -> StoreResult<Self> {
        let (line, arrived) = sync_channel(ANNOUNCEMENTS_MAX);
        let changes = Arc::new(Mutex::new(Gathered::default()));
        let mut ear = Ear {
            url: url.to_owned(),
            conn: None,
            wakeups: Arc::downgrade(wakeups),
            changes: Arc::clone(&changes),
            owes_gap: false,
            pid: 0,
            rounds: ROUNDS_TO_RECONNECT,
        };
        // Before anybody listens, so that nobody has missed anything.
        ear.connect()?;
        std::thread::Builder::new()
            .name("store-notify".into())
            .spawn(move || ear.run(&arrived))
            .map_err(|e| StoreError::Unavailable { reason: e.kind().to_string() })?;
        Ok(Self { line, changes })
    }

    pub(in crate::store) fn announce(&self, queue: &str, jobs: u32) {
        drop(self.line.try_send((queue.to_owned(), jobs)));
    }

    pub(in crate::store) fn tell(&self, gathered: &Gathered) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).merge(gathered.clone());
    }
}

struct Ear {
    url: String,
    conn: Option<Conn>,
    wakeups: Weak<Wakeups>,
    /// What other nodes are to hear.
    changes: Arc<Mutex<Gathered>>,
    /// Other nodes have not heard of some changes.
    owes_gap: bool,
    /// The server process of the connection: its own notifications are known already.
    pid: i64,
    rounds: u32,
}

impl Ear {
    fn run(&mut self, arrived: &Receiver<(String, u32)>) {
        loop {
            let mut news: BTreeMap<String, u32> = BTreeMap::new();
            match arrived.recv_timeout(ROUND) {
                Ok((queue, jobs)) => *news.entry(queue).or_default() += jobs,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            for (queue, jobs) in arrived.try_iter() {
                *news.entry(queue).or_default() += jobs;
            }
            if self.round(&news).is_err() {
                self.conn = None;
                self.rounds = 0;
                self.owes_gap = true;
            }
        }
    }

    fn round(&mut self, news: &BTreeMap<String, u32>) -> StoreResult<()> {
        self.rounds = self.rounds.saturating_add(1);
        if self.conn.is_none() {
            if self.rounds < ROUNDS_TO_RECONNECT {
                return Ok(());
            }
            self.rounds = 0;
            self.connect()?;
            // Meanwhile nobody listened.
            if let Some(wakeups) = self.wakeups.upgrade() {
                wakeups.changes().miss();
            }
        }
        let Some(conn) = &mut self.conn else { return Ok(()) };
        for (queue, jobs) in news {
            let message = format!("{jobs} {queue}");
            notify(conn, CHANNEL, &message)?;
        }
        if self.owes_gap {
            notify(conn, CHANGES_CHANNEL, GAP)?;
            self.owes_gap = false;
        }
        let changes = std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner));
        for (topic, ids) in changes.into_topics() {
            notify(conn, CHANGES_CHANNEL, &format!("{} {}", topic.as_str(), ids.join(" ")))?;
        }
        if self.rounds >= ROUNDS_TO_WATCHDOG {
            self.rounds = 0;
            sql("SELECT 1::BIGINT AS n").load::<Number>(conn)?;
        }
        listen(conn, self.pid, &self.wakeups)
    }

    fn connect(&mut self) -> StoreResult<()> {
        let mut conn = postgres::open_writer(&self.url)?;
        if let Db::Pg(pg) = &mut conn.db {
            pg.batch_execute("LISTEN avatar_jobs; LISTEN avatar_changes")?;
        }
        let own: Option<Number> = sql("SELECT pg_backend_pid()::BIGINT AS n").first(&mut conn)?;
        self.pid = own.map_or(0, |row| row.n);
        self.conn = Some(conn);
        Ok(())
    }
}

fn notify(conn: &mut Conn, channel: &'static str, message: &str) -> StoreResult<()> {
    sql("SELECT 1::BIGINT AS n, pg_notify(?, ?)").bind(channel).bind(message).load::<Number>(conn)?;
    Ok(())
}

fn listen(conn: &mut Conn, own_pid: i64, wakeups: &Weak<Wakeups>) -> StoreResult<()> {
    let (Db::Pg(pg), Some(wakeups)) = (&mut conn.db, wakeups.upgrade()) else { return Ok(()) };
    for notification in pg.notifications_iter() {
        let notification = notification?;
        if i64::from(notification.process_id) == own_pid {
            continue;
        }
        if notification.channel == CHANGES_CHANNEL {
            heard(&wakeups, &notification.payload);
        } else if let Some((jobs, queue)) = notification.payload.split_once(' ') {
            wakeups.wake(queue, jobs.parse().unwrap_or(1));
        }
    }
    Ok(())
}

/// Another node's changes: `tasks ID ID …`, without ids when there were many.
fn heard(wakeups: &Wakeups, payload: &str) {
    let mut words = payload.split_ascii_whitespace();
    // What a newer program tells may be unknown here.
    let Some(topic) = words.next().and_then(Topic::parse) else { return wakeups.changes().miss() };
    let mut gathered = Gathered::default();
    gathered.add_all(topic, &words.map(str::to_owned).collect::<Vec<_>>());
    wakeups.changes().tell(gathered);
}
