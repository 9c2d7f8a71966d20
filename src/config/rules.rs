//! `rules`: where rules are written, and when a saved change is in force.

use super::parse::choice;
use super::reader::Reader;
use std::path::PathBuf;
use std::time::Duration;

#[derive(Clone, Debug)]
pub struct RuleSettings {
    pub rules_dir: PathBuf,
    pub sms_templates_dir: PathBuf,
    pub reload: RulesReload,
    /// Changes of files within this time are one change.
    pub debounce: Duration,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RulesReload {
    /// A saved change that checks clean is in force at once.
    #[default]
    Auto,
    /// Saved changes are a draft until they are published.
    Manual,
}

impl RulesReload {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Manual => "manual",
        }
    }
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Auto, Self::Manual].into_iter().find(|r| r.as_str() == text)
    }
}

impl RuleSettings {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let show = |reload: &RulesReload| reload.as_str().to_owned();
        let reload = |t: &str| choice(t, &["auto", "manual"], RulesReload::parse);
        Self {
            rules_dir: reader.folder("rules.dir", "RULES_DIR", "rules"),
            sms_templates_dir: reader.folder("rules.sms_templates_dir", "SMS_TEMPLATES_DIR", "sms_templates"),
            reload: reader.value("rules.reload", None, RulesReload::Auto, show, reload),
            debounce: Duration::from_millis(reader.number("rules.debounce_ms", 100, 10, 10_000)),
        }
    }
}
