//! The loop of a writer thread: take what is waiting, one transaction, answer after the commit.

use super::checkpoint::Shared;
use super::queue::{Queue, Request};
use crate::store::append::{Append, append_all};
use crate::store::changes::Gathered;
use crate::store::db::{Conn, Tx};
use crate::store::dialect;
use crate::store::error::{StoreError, StoreResult};
use crate::store::options::Target;
use crate::store::wakeups::Wakeups;
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) struct Runner {
    target: Target,
    /// `None` after a failure: opened anew for the next batch.
    conn: Option<Conn>,
    queue: Arc<Queue>,
    /// How many requests it takes at once.
    batch_max: usize,
    wakeups: Arc<Wakeups>,
    /// Who copies the write-ahead log, on SQLite.
    log: Option<Arc<Shared>>,
}

impl Runner {
    pub(super) fn new(target: Target, conn: Option<Conn>, queue: Arc<Queue>, batch_max: usize, wakeups: Arc<Wakeups>) -> Self {
        Self { target, conn, queue, batch_max, wakeups, log: None }
    }

    pub(super) fn with_log(mut self, log: Arc<Shared>) -> Self {
        self.log = Some(log);
        self
    }

    pub(super) fn run(&mut self) {
        while let Some(batch) = self.queue.take(self.batch_max) {
            self.commit_together(batch);
            self.care_for_log();
        }
    }

    /// A log that cannot begin anew now, because somebody reads it, is tried again.
    fn care_for_log(&mut self) {
        let Some(log) = &self.log else { return };
        log.committed();
        if log.take_log_is_long()
            && let Some(conn) = &mut self.conn
        {
            drop(dialect::sqlite::begin_log_anew(conn));
        }
    }

    /// One transaction for the whole batch. Nobody hears of success before the commit.
    fn commit_together(&mut self, mut batch: Vec<Request>) {
        let outcome = self.transact(&mut batch);
        match outcome {
            Ok((wakes, changes)) => {
                for (queue, jobs) in wakes {
                    self.wakeups.committed(&queue, jobs);
                }
                self.wakeups.changed(changes);
                for request in batch {
                    settle(request, None);
                }
            }
            Err(error) => {
                self.abandon();
                let reason = error.to_string();
                for request in batch {
                    settle(request, Some(lost(&error, &reason)));
                }
            }
        }
    }

    /// The first piece has no savepoint, which would cost it a copy of each page that it changes: as nothing went before it, the
    /// whole transaction can begin anew without it.
    fn transact(&mut self, batch: &mut [Request]) -> StoreResult<(BTreeMap<String, u32>, Gathered)> {
        let mut conn = self.begin()?;
        let mut tx = Tx::over(conn);
        let (first, rest) = batch.split_at_mut(run_length(batch));
        if !run_piece(&mut tx, first)? {
            conn.rollback()?;
            if rest.is_empty() {
                return Ok((BTreeMap::new(), Gathered::default()));
            }
            conn = self.begin()?;
            tx = Tx::over(conn);
        }
        let mut position = 0;
        while position < rest.len() {
            let length = run_length(&rest[position..]);
            run_in_savepoint(&mut tx, &mut rest[position..position + length])?;
            position += length;
        }
        let news = tx.into_news();
        conn.commit()?;
        Ok(news)
    }

    /// An open transaction. A connection that went stale while idle is replaced once: nothing has run on it yet.
    fn begin(&mut self) -> StoreResult<&mut Conn> {
        let stale = match &mut self.conn {
            Some(conn) => conn.begin().is_err(),
            None => true,
        };
        if stale {
            self.conn = None;
            let mut fresh = dialect::open_writer(&self.target)?;
            fresh.begin()?;
            self.conn = Some(fresh);
        }
        self.conn.as_mut().ok_or_else(super::closed)
    }

    /// After a failed commit nothing is known of the connection, so it is closed; the database rolls back what was open.
    fn abandon(&mut self) {
        if let Some(mut conn) = self.conn.take() {
            drop(conn.rollback());
        }
    }
}

/// Deliveries that stand together are one piece; a unit is a piece of its own.
fn run_length(batch: &[Request]) -> usize {
    batch.iter().take_while(|r| matches!(r, Request::Append(_))).count().max(1)
}

/// Runs one piece; `Ok(false)` when it is to leave no trace. Errors are those that end the whole transaction.
fn run_piece(tx: &mut Tx<'_>, piece: &mut [Request]) -> StoreResult<bool> {
    if let [Request::Unit(unit)] = piece {
        return Ok(unit.run(tx));
    }
    let mut appends: Vec<&mut Append> =
        piece.iter_mut().filter_map(|r| if let Request::Append(a) = r { Some(a) } else { None }).collect();
    append_all(tx, &mut appends)?;
    Ok(true)
}

/// The failure of one unit undoes only itself. Deliveries have a savepoint of their own.
fn run_in_savepoint(tx: &mut Tx<'_>, piece: &mut [Request]) -> StoreResult<()> {
    if matches!(piece, [Request::Append(_), ..]) {
        return run_piece(tx, piece).map(|_| ());
    }
    tx.open_savepoint()?;
    if run_piece(tx, piece)? { tx.release_savepoint() } else { tx.undo_savepoint() }
}

fn settle(request: Request, lost: Option<StoreError>) {
    match request {
        Request::Unit(unit) => unit.settle(lost),
        Request::Append(append) => append.settle(lost),
    }
}

/// Each caller gets an error of its own; whatever it was, nothing was written.
fn lost(error: &StoreError, reason: &str) -> StoreError {
    match error {
        StoreError::Conflict { what } => StoreError::Conflict { what },
        StoreError::Unavailable { reason } => StoreError::Unavailable { reason: reason.clone() },
        StoreError::Statement(text) => StoreError::Statement(text.clone()),
        _ => StoreError::Unavailable { reason: reason.to_owned() },
    }
}
