//! A unit of work, with the type of its answer hidden from the writer.

use crate::store::db::Tx;
use crate::store::error::StoreError;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use tokio::sync::oneshot;

/// Work on an open transaction. `run` says whether its changes are to stay; `settle` answers the caller.
pub(super) trait Unit: Send {
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;
    /// `lost` is why nothing was committed.
    fn settle(self: Box<Self>, lost: Option<StoreError>);
}

pub(super) enum Reply<R> {
    Later(oneshot::Sender<R>),
    Now(mpsc::SyncSender<R>),
}

impl<R> Reply<R> {
    /// A caller that went away does not want the answer.
    fn send(self, answer: R) {
        match self {
            Self::Later(to) => drop(to.send(answer)),
            Self::Now(to) => drop(to.send(answer)),
        }
    }
}

pub(super) struct Task<T, E, F> {
    work: Option<F>,
    result: Option<Result<T, E>>,
    reply: Reply<Result<T, E>>,
}

impl<T, E, F> Task<T, E, F>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send + 'static,
{
    pub(super) fn boxed(work: F, reply: Reply<Result<T, E>>) -> Box<dyn Unit> {
        Box::new(Self { work: Some(work), result: None, reply })
    }
}

impl<T, E, F> Unit for Task<T, E, F>
where
    T: Send,
    E: From<StoreError> + Send,
    F: FnOnce(&mut Tx<'_>) -> Result<T, E> + Send,
{
    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        let Some(work) = self.work.take() else { return false };
        let result = catch_unwind(AssertUnwindSafe(|| work(tx))).unwrap_or_else(|_| Err(StoreError::Panicked.into()));
        let keep = result.is_ok();
        self.result = Some(result);
        keep
    }

    fn settle(self: Box<Self>, lost: Option<StoreError>) {
        let Self { result, reply, .. } = *self;
        reply.send(match (result, lost) {
            (Some(Err(own)), _) => Err(own),
            (_, Some(lost)) => Err(lost.into()),
            (Some(done), None) => done,
            (None, None) => Err(StoreError::Panicked.into()),
        });
    }
}
