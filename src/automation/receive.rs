//! A provider's request becomes events on stable storage.

use crate::domain::time::Timestamp;
use crate::inbound::{RawRequest, Refusal, Source};
use crate::store::{Store, StoreError};
use std::future::Future;

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Of the first event, when the request held several.
    pub event_id: String,
    /// Nothing in the request was new.
    pub duplicate: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    /// The request is not the source's, or not well-formed. Nothing was recorded.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// Not everything is on stable storage; the sender must try again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Verifies the request, at once and on this thread, then records its events. After `Ok` all of them are on stable storage.
/// What is recorded before an error is a duplicate when the sender tries again.
pub fn receive<'s>(
    store: &'s Store,
    source: &Source,
    request: &RawRequest<'_>,
    now: Timestamp,
) -> impl Future<Output = Result<Received, ReceiveError>> + Send + use<'s> {
    let verified = source.receive(request, now);
    async move {
        // All at once, so that they share a commit; the writer keeps their order.
        let appends = verified?.into_iter().map(|delivery| store.append(delivery, now));
        let appended = futures_util::future::try_join_all(appends).await?;
        let duplicate = appended.iter().all(|a| a.duplicate);
        let first = appended.into_iter().next().ok_or(StoreError::NotFound { what: "event" })?;
        Ok(Received { event_id: first.event_id, duplicate })
    }
}
