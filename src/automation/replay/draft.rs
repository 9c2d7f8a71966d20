//! The files on disk against what is in force: one replay at a time, for whoever asks a running program.

use super::{Difference, ReplayError, compare, load, replay};
use crate::automation::rulesets::{RulesetError, RulesetHost};
use crate::automation::simulate::Rules;
use crate::domain::calendar::Calendar;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::Ruleset;
use crate::engine::ruletest::parse_time;
use crate::engine::syntax::parse_duration;
use crate::store::{Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// Longest window of a replay in a running program, which has other work to do.
pub const WINDOW_MAX: Millis = Millis::days(31);

/// What is replayed.
#[derive(Clone, Debug)]
pub struct Asked {
    pub since: Timestamp,
    pub until: Timestamp,
    /// Number of an earlier ruleset; the one in force when `None`.
    pub against: Option<i64>,
    /// Only what this rule does otherwise.
    pub rule: Option<String>,
}

/// What came of it.
#[derive(Debug)]
pub struct Told {
    /// Number of the ruleset that the draft was compared with.
    pub before: i64,
    /// In the window.
    pub events: usize,
    /// There were more events than one replay takes; the newest are left out.
    pub is_cut: bool,
    pub difference: Difference,
}

#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    #[error("another replay is running")]
    Busy,
    #[error("no ruleset was ever in force")]
    NothingInForce,
    #[error("there is no rule of this id")]
    UnknownRule,
    #[error(transparent)]
    Ruleset(#[from] RulesetError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

impl From<StoreError> for DraftError {
    fn from(error: StoreError) -> Self {
        Self::Ruleset(error.into())
    }
}

/// The beginning of a window: `7d`, `12h`, or a day or time at the clinic; `None` for what is neither, and for the future.
#[must_use]
pub fn parse_since(text: &str, calendar: &Calendar, now: Timestamp) -> Option<Timestamp> {
    let since = parse_duration(text).map(|span| now - span).or_else(|| parse_time(text, calendar))?;
    (since < now).then_some(since)
}

/// Replays the log against the draft. Goes on to its end even when nobody waits for the answer any more.
///
/// # Errors
/// When somebody else replays, and when either side or the log cannot be read.
pub async fn replay_draft(store: Store, host: Arc<RulesetHost>, asked: Asked) -> Result<Told, DraftError> {
    let permit = host.begin_replay().ok_or(DraftError::Busy)?;
    let work = tokio::spawn(async move {
        let told = run(&store, &host, asked).await;
        drop(permit);
        told
    });
    work.await.map_err(|_| ReplayError::Failed)?
}

async fn run(store: &Store, host: &RulesetHost, asked: Asked) -> Result<Told, DraftError> {
    let draft = host.compile_draft().await?;
    let (number, before) = side_before(host, asked.against).await?;
    if asked.rule.as_ref().is_some_and(|rule| before.find_rule(rule).or_else(|| draft.find_rule(rule)).is_none()) {
        return Err(DraftError::UnknownRule);
    }
    let history = store.read(move |conn| load(conn, asked.since, asked.until)).await?;
    let catalogue = host.catalogue().clone();
    let work = tokio::task::spawn_blocking(move || {
        // Both sides carry one number, so that it makes no difference.
        let rules = |ruleset| Rules { ruleset, revision: number, clinic: &catalogue.clinic, pipelines: &catalogue.pipelines };
        let replayed = replay(&history, rules(&before), rules(&draft), &AtomicUsize::new(0))?;
        let difference = compare(&replayed, &before, &draft);
        let difference = match &asked.rule {
            Some(rule) => difference.of_rule(rule),
            None => difference,
        };
        Ok(Told { before: number, events: history.window.len(), is_cut: history.is_cut, difference })
    });
    work.await.map_err(|_| ReplayError::Failed)?
}

async fn side_before(host: &RulesetHost, against: Option<i64>) -> Result<(i64, Arc<Ruleset>), DraftError> {
    if let Some(number) = against {
        return Ok((number, Arc::new(host.compile_earlier(number).await?)));
    }
    host.follow().await?;
    let current = host.current().ok_or(DraftError::NothingInForce)?;
    Ok((current.number, Arc::clone(&current.ruleset)))
}
