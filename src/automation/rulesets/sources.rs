//! Reads rule files and templates from disk, within limits.

use super::RulesetOptions;
use crate::engine::Sources;
use crate::engine::ruletest::is_test_file;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Files of one ruleset.
const FILES_MAX: usize = 25_000;
/// One file; the checker has tighter limits for each kind.
const FILE_BYTES_MAX: u64 = 1024 * 1024;
/// Folders within folders.
const DEPTH_MAX: usize = 8;

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("{}: {reason}", path.display())]
    Unreadable { path: PathBuf, reason: String },
    #[error("more than {FILES_MAX} files")]
    TooMany,
    #[error("{}: larger than {FILE_BYTES_MAX} bytes", .0.display())]
    TooLarge(PathBuf),
    #[error("{}: folders deeper than {DEPTH_MAX}", .0.display())]
    TooDeep(PathBuf),
    #[error("the rule files are still changing")]
    Unsettled,
    #[error("reading was interrupted")]
    Interrupted,
}

/// Every `.yaml`, `.yml`, `.rhai` of the rules folder as `rules/…`, every `.hbs` of the templates folder as `sms_templates/…`.
/// Tests are no part of a ruleset: saving one changes nothing that is in force.
pub fn read_sources(options: &RulesetOptions) -> Result<Sources, SourceError> {
    let mut files = BTreeMap::new();
    collect(&options.rules_dir, "rules", &["yaml", "yml", "rhai"], 0, &mut files)?;
    collect(&options.templates_dir, "sms_templates", &["hbs"], 0, &mut files)?;
    Ok(Sources { files })
}

fn collect(
    folder: &Path,
    prefix: &str,
    endings: &[&str],
    depth: usize,
    files: &mut BTreeMap<String, String>,
) -> Result<(), SourceError> {
    if depth > DEPTH_MAX {
        return Err(SourceError::TooDeep(folder.to_owned()));
    }
    let unreadable = |path: &Path, e: &std::io::Error| SourceError::Unreadable { path: path.to_owned(), reason: e.to_string() };
    let entries = std::fs::read_dir(folder).map_err(|e| unreadable(folder, &e))?;
    for entry in entries {
        let entry = entry.map_err(|e| unreadable(folder, &e))?;
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        let meta = std::fs::metadata(&path).map_err(|e| unreadable(&path, &e))?;
        if meta.is_dir() {
            collect(&path, &format!("{prefix}/{name}"), endings, depth + 1, files)?;
        } else if endings.iter().any(|e| path.extension().is_some_and(|x| x == *e)) && !is_test_file(&format!("{prefix}/{name}"))
        {
            if meta.len() > FILE_BYTES_MAX {
                return Err(SourceError::TooLarge(path));
            }
            let bytes = std::fs::read(&path).map_err(|e| unreadable(&path, &e))?;
            let text = String::from_utf8(bytes)
                .map_err(|_| SourceError::Unreadable { path: path.clone(), reason: "the file is not UTF-8".into() })?;
            files.insert(format!("{prefix}/{name}"), text);
            if files.len() > FILES_MAX {
                return Err(SourceError::TooMany);
            }
        }
    }
    Ok(())
}
