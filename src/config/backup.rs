//! `backup`: how often the embedded database is copied, where to, and which copies are kept.

use super::database::DatabaseUrl;
use super::reader::Reader;
use crate::domain::time::Millis;
use std::path::{Path, PathBuf};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupSettings {
    /// `None`: by hand only.
    pub every: Option<Millis>,
    /// Where copies are put. `None` where the database has backups of its own.
    pub folder: Option<PathBuf>,
    pub keep: Keep,
}

/// The newest copy of so many days, weeks and months is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    pub daily: usize,
    pub weekly: usize,
    pub monthly: usize,
}

impl BackupSettings {
    pub(super) fn read(reader: &mut Reader, database: &DatabaseUrl) -> Self {
        let hours = reader.number("backup.every_hours", 24, 0, 24 * 7);
        let named = reader.shown_value("backup.dir", Some("BACKUP_DIR"), "backups".to_owned(), |text| Ok(text.to_owned()));
        let keep = Keep {
            daily: reader.number("backup.keep_daily", 7, 1, 366) as usize,
            weekly: reader.number("backup.keep_weekly", 4, 0, 520) as usize,
            monthly: reader.number("backup.keep_monthly", 12, 0, 240) as usize,
        };
        let folder = match database {
            DatabaseUrl::Sqlite(path) => Some(path.parent().unwrap_or(Path::new(".")).join(named)),
            DatabaseUrl::Postgres(_) => None,
        };
        Self { every: (hours > 0).then(|| Millis::hours(hours as i64)), folder, keep }
    }
}
