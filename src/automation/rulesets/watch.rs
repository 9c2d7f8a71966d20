//! Watches the files, and the ruleset in force in the database.
//!
//! File events only make it fast; reading the files again every few seconds is what makes it certain.

use super::{RulesetError, RulesetHost, RulesetOptions, START, SourceError};
use crate::engine::Severity;
use notify::{EventKind, RecursiveMode, Watcher};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

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
    // Apart, so that waiting for files to settle holds up nothing.
    tokio::join!(watch_files(&host, watching.as_ref(), &stop), follow(&host, &stop));
}

async fn watch_files(host: &RulesetHost, watching: &dyn Watching, stop: &CancellationToken) {
    let changes = Changes::of(host.options());
    let mut last = Last { hash: host.draft().hash, broken: None };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = changes.next() => {}
        }
        if !reload(host, watching, &mut last).await {
            changes.again();
        }
    }
}

async fn follow(host: &RulesetHost, stop: &CancellationToken) {
    let mut ticks = tokio::time::interval(FOLLOW);
    let mut told = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match host.follow().await.map_err(|error| error.to_string()) {
            Ok(_) => told = None,
            // Several times a second: the same words once suffice.
            Err(error) if told.as_ref() == Some(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "the ruleset in force could not be followed");
                told = Some(error);
            }
        }
    }
}

/// What the files were when they were last looked at.
struct Last {
    /// Empty until they could be read.
    hash: String,
    /// Why they could not be read.
    broken: Option<String>,
}

/// Tells when rule files may have changed.
pub struct Changes {
    signal: Arc<Notify>,
    debounce: Duration,
    reread: tokio::sync::Mutex<tokio::time::Interval>,
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Changes {
    /// Begins to watch both folders. The first change is there at once.
    #[must_use]
    pub fn of(options: &RulesetOptions) -> Self {
        Self::of_folders(&[&options.rules_dir, &options.templates_dir], options.debounce)
    }

    /// Begins to watch these folders, and what is in them.
    #[must_use]
    pub fn of_folders(folders: &[&Path], debounce: Duration) -> Self {
        let signal = Arc::new(Notify::new());
        let watcher = start_watcher(folders, &signal);
        Self { signal, debounce, reread: tokio::sync::Mutex::new(tokio::time::interval(REREAD)), _watcher: watcher }
    }

    /// Waits until files may have changed: after a save that has settled, and every few seconds anyway.
    pub async fn next(&self) {
        let mut reread = self.reread.lock().await;
        tokio::select! {
            () = self.signal.notified() => tokio::time::sleep(self.debounce).await,
            _ = reread.tick() => {}
        }
    }

    /// The files were changing just now: they are to be looked at again.
    pub fn again(&self) {
        self.signal.notify_one();
    }
}

fn start_watcher(folders: &[&Path], changed: &Arc<Notify>) -> Option<notify::RecommendedWatcher> {
    let signal = Arc::clone(changed);
    let handler = move |event: notify::Result<notify::Event>| {
        // Reading files makes access events: reacting to those would never end.
        if event.is_ok_and(|e| matches!(e.kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_))) {
            signal.notify_one();
        }
    };
    let mut watcher = notify::recommended_watcher(handler).ok()?;
    for folder in folders {
        if let Err(error) = watcher.watch(folder, RecursiveMode::Recursive) {
            tracing::warn!(%error, folder = %folder.display(), "folder is not watched; it is read again every few seconds");
        }
    }
    Some(watcher)
}

/// Reloads if the files differ from what was last looked at. False when they are changing just now.
async fn reload(host: &RulesetHost, watching: &dyn Watching, last: &mut Last) -> bool {
    let started = tokio::time::Instant::now();
    match host.read().await {
        Ok(sources) if sources.hash() == last.hash => return true,
        Ok(_) => {}
        Err(error) => {
            unreadable(&error, last);
            return true;
        }
    }
    // Files that can be read for the first time are no edit.
    let by = if last.hash.is_empty() { START } else { "files" };
    let done = host.reload(by).await;
    match &done {
        Ok(_) => last.broken = None,
        Err(RulesetError::NotClean(draft)) => {
            for d in draft.diagnostics.iter().filter(|d| d.severity == Severity::Error) {
                tracing::error!(code = %d.code, file = %d.file, line = d.line, column = d.column, message = %d.message, "rule file refused");
            }
        }
        Err(RulesetError::Source(SourceError::Unsettled)) => return false,
        Err(RulesetError::Source(error)) => {
            unreadable(error, last);
            return true;
        }
        // Not the files' fault: they are looked at again.
        Err(error) => {
            tracing::error!(%error, "the ruleset could not be put in force");
            return true;
        }
    }
    watching.reloaded(done.is_ok(), started.elapsed());
    last.hash = host.draft().hash;
    true
}

fn unreadable(error: &SourceError, last: &mut Last) {
    let text = error.to_string();
    if last.broken.as_ref() != Some(&text) {
        tracing::error!(error = %text, "rule files could not be read; nothing was changed");
        last.broken = Some(text);
    }
}
