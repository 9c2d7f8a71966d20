//! Both ends of the process that checks: the one that starts it, and the one that is started.

use super::wire::{Answer, Request};
use crate::engine::diagnostic::{CHECK_STOPPED, Diagnostic};
use crate::engine::script::STACK_BYTES_MIN;
use crate::engine::{Catalogue, Severity, Sources, compile_and_try};
use rlimit::Resource;
use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// How this program is started as a child. It reads a request from stdin and answers on stdout.
pub const CHILD_ARGUMENTS: [&str; 3] = ["rules", "check", "--child"];
/// Address space of the child.
const CHILD_BYTES_MAX: u64 = 1024 * 1024 * 1024;
/// Processor time of the child.
const CHILD_CPU_SECONDS_MAX: u64 = 20;
/// How long the child is waited for, whatever it does.
const CHILD_TIME_MAX: Duration = Duration::from_secs(40);
/// Largest request and answer.
const MESSAGE_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stopped {
    /// It could not be started.
    NotStarted(String),
    TooLong,
    /// It ended without a word: out of memory, out of processor time, or worse.
    Died(String),
}

impl Stopped {
    /// At the head of the first file: nobody can say which one it was.
    pub fn diagnostic(&self, sources: &Sources) -> Diagnostic {
        let message = match self {
            Self::NotStarted(why) => format!("the checking process could not be started: {why}"),
            Self::TooLong => format!("checking took longer than {} seconds and was stopped", CHILD_TIME_MAX.as_secs()),
            Self::Died(how) => {
                format!("the checking process ended without an answer ({how}): the files want too much time or memory")
            }
        };
        Diagnostic {
            code: CHECK_STOPPED.to_owned(),
            severity: Severity::Error,
            file: sources.files.keys().next().cloned().unwrap_or_else(|| "rules".to_owned()),
            line: 1,
            column: 1,
            width: 1,
            message,
            help: Some("nothing was changed; take back the last edit, and save again".to_owned()),
        }
    }
}

/// The allocator takes address space in large steps; in the child they must fit under [`CHILD_BYTES_MAX`].
const CHILD_ALLOCATOR: (&str, &str) = ("MIMALLOC_ARENA_RESERVE", "32MiB");

/// Starts a child, hands it the files, and waits for what it says. It inherits nothing of the environment.
pub(super) fn ask(program: &Path, sources: &Sources, catalogue: &Catalogue) -> Result<Vec<Diagnostic>, Stopped> {
    ask_within(program, sources, catalogue, CHILD_TIME_MAX)
}

fn ask_within(program: &Path, sources: &Sources, catalogue: &Catalogue, patience: Duration) -> Result<Vec<Diagnostic>, Stopped> {
    let not_started = |error: &dyn std::fmt::Display| Stopped::NotStarted(error.to_string());
    let request = serde_json::to_vec(&Request::new(sources, catalogue)).map_err(|e| not_started(&e))?;
    let mut command = Command::new(program);
    command.args(CHILD_ARGUMENTS).env_clear().env(CHILD_ALLOCATOR.0, CHILD_ALLOCATOR.1);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|e| not_started(&e))?;
    let answer = talk(&mut child, request, patience);
    // After an answer it has ended or is about to; without one it is not waited for.
    if answer.is_none() {
        let _ = child.kill();
    }
    let status = child.wait().map_err(|e| Stopped::Died(e.to_string()))?;
    let Some(bytes) = answer else { return Err(Stopped::TooLong) };
    match serde_json::from_slice::<Answer>(&bytes) {
        Ok(answer) if status.success() => Ok(answer.diagnostics),
        _ => Err(Stopped::Died(status.to_string())),
    }
}

/// Writes and reads at once, on threads of their own: a child that hangs can block neither. `None` when it took too long.
fn talk(child: &mut Child, request: Vec<u8>, patience: Duration) -> Option<Vec<u8>> {
    let (mut stdin, stdout) = (child.stdin.take()?, child.stdout.take()?);
    std::thread::spawn(move || {
        // A child that died reads nothing; its status says so.
        let _ = stdin.write_all(&request);
    });
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut answer = Vec::new();
        let _ = stdout.take(MESSAGE_BYTES_MAX).read_to_end(&mut answer);
        let _ = send.send(answer);
    });
    receive.recv_timeout(patience).ok()
}

/// The child's whole life: takes on limits, reads a request from `input`, and writes what it found to `output`.
pub fn answer(input: impl Read, mut output: impl Write) -> Result<(), String> {
    limit_itself().map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    input.take(MESSAGE_BYTES_MAX).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    let request: Request = serde_json::from_slice(&bytes).map_err(|e| e.to_string())?;
    let (sources, catalogue) = request.into_parts()?;
    let work = move || compile_and_try(&sources, &catalogue).diagnostics;
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES_MIN).spawn(work).map_err(|e| e.to_string())?;
    let diagnostics = thread.join().map_err(|_| "the checker failed unexpectedly".to_owned())?;
    let text = serde_json::to_vec(&Answer::new(diagnostics)).map_err(|e| e.to_string())?;
    output.write_all(&text).map_err(|e| e.to_string())
}

/// First of all: a process can lower its own limits and never raise them again.
fn limit_itself() -> std::io::Result<()> {
    rlimit::setrlimit(Resource::AS, CHILD_BYTES_MAX, CHILD_BYTES_MAX)?;
    rlimit::setrlimit(Resource::CPU, CHILD_CPU_SECONDS_MAX, CHILD_CPU_SECONDS_MAX)?;
    rlimit::setrlimit(Resource::CORE, 0, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::automation::rulesets::candidate::wire::tests::catalogue;
    use std::os::unix::fs::PermissionsExt;

    /// A program that does this instead of checking.
    fn program(folder: &tempfile::TempDir, script: &str) -> std::path::PathBuf {
        let path = folder.path().join("program");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).expect("it may run");
        path
    }

    fn asked(script: &str, patience: Duration) -> Result<Vec<Diagnostic>, Stopped> {
        let folder = tempfile::tempdir().expect("a folder");
        let sources = Sources { files: [("rules/a.yaml".to_owned(), "rules: []".to_owned())].into() };
        ask_within(&program(&folder, script), &sources, &catalogue(), patience)
    }

    const LONG: Duration = Duration::from_secs(30);

    #[test]
    fn a_child_that_dies_or_talks_nonsense_is_no_answer() {
        assert!(matches!(asked("exit 1", LONG), Err(Stopped::Died(_))));
        assert!(matches!(asked("kill -9 $$", LONG), Err(Stopped::Died(how)) if how.contains("signal: 9")));
        assert!(matches!(asked("echo hello", LONG), Err(Stopped::Died(_))));
        let said = asked("cat > /dev/null; echo '{\"schema\": \"avatar.candidate/1\", \"diagnostics\": []}'", LONG);
        assert_eq!(said, Ok(Vec::new()));
    }

    #[test]
    fn a_child_that_hangs_is_killed() {
        assert_eq!(asked("exec sleep 1000", Duration::from_millis(200)), Err(Stopped::TooLong));
    }

    #[test]
    fn a_program_that_is_not_there_is_said_so() {
        let sources = Sources::default();
        let asked = ask(Path::new("/nowhere/avatar"), &sources, &catalogue());
        let diagnostic = asked.expect_err("no program").diagnostic(&sources);
        assert!(diagnostic.message.starts_with("the checking process could not be started: "), "{}", diagnostic.message);
    }
}
