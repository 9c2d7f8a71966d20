//! What goes in force by itself, and what waits for a person: files that may be half copied, empty, or from before a rollback.

use super::{Draft, RulesetError, RulesetHost, RulesetOptions, SourceError, read_sources};
use crate::engine::{Ruleset, Sources};
use crate::store::rulesets;
use std::time::Duration;

/// Who publishes when the program starts.
pub const START: &str = "start";
/// Files are believed when they are the same after this time.
const SETTLED: Duration = Duration::from_millis(150);
/// How often that is tried in one reload.
const SETTLED_TRIES_MAX: usize = 4;
/// Earlier rulesets that files are compared with.
const EARLIER_MAX: i64 = 10_000;

impl RulesetHost {
    /// Reads the files and checks them. Puts them in force when they are clean, differ, and that is to happen by itself.
    ///
    /// # Errors
    /// When the files cannot be read, keep changing, or do not check clean; or the database is unavailable.
    pub async fn reload(&self, by: &str) -> Result<Option<i64>, RulesetError> {
        let sources = self.read_settled().await?;
        let turn = self.turn.lock().await;
        let (draft, compiled) = self.check(sources).await;
        let Some((sources, ruleset)) = compiled else { return Err(RulesetError::NotClean(Box::new(draft))) };
        if self.have(&draft) {
            return Ok(None);
        }
        if !self.options.auto {
            // Others need not wait for that.
            drop(turn);
            self.look_ahead(ruleset).await?;
            return Ok(None);
        }
        let is_current = self.follow_if_understood().await?;
        if is_current && self.have(&draft) || self.is_kept_back(&ruleset, by).await? {
            return Ok(None);
        }
        let before = self.current();
        let number = self.put_in_force(sources, ruleset, by.into(), None).await?;
        self.log_difference(before);
        Ok(Some(number))
    }

    /// What is in force here needs no second look, and neither do the first files of all.
    async fn read_settled(&self) -> Result<Sources, SourceError> {
        let in_force = self.current().map(|c| c.ruleset.hash.clone());
        settled(|| read(self.options.clone()), in_force.as_deref(), SETTLED).await
    }

    pub(super) async fn read(&self) -> Result<Sources, SourceError> {
        read(self.options.clone()).await
    }

    fn have(&self, draft: &Draft) -> bool {
        self.current().is_some_and(|c| c.ruleset.hash == draft.hash)
    }

    /// True when only a person may put these files in force. The log says why.
    async fn is_kept_back(&self, ruleset: &Ruleset, by: &str) -> Result<bool, RulesetError> {
        let Some(in_force) = self.store.read(rulesets::find_in_force).await? else { return Ok(false) };
        let current = self.current();
        if ruleset.rules.is_empty() && current.as_ref().is_none_or(|c| !c.ruleset.rules.is_empty()) {
            tracing::error!(
                revision = in_force,
                "the rule files hold no rules at all: what was in force stays in force; `avatar rules publish` would end all rules"
            );
            return Ok(true);
        }
        if by != START || current.is_none() {
            return Ok(false);
        }
        let known = self.store.read(|conn| rulesets::list(conn, EARLIER_MAX)).await?;
        let earlier = known.iter().find(|r| r.hash == ruleset.hash && r.number != in_force);
        if let Some(earlier) = earlier {
            tracing::warn!(
                revision = in_force,
                files = earlier.number,
                "the rule files are those of an earlier ruleset: r{in_force} stays in force; `avatar rules publish` puts the files of r{} in force again",
                earlier.number
            );
        }
        Ok(earlier.is_some())
    }
}

async fn read(options: RulesetOptions) -> Result<Sources, SourceError> {
    let read = tokio::task::spawn_blocking(move || read_sources(&options)).await;
    read.unwrap_or(Err(SourceError::Interrupted))
}

/// Reads until two readings in a row, `pause` apart, are the same. One suffices when nothing is in force, or just this.
async fn settled<R: Future<Output = Result<Sources, SourceError>>>(
    read: impl Fn() -> R,
    in_force: Option<&str>,
    pause: Duration,
) -> Result<Sources, SourceError> {
    let mut before = read().await?;
    if in_force.is_none_or(|hash| hash == before.hash()) {
        return Ok(before);
    }
    for _ in 0..SETTLED_TRIES_MAX {
        tokio::time::sleep(pause).await;
        let now = read().await?;
        if now.files == before.files {
            return Ok(now);
        }
        before = now;
    }
    Err(SourceError::Unsettled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    fn files(text: &str) -> Sources {
        Sources { files: [("rules/a.yaml".to_owned(), text.to_owned())].into() }
    }

    /// What comes of folders that look so, one after the other, and how often they are read.
    async fn read(looks: &[&str], in_force: Option<&str>) -> (Option<String>, usize) {
        let count = AtomicUsize::new(0);
        let look = || std::future::ready(Ok(files(looks[count.fetch_add(1, Ordering::SeqCst)])));
        let in_force = in_force.map(|text| files(text).hash());
        let read = settled(look, in_force.as_deref(), Duration::ZERO).await;
        (read.ok().map(|s| s.files["rules/a.yaml"].clone()), count.into_inner())
    }

    #[tokio::test]
    async fn a_folder_that_is_being_copied_is_waited_for() {
        assert_eq!(read(&["half", "whole", "whole"], Some("old")).await, (Some("whole".into()), 3));
        assert_eq!(read(&["whole", "whole"], Some("old")).await, (Some("whole".into()), 2));
        assert_eq!(read(&["1", "2", "3", "4", "5"], Some("old")).await, (None, 5), "it never stands still");
        assert_eq!(read(&["old"], Some("old")).await, (Some("old".into()), 1), "nothing would change");
        assert_eq!(read(&["first"], None).await, (Some("first".into()), 1), "nothing is in force that could be lost");
    }
}
