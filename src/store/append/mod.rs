//! Intake: a delivery becomes an event, what the provider sent, and the job that will work on it, all in one transaction.
//! Deliveries that wait together are written together, by statements of few sizes.

mod rows;

use super::db::Tx;
use super::error::{StoreError, StoreResult};
use crate::domain::event::Delivery;
use crate::domain::time::Timestamp;
pub(in crate::store) use rows::COUNT_DUPLICATE;
use rows::Row;
pub use rows::{Cause, RUN_EVENT, RUN_EVENT_QUEUE};
use tokio::sync::oneshot;

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// Of the event that was recorded for this source and dedupe key first.
    pub event_id: String,
    pub duplicate: bool,
}

/// Records one event inside of a transaction that is already open: chained events, timers, staff.
pub fn record(tx: &mut Tx<'_>, delivery: Delivery, received: Timestamp, cause: Cause) -> StoreResult<Appended> {
    let row = Row::new(delivery, received, cause)?;
    let mut done = rows::insert(tx, &[&row])?;
    done.pop().ok_or(StoreError::NotFound { what: "event" })
}

/// A delivery in the line of the writer.
pub(in crate::store) struct Append {
    row: StoreResult<Row>,
    result: Option<StoreResult<Appended>>,
    reply: oneshot::Sender<StoreResult<Appended>>,
}

impl Append {
    pub(in crate::store) fn new(delivery: Delivery, received: Timestamp, reply: oneshot::Sender<StoreResult<Appended>>) -> Self {
        Self { row: Row::new(delivery, received, Cause::default()), result: None, reply }
    }

    pub(in crate::store) fn settle(self, lost: Option<StoreError>) {
        let answer = match (self.row, self.result, lost) {
            (Err(own), _, _) | (_, Some(Err(own)), _) => Err(own),
            (_, _, Some(lost)) => Err(lost),
            (_, Some(done), None) => done,
            (_, None, None) => Err(StoreError::Panicked),
        };
        drop(self.reply.send(answer));
    }
}

/// Writes all of them together; when that fails, one by one, so that a bad row spoils only itself.
/// An error here means that the transaction itself is broken.
pub(in crate::store) fn append_all(tx: &mut Tx<'_>, appends: &mut [&mut Append]) -> StoreResult<()> {
    let rows: Vec<&Row> = appends.iter().filter_map(|a| a.row.as_ref().ok()).collect();
    tx.open_savepoint()?;
    if let Ok(done) = rows::insert(tx, &rows) {
        let sound = appends.iter_mut().filter(|a| a.row.is_ok());
        sound.zip(done).for_each(|(append, result)| append.result = Some(Ok(result)));
        return tx.release_savepoint();
    }
    tx.undo_savepoint()?;
    appends.iter_mut().try_for_each(|append| append_one(tx, append))
}

fn append_one(tx: &mut Tx<'_>, append: &mut Append) -> StoreResult<()> {
    let Ok(row) = &append.row else { return Ok(()) };
    tx.open_savepoint()?;
    let done = rows::insert(tx, &[row]);
    if done.is_ok() { tx.release_savepoint() } else { tx.undo_savepoint() }?;
    append.result = Some(done.and_then(|mut all| all.pop().ok_or(StoreError::NotFound { what: "event" })));
    Ok(())
}
