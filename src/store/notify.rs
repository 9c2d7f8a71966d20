//! Waking the workers of other nodes, on PostgreSQL. One thread with a connection of its own sends what was committed, gathered
//! (inside of the transactions NOTIFY would take a global lock), and listens. It may lose anything: workers poll as well.

use super::db::{Conn, Db};
use super::dialect::postgres;
use super::error::{StoreError, StoreResult};
use super::sql::{Number, sql};
use super::wakeups::Wakeups;
use diesel::connection::SimpleConnection;
use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

const CHANNEL: &str = "avatar_jobs";
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
}

impl Notifier {
    pub(in crate::store) fn start(url: &str, wakeups: &Arc<Wakeups>) -> StoreResult<Self> {
        let (line, arrived) = sync_channel(ANNOUNCEMENTS_MAX);
        let mut ear =
            Ear { url: url.to_owned(), conn: None, wakeups: Arc::downgrade(wakeups), pid: 0, rounds: ROUNDS_TO_RECONNECT };
        std::thread::Builder::new()
            .name("store-notify".into())
            .spawn(move || ear.run(&arrived))
            .map_err(|e| StoreError::Unavailable { reason: e.kind().to_string() })?;
        Ok(Self { line })
    }

    pub(in crate::store) fn announce(&self, queue: &str, jobs: u32) {
        drop(self.line.try_send((queue.to_owned(), jobs)));
    }
}

struct Ear {
    url: String,
    conn: Option<Conn>,
    wakeups: Weak<Wakeups>,
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
        }
        let Some(conn) = &mut self.conn else { return Ok(()) };
        for (queue, jobs) in news {
            let message = format!("{jobs} {queue}");
            sql("SELECT 1::BIGINT AS n, pg_notify(?, ?)").bind(CHANNEL).bind(message).load::<Number>(conn)?;
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
            pg.batch_execute("LISTEN avatar_jobs")?;
        }
        let own: Option<Number> = sql("SELECT pg_backend_pid()::BIGINT AS n").first(&mut conn)?;
        self.pid = own.map_or(0, |row| row.n);
        self.conn = Some(conn);
        Ok(())
    }
}

fn listen(conn: &mut Conn, own_pid: i64, wakeups: &Weak<Wakeups>) -> StoreResult<()> {
    let (Db::Pg(pg), Some(wakeups)) = (&mut conn.db, wakeups.upgrade()) else { return Ok(()) };
    for notification in pg.notifications_iter() {
        let notification = notification?;
        if i64::from(notification.process_id) == own_pid {
            continue;
        }
        if let Some((jobs, queue)) = notification.payload.split_once(' ') {
            wakeups.wake(queue, jobs.parse().unwrap_or(1));
        }
    }
    Ok(())
}
