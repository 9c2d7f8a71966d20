//! What can be seen without a database.

use super::Finding;
use crate::cli::parts::Parts;
use crate::config::{DatabaseUrl, Environment, Settings, SmsProvider, Stage};
use std::path::Path;
use std::process::Command;

/// A database with less room than this stops soon.
const FREE_BYTES_MIN: u64 = 1024 * 1024 * 1024;
/// With less than this, writes fail at any moment.
const FREE_BYTES_LAST: u64 = 100 * 1024 * 1024;

pub(super) fn config(settings: &Settings) -> Finding {
    let (dir, tz) = (settings.config_dir.display(), settings.clinic.calendar.tz);
    Finding::good("config", format!("{} ({dir}), time zone {tz}", settings.stage.as_str()))
}

pub(super) fn sms(parts: &Parts, environment: &Environment) -> Finding {
    let provider = parts.settings.sms.provider;
    match parts.sending(environment) {
        Err(error) => Finding::problem("sms", error.to_string(), "set SMS_PROVIDER and run `avatar doctor --only sms`"),
        Ok(_) if provider == SmsProvider::Sandbox && parts.settings.stage == Stage::Production => {
            Finding::warning("sms", "sandbox: no text leaves this machine", "set SMS_PROVIDER to a provider")
        }
        Ok(_) => match parts.settings.warnings().first() {
            Some(warning) => Finding::warning("sms", format!("{}: {}", provider.as_str(), warning.message), &warning.help),
            None => Finding::good("sms", provider.as_str()),
        },
    }
}

pub(super) fn disk(settings: &Settings) -> Finding {
    let folder = match &settings.database.url {
        DatabaseUrl::Sqlite(path) => path.ancestors().skip(1).find(|p| p.is_dir()).unwrap_or(Path::new(".")),
        DatabaseUrl::Postgres(_) => Path::new("."),
    };
    let Some(free) = free_bytes(folder) else {
        return Finding::warning("disk", "the free space is not known", "look at it with `df`");
    };
    let text = format!("{} free", size(free));
    match free {
        free if free < FREE_BYTES_LAST => Finding::problem("disk", text, "make room: without it nothing can be recorded"),
        free if free < FREE_BYTES_MIN => Finding::warning("disk", text, "make room soon"),
        _ => Finding::good("disk", text),
    }
}

/// As POSIX `df` says.
fn free_bytes(folder: &Path) -> Option<u64> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let output = Command::new("df").arg("-Pk").arg(folder).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().nth(1)?.split_whitespace().nth(3)?.parse::<u64>().ok().map(|kib| kib.saturating_mul(1_024))
}

/// `214 MB`
pub(super) fn size(bytes: u64) -> String {
    const UNITS: &[(u64, &str)] = &[(1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB")];
    let unit = UNITS.iter().find(|(size, _)| bytes >= *size);
    unit.map_or_else(|| format!("{bytes} B"), |(size, name)| format!("{} {name}", bytes / size))
}
