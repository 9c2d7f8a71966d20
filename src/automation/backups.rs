//! Copies of the embedded database, made by themselves, and thrown away when newer ones stand for them.

use crate::config::{BackupSettings, Keep};
use crate::domain::clock::SharedClock;
use crate::domain::time::{Millis, Timestamp};
use crate::store::backup::{Copy, CopyError};
use crate::store::{Store, StoreResult, duties, system_values};
use crate::telemetry::{Metric, metrics};
use chrono::{DateTime, Datelike, NaiveDateTime, Utc};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const BEGINNING: &str = "avatar-";
const ENDING: &str = ".db";
const UNFINISHED: &str = ".db.unfinished";
const STAMP: &str = "%Y%m%d-%H%M%S";
/// When the last sound copy was made, epoch ms.
const LAST_KEY: &str = "last_backup_at";
/// A copy that failed is tried again after so long.
const TRY_AGAIN: Millis = Millis::hours(1);

/// Makes a copy when one is due, and throws away those that are not to be kept. `None` when none is due.
pub async fn make_if_due(store: &Store, clock: &SharedClock, settings: &BackupSettings) -> Option<Result<Copy, CopyError>> {
    let (every, folder) = settings.every.zip(settings.folder.clone())?;
    let now = clock.now();
    let is_due = match last(store).await {
        Ok(last) => last.is_none_or(|at| now - at >= every || now < at),
        Err(error) => return Some(Err(error.into())),
    };
    let taken = async || store.write(move |tx| duties::take(tx, "backup", TRY_AGAIN.min(every), now)).await;
    if !is_due || !taken().await.unwrap_or(false) {
        return None;
    }
    let made = make(store, clock, file_in(&folder, now)).await;
    if made.is_ok() {
        throw_away(&folder, settings.keep);
    }
    Some(made)
}

/// Makes a copy now, and remembers when.
pub async fn make(store: &Store, clock: &SharedClock, to: PathBuf) -> Result<Copy, CopyError> {
    let (copying, started) = (store.clone(), clock.now());
    let made = tokio::task::spawn_blocking(move || {
        prepare_folder(&to)?;
        copying.copy_to(&to)
    });
    let made = made.await.unwrap_or(Err(CopyError::Store(crate::store::StoreError::Panicked)));
    metrics::counter(Metric::Backups, &[("result", if made.is_ok() { "ok" } else { "failed" })], 1);
    let copy = made?;
    store.write(move |tx| system_values::put(tx, LAST_KEY, &started.0.to_string(), started)).await?;
    Ok(copy)
}

/// When the last sound copy was made.
pub async fn last(store: &Store) -> StoreResult<Option<Timestamp>> {
    let value = store.read(|conn| system_values::find(conn, LAST_KEY)).await?;
    Ok(value.and_then(|text| text.parse().ok()).map(Timestamp))
}

/// `avatar-20260302-090000.db`, UTC.
#[must_use]
pub fn file_in(folder: &Path, at: Timestamp) -> PathBuf {
    let stamp = DateTime::<Utc>::from_timestamp_millis(at.0).unwrap_or_default().format(STAMP);
    folder.join(format!("{BEGINNING}{stamp}{ENDING}"))
}

fn prepare_folder(to: &Path) -> Result<(), CopyError> {
    use std::os::unix::fs::DirBuilderExt;
    let Some(folder) = to.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| CopyError::File { path: folder.to_owned(), error })
}

/// Only files that this program has named are looked at.
fn throw_away(folder: &Path, keep: Keep) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
    // What a killed process has left behind: there is no other at work, as a duty has one at a time.
    let torn = names.iter().filter(|name| name.starts_with(BEGINNING) && name.ends_with(UNFINISHED)).cloned();
    for name in superfluous(&names, keep).into_iter().chain(torn) {
        if let Err(error) = std::fs::remove_file(folder.join(&name)) {
            tracing::warn!(%error, file = name, "an old backup could not be thrown away");
        }
    }
}

/// Those that are not the newest of a day, week or month to be kept.
fn superfluous(names: &[String], keep: Keep) -> Vec<String> {
    let mut dated: Vec<(NaiveDateTime, &String)> = names.iter().filter_map(|name| Some((date_of(name)?, name))).collect();
    dated.sort_unstable();
    dated.reverse();
    let mut kept: BTreeSet<&String> = BTreeSet::new();
    kept.extend(newest_of_each(&dated, keep.daily, |at| (at.year(), at.ordinal())));
    kept.extend(newest_of_each(&dated, keep.weekly, |at| (at.iso_week().year(), at.iso_week().week())));
    kept.extend(newest_of_each(&dated, keep.monthly, |at| (at.year(), at.month())));
    dated.iter().map(|(_, name)| *name).filter(|name| !kept.contains(name)).cloned().collect()
}

fn newest_of_each<'a>(
    dated: &[(NaiveDateTime, &'a String)],
    count: usize,
    span: impl Fn(&NaiveDateTime) -> (i32, u32),
) -> Vec<&'a String> {
    let mut seen = BTreeSet::new();
    dated.iter().filter(|(at, _)| seen.insert(span(at))).take(count).map(|(_, name)| *name).collect()
}

fn date_of(name: &str) -> Option<NaiveDateTime> {
    let stamp = name.strip_prefix(BEGINNING)?.strip_suffix(ENDING)?;
    NaiveDateTime::parse_from_str(stamp, STAMP).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_year_of_copies_becomes_days_weeks_and_months() {
        let names: Vec<String> = (0..400)
            .map(|day| Timestamp(1_772_402_400_000 + day * 86_400_000))
            .flat_map(|at| [at, Timestamp(at.0 + 3_600_000)])
            .map(|at| file_in(Path::new(""), at).display().to_string())
            .chain(["notes.txt".into(), "avatar-old.db".into()])
            .collect();
        let keep = Keep { daily: 7, weekly: 4, monthly: 12 };
        let gone = superfluous(&names, keep);
        let mut left: Vec<&String> = names.iter().filter(|name| !gone.contains(name)).collect();
        left.sort_unstable();
        assert!(!gone.iter().any(|name| name == "notes.txt" || name == "avatar-old.db"));
        let days: Vec<String> = left.iter().filter_map(|name| Some(date_of(name)?.date().to_string())).collect();
        assert!((18..=23).contains(&days.len()), "seven days, four weeks, twelve months, some of them the same: {days:?}");
        let newest_week = ["2027-03-29", "2027-03-30", "2027-03-31", "2027-04-01", "2027-04-02", "2027-04-03", "2027-04-04"];
        assert!(newest_week.iter().all(|day| days.iter().any(|kept| kept == day)), "{days:?}");
        assert!(days.iter().any(|day| day == "2026-05-31") && !days.iter().any(|day| day == "2026-05-30"), "{days:?}");
        let mut sorted = names.clone();
        sorted.retain(|name| date_of(name).is_some());
        sorted.sort_unstable();
        assert!(!gone.contains(&sorted[sorted.len() - 1]), "the newest stays");
    }

    #[test]
    fn what_is_thrown_away_once_is_not_missed_the_next_day() {
        // Day by day, as in life: what is kept must still be there for weeks and months.
        let keep = Keep { daily: 7, weekly: 4, monthly: 12 };
        let mut names: Vec<String> = Vec::new();
        for day in 0..400 {
            names.push(file_in(Path::new(""), Timestamp(1_772_402_400_000 + day * 86_400_000)).display().to_string());
            let gone = superfluous(&names, keep);
            names.retain(|name| !gone.contains(name));
        }
        assert!((18..=23).contains(&names.len()), "{names:?}");
    }
}
