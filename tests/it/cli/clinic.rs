//! A clinic in a folder of its own, with the shipped rules, templates and settings.

use super::text;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

pub struct Clinic {
    pub dir: tempfile::TempDir,
}

/// How a command ended, and what it said.
pub struct Said {
    pub exit: Option<i32>,
    pub out: String,
    pub err: String,
}

impl Clinic {
    /// Without a database.
    pub fn new() -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        for name in ["rules", "sms_templates", "config"] {
            copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(name), &dir.path().join(name));
        }
        Self { dir }
    }

    /// With a database and the shipped rules in force as r1.
    pub fn open() -> Self {
        let clinic = Self::new();
        clinic.done(&["db", "migrate"]);
        clinic.done(&["rules", "publish", "-m", "first"]);
        clinic
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_avatar"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        command.args(arguments).current_dir(self.dir.path()).env_clear().env("PATH", path).stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Said {
        said(&self.command(arguments).output().expect("avatar runs"))
    }

    /// Runs a command with this text on its stdin.
    pub fn run_with_input(&self, arguments: &[&str], input: &str) -> Said {
        let mut command = self.command(arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("avatar starts");
        child.stdin.take().expect("stdin").write_all(input.as_bytes()).expect("input is taken");
        said(&child.wait_with_output().expect("avatar ends"))
    }

    /// Runs a command that must end with 0; answers with its stdout without the last line break.
    pub fn done(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!(said.exit, Some(0), "{arguments:?}: {}{}", said.out, said.err);
        said.out.trim_end().to_owned()
    }

    /// Like [`Clinic::done`], for one JSON object.
    pub fn object(&self, arguments: &[&str]) -> serde_json::Value {
        serde_json::from_str(&self.done(arguments)).expect("one JSON object")
    }

    /// The message of a command that could not run: 2, nothing on stdout.
    pub fn refusal(&self, arguments: &[&str]) -> String {
        let said = self.run(arguments);
        assert_eq!((said.exit, said.out.as_str()), (Some(2), ""), "{arguments:?}: {}", said.err);
        said.err
    }

    /// Changes a file of the clinic.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let path = self.dir.path().join(file);
        let before = std::fs::read_to_string(&path).expect("a file");
        assert!(before.contains(from), "{file} does not say {from}");
        std::fs::write(path, before.replacen(from, to, 1)).expect("the file is written");
    }
}

fn said(output: &std::process::Output) -> Said {
    Said { exit: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a shipped folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            let _bytes = std::fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
