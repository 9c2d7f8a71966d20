//! The files that people write rules in, read and written as text by a program: nothing outside of the folders, nothing half
//! written, nobody's change lost, and nothing that does not check clean unless it is meant as a draft.

use super::{Draft, RulesetError, RulesetHost, RulesetOptions, read_sources};
use crate::automation::audit;
use crate::domain::audit::{Entry, Who, action};
use crate::engine::ruletest::is_test_file;
use crate::engine::{Ruleset, Sources};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Bytes of a file that is written here.
pub const FILE_BYTES_MAX: usize = 64 * 1024;
/// Bytes of a path, with its folders.
const PATH_BYTES_MAX: usize = 200;
/// Folders within folders.
const DEPTH_MAX: usize = 8;
/// Files that are listed.
const FILES_MAX: usize = 25_000;

const RULES: &str = "rules";
const TEMPLATES: &str = "sms_templates";

/// A file as it is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFile {
    /// `rules/bookings.yaml`
    pub path: String,
    pub bytes: u64,
}

/// A file's text, and what identifies it: SHA-256, lower-case hex.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileText {
    pub path: String,
    pub text: String,
    pub hash: String,
}

/// A wish to write a file.
#[derive(Clone, Debug)]
pub struct Saving {
    pub path: String,
    pub text: String,
    /// The hash of the text that it takes the place of; `None` for a new file.
    pub replaces: Option<String>,
    /// Is saved whatever the checker says.
    pub as_draft: bool,
    pub who: Who,
}

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// No file of the rules or of the templates can be called so.
    #[error("no rule file can have this path")]
    BadPath,
    #[error("there is no such file")]
    Unknown,
    #[error("the file is larger than {FILE_BYTES_MAX} bytes")]
    TooLarge,
    /// It is another now, or it is there and was thought new, or it is gone.
    #[error("somebody else changed the file meanwhile")]
    Changed(Option<FileText>),
    #[error("the files have problems with this text")]
    NotClean(Box<Draft>),
    #[error(transparent)]
    Ruleset(#[from] RulesetError),
    #[error("the file cannot be read or written: {0}")]
    Io(#[from] std::io::Error),
}

impl Saving {
    /// Of the text that is written.
    #[must_use]
    pub fn hash(&self) -> String {
        hash_of(&self.text)
    }
}

fn hash_of(text: &str) -> String {
    hex::encode(Sha256::digest(text.as_bytes()))
}

impl RulesetHost {
    /// Every file that people write rules, scripts, templates and tests in.
    pub async fn list_files(&self) -> Result<Vec<RuleFile>, FileError> {
        let options = self.options.clone();
        away(move || {
            let mut files = Vec::new();
            list(&options.rules_dir, RULES, 0, &mut files)?;
            list(&options.templates_dir, TEMPLATES, 0, &mut files)?;
            files.sort_by(|a, b| a.path.cmp(&b.path));
            Ok(files)
        })
        .await
    }

    pub async fn read_file(&self, path: &str) -> Result<FileText, FileError> {
        let (options, path) = (self.options.clone(), path.to_owned());
        away(move || read(&options, &path)?.ok_or(FileError::Unknown)).await
    }

    /// Writes a file after it was checked together with all others; answers with what the checker says. Whether it is in force
    /// then is for `rules.reload` to say.
    pub async fn save_file(&self, saving: Saving) -> Result<Draft, FileError> {
        let _turn = self.turn.lock().await;
        if saving.text.len() > FILE_BYTES_MAX {
            return Err(FileError::TooLarge);
        }
        let (options, wanted) = (self.options.clone(), saving.clone());
        away(move || refuse_stale(&options, &wanted)).await?;
        let texts = [(saving.path.clone(), saving.text.clone())].into();
        let (draft, ruleset) = self.examine_with(texts).await?;
        if ruleset.is_none() && !saving.as_draft {
            return Err(FileError::NotClean(Box::new(draft)));
        }
        let entry =
            Entry::new(saving.who.clone(), action::RULE_FILE_WRITTEN).of("file", &saving.path).with_flag("clean", draft.clean);
        // Before it is written: what nobody can write down is not done.
        audit::note_alone(&self.store, &self.clock, entry).await.map_err(RulesetError::Store)?;
        let options = self.options.clone();
        away(move || {
            // An editor beside us may have been quicker while we checked.
            refuse_stale(&options, &saving)?;
            write(&place(&options, &saving.path)?, &saving.text)
        })
        .await?;
        Ok(draft)
    }

    /// Checks the files on disk with these texts instead of theirs. Tests are no part of a ruleset.
    pub async fn examine_with(&self, texts: BTreeMap<String, String>) -> Result<(Draft, Option<Ruleset>), RulesetError> {
        let options = self.options.clone();
        let sources = tokio::task::spawn_blocking(move || read_sources(&options)).await;
        let Sources { mut files } = sources.unwrap_or(Err(super::SourceError::Interrupted))?;
        files.extend(texts.into_iter().filter(|(path, _)| !is_test_file(path)));
        Ok(self.examine(Sources { files }).await)
    }
}

async fn away<T: Send + 'static>(work: impl FnOnce() -> Result<T, FileError> + Send + 'static) -> Result<T, FileError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(FileError::Io(std::io::ErrorKind::Interrupted.into())))
}

fn endings(folder: &str) -> &'static [&'static str] {
    if folder == TEMPLATES { &["hbs"] } else { &["yaml", "yml", "rhai"] }
}

/// True when a file of the folders can be called so: plain names, no way up, no hidden file, one of the known endings.
pub fn is_rule_path(path: &str) -> bool {
    let mut segments = path.split('/');
    let Some(folder @ (RULES | TEMPLATES)) = segments.next() else { return false };
    let rest: Vec<&str> = segments.collect();
    let is_name = |name: &&str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    let ending = rest.last().and_then(|name| name.rsplit_once('.')).map(|(_, ending)| ending);
    path.len() <= PATH_BYTES_MAX
        && (1..=DEPTH_MAX).contains(&rest.len())
        && rest.iter().all(is_name)
        && ending.is_some_and(|ending| endings(folder).contains(&ending))
}

/// Where the file is; links that lead out of the folder are refused.
fn place(options: &RulesetOptions, path: &str) -> Result<PathBuf, FileError> {
    if !is_rule_path(path) {
        return Err(FileError::BadPath);
    }
    let (folder, rest) = path.split_once('/').ok_or(FileError::BadPath)?;
    let root = if folder == RULES { &options.rules_dir } else { &options.templates_dir };
    let root = std::fs::canonicalize(root)?;
    let wanted = root.join(rest);
    let (Some(parent), Some(name)) = (wanted.parent(), wanted.file_name()) else { return Err(FileError::BadPath) };
    let parent = std::fs::canonicalize(parent).map_err(|_| FileError::BadPath)?;
    let file = parent.join(name);
    let is_plain = std::fs::symlink_metadata(&file).map_or(true, |meta| meta.is_file());
    if parent.starts_with(&root) && is_plain { Ok(file) } else { Err(FileError::BadPath) }
}

fn read(options: &RulesetOptions, path: &str) -> Result<Option<FileText>, FileError> {
    let file = place(options, path)?;
    let meta = match std::fs::metadata(&file) {
        Ok(meta) => meta,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    // Files that people wrote themselves may be larger than those written here.
    if meta.len() > 16 * FILE_BYTES_MAX as u64 {
        return Err(FileError::TooLarge);
    }
    let text = std::fs::read_to_string(&file)?;
    Ok(Some(FileText { path: path.to_owned(), hash: hash_of(&text), text }))
}

fn refuse_stale(options: &RulesetOptions, saving: &Saving) -> Result<(), FileError> {
    let there = read(options, &saving.path)?;
    let is_same = there.as_ref().map(|file| &file.hash) == saving.replaces.as_ref();
    if is_same { Ok(()) } else { Err(FileError::Changed(there)) }
}

/// All of it or nothing: beside the file first, then in its place.
fn write(file: &Path, text: &str) -> Result<(), FileError> {
    let (Some(folder), Some(name)) = (file.parent(), file.file_name()) else { return Err(FileError::BadPath) };
    // Hidden files are no rule files, so nobody reads this one.
    let beside = folder.join(format!(".{}.{}.new", name.to_string_lossy(), std::process::id()));
    let written = write_beside(&beside, file, text).and_then(|()| {
        std::fs::rename(&beside, file)?;
        std::fs::File::open(folder)?.sync_all()
    });
    if written.is_err() {
        drop(std::fs::remove_file(&beside));
    }
    Ok(written?)
}

fn write_beside(beside: &Path, file: &Path, text: &str) -> std::io::Result<()> {
    let mut new = std::fs::File::create(beside)?;
    new.write_all(text.as_bytes())?;
    if let Ok(meta) = std::fs::metadata(file) {
        new.set_permissions(meta.permissions())?;
    }
    new.sync_all()
}

fn list(folder: &Path, prefix: &str, depth: usize, files: &mut Vec<RuleFile>) -> Result<(), FileError> {
    if depth > DEPTH_MAX {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let path = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        let Ok(meta) = entry.metadata() else { continue };
        if meta.is_dir() && !path.contains("/.") {
            list(&entry.path(), &path, depth + 1, files)?;
        } else if meta.is_file() && is_rule_path(&path) && files.len() < FILES_MAX {
            files.push(RuleFile { path, bytes: meta.len() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_inside_of_the_folders() {
        for fine in ["rules/a.yaml", "rules/deep/er/a-b_c.test.yaml", "rules/score.rhai", "sms_templates/reminder_24hr.hbs"] {
            assert!(is_rule_path(fine), "{fine}");
        }
        for bad in [
            "",
            "rules",
            "rules/",
            "a.yaml",
            "/etc/passwd",
            "rules/../config/default.yaml",
            "rules/./a.yaml",
            "rules//a.yaml",
            "rules/.a.yaml",
            "rules/a.yaml~",
            "rules/a.hbs",
            "sms_templates/a.yaml",
            "config/default.yaml",
            "rules/a\0.yaml",
            "rules\\a.yaml",
            "rules/a b.yaml",
            "rules/%2e%2e/a.yaml",
            "rules/1/2/3/4/5/6/7/8/a.yaml",
        ] {
            assert!(!is_rule_path(bad), "{bad}");
        }
        assert!(!is_rule_path(&format!("rules/{}.yaml", "a".repeat(PATH_BYTES_MAX))));
    }
}
