//! Which test files there are.

use crate::automation::ruletest::{FileResult, rewrite};
use crate::cli::failure::Failure;
use crate::domain::clinic::Clinic;
use crate::engine::ruletest::is_test_file;
use std::path::{Path, PathBuf};

/// Test files of one run, and folders in each other.
const FILES_MAX: usize = 2_000;
const DEPTH_MAX: usize = 8;
/// The reader has a tighter limit, and says so.
const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

#[derive(Clone, Debug)]
pub(super) struct TestFile {
    pub path: PathBuf,
    /// `rules/…` for those below the rules folder, else as it was given.
    pub shown: String,
    pub text: String,
    /// After `--update`: nothing that failed is left.
    pub is_whole: bool,
}

/// The files that were asked for, or all below the rules folder; in the order of paths.
pub(super) fn find(rules_dir: &Path, asked: &[PathBuf]) -> Result<Vec<TestFile>, Failure> {
    let mut paths = Vec::new();
    if asked.is_empty() {
        collect(rules_dir, rules_dir, 0, &mut paths)?;
    }
    for path in asked {
        if path.is_dir() {
            collect(path, rules_dir, 0, &mut paths)?;
        } else {
            paths.push(path.clone());
        }
    }
    paths.sort();
    paths.dedup();
    paths.into_iter().map(|path| load(path, rules_dir)).collect()
}

fn collect(folder: &Path, rules_dir: &Path, depth: usize, paths: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let unreadable = |error: std::io::Error| Failure::new(format!("{}: {error}", folder.display()));
    if depth > DEPTH_MAX {
        return Err(Failure::new(format!("{}: folders deeper than {DEPTH_MAX}", folder.display())));
    }
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.is_dir() {
            collect(&path, rules_dir, depth + 1, paths)?;
        } else if is_test_file(&shown(&path, rules_dir)) && has_yaml(&path) {
            paths.push(path);
        }
        if paths.len() > FILES_MAX {
            return Err(Failure::new(format!("there are more than {FILES_MAX} test files")));
        }
    }
    Ok(())
}

fn has_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|e| e == "yaml" || e == "yml")
}

fn shown(path: &Path, rules_dir: &Path) -> String {
    let below = |path: &Path, folder: &Path| path.strip_prefix(folder).ok().map(|rest| format!("rules/{}", rest.display()));
    let real = || below(&path.canonicalize().ok()?, &rules_dir.canonicalize().ok()?);
    below(path, rules_dir).or_else(real).unwrap_or_else(|| path.display().to_string()).replace('\\', "/")
}

fn load(path: PathBuf, rules_dir: &Path) -> Result<TestFile, Failure> {
    let unreadable = |error: std::io::Error| Failure::new(format!("{}: {error}", path.display()));
    if std::fs::metadata(&path).map_err(unreadable)?.len() > FILE_BYTES_MAX {
        return Err(Failure::new(format!("{}: larger than {FILE_BYTES_MAX} bytes", path.display())));
    }
    let bytes = std::fs::read(&path).map_err(unreadable)?;
    let text = String::from_utf8(bytes).map_err(|_| Failure::new(format!("{}: the file is not UTF-8", path.display())))?;
    let shown = shown(&path, rules_dir);
    Ok(TestFile { path, shown, text, is_whole: false })
}

/// The file with what happened in the place of what was expected; `None` when there is nothing to change.
pub(super) fn updated(file: &TestFile, result: &FileResult, clinic: &Clinic) -> Option<TestFile> {
    let failures = result.tests.iter().flat_map(|test| &test.failures);
    let rewritten = rewrite(&file.text, failures, clinic);
    (rewritten.count > 0).then(|| TestFile { text: rewritten.text, is_whole: rewritten.left == 0, ..file.clone() })
}
