//! Watches the files, and the ruleset in force in the database.
//!
//! File events only make it fast; reading the files again every few seconds is what makes it certain.

use super::{RulesetError, RulesetHost};
use crate::engine::Severity;
use notify::{EventKind, RecursiveMode, Watcher};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Several files saved together are one change.
const SETTLE: Duration = Duration::from_millis(50);
/// The files are read again after this time even when no event came.
const REREAD: Duration = Duration::from_secs(5);
/// How soon a node follows another node's publish.
const FOLLOW: Duration = Duration::from_millis(250);

/// What the watcher tells others.
pub trait Watching: Send + Sync + 'static {
    /// A reload ended: in `took`; `ok` says whether the files were clean.
    fn reloaded(&self, ok: bool, took: Duration);
}

/// Runs until `stop`: reloads when files change, follows the database.
pub async fn watch(host: Arc<RulesetHost>, watching: Arc<dyn Watching>, stop: CancellationToken) {
    let changed = Arc::new(Notify::new());
    let _watcher = start_watcher(&host, &changed);
    let mut reread = tokio::time::interval(REREAD);
    let mut follow = tokio::time::interval(FOLLOW);
    let mut last_hash = host.draft().hash;
    let mut last_broken = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = changed.notified() => {
                tokio::time::sleep(SETTLE).await;
                reload(&host, watching.as_ref(), &mut last_hash, &mut last_broken).await;
            }
            _ = reread.tick() => reload(&host, watching.as_ref(), &mut last_hash, &mut last_broken).await,
            _ = follow.tick() => {
                if let Err(error) = host.follow().await {
                    tracing::warn!(%error, "the ruleset in force could not be followed");
                }
            }
        }
    }
}

fn start_watcher(host: &RulesetHost, changed: &Arc<Notify>) -> Option<notify::RecommendedWatcher> {
    let signal = Arc::clone(changed);
    let handler = move |event: notify::Result<notify::Event>| {
        // Reading files makes access events: reacting to those would never end.
        if event.is_ok_and(|e| matches!(e.kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_))) {
            signal.notify_one();
        }
    };
    let mut watcher = notify::recommended_watcher(handler).ok()?;
    for folder in [&host.options().rules_dir, &host.options().templates_dir] {
        if let Err(error) = watcher.watch(folder, RecursiveMode::Recursive) {
            tracing::warn!(%error, folder = %folder.display(), "folder is not watched; it is read again every few seconds");
        }
    }
    Some(watcher)
}

/// Reloads if the files differ from what was last looked at.
async fn reload(host: &RulesetHost, watching: &dyn Watching, last_hash: &mut String, last_broken: &mut Option<String>) {
    let started = tokio::time::Instant::now();
    let options = host.options().clone();
    let read = tokio::task::spawn_blocking(move || super::read_sources(&options)).await;
    let hash = match read {
        Ok(Ok(sources)) => super::sources::hash(&sources),
        Ok(Err(error)) => {
            let text = error.to_string();
            if last_broken.as_ref() != Some(&text) {
                tracing::error!(error = %text, "rule files could not be read; nothing was changed");
                *last_broken = Some(text);
            }
            return;
        }
        Err(_) => return,
    };
    if *last_hash == hash {
        return;
    }
    let done = host.reload("files").await;
    watching.reloaded(done.is_ok(), started.elapsed());
    match done {
        Ok(_) => *last_broken = None,
        Err(RulesetError::NotClean(draft)) => {
            for d in draft.diagnostics.iter().filter(|d| d.severity == Severity::Error) {
                tracing::error!(code = %d.code, file = %d.file, line = d.line, column = d.column, message = %d.message, "rule file refused");
            }
        }
        // Not the files' fault: they are looked at again.
        Err(error) => {
            tracing::error!(%error, "the ruleset could not be put in force");
            return;
        }
    }
    *last_hash = hash;
}
