//! The binary as a shell sees it: what goes to stdout, what to stderr, and how it ends.

mod audit;
mod backup;
mod check;
mod clinic;
mod events;
mod guard_rails;
mod operations;
mod recipes;
mod rule_tests;
mod rules;

use std::path::Path;
use std::process::{Command, Output};

/// Runs `avatar` with nothing in its environment but `variables`.
fn avatar(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_avatar"))
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")))
        .env_clear()
        .envs(variables.iter().copied())
        .output()
        .expect("avatar runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn good_settings_end_with_0_and_print_nothing_on_stdout() {
    let output = avatar(&["config", "check"], &[]);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(0), ""), "{}", text(&output.stderr));
}

#[test]
fn wrong_settings_end_with_1_and_each_problem_is_one_json_line() {
    let variables = [("LISTEN_ADDR", "here"), ("SMS_PROVIDER", "clicksent")];
    let output = avatar(&["config", "check", "--json"], &variables);
    assert_eq!(output.status.code(), Some(1));
    let problems: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("a JSON line")).collect();
    assert_eq!(problems.len(), 2, "{problems:?}");
    assert_eq!(problems[1]["problem"]["help"], "did you mean `clicksend`?");
}

#[test]
fn what_is_in_force_is_shown_with_its_origin_and_without_secrets() {
    let variables = [("MANYCHAT_WEBHOOK_SECRET", "canary-7f3a"), ("LISTEN_ADDR", "127.0.0.1:9999")];
    for arguments in [&["config", "show"][..], &["config", "show", "--json"][..]] {
        let output = avatar(arguments, &variables);
        let shown = text(&output.stdout);
        assert_eq!(output.status.code(), Some(0));
        assert!(shown.contains("127.0.0.1:9999") && shown.contains("environment variable LISTEN_ADDR"), "{shown}");
        assert!(!shown.contains("canary") && shown.contains("(secret)"), "{shown}");
    }
}

#[test]
fn bad_usage_ends_with_2_and_names_the_nearest_command() {
    let output = avatar(&["ruels", "check"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("'rules'"), "{}", text(&output.stderr));
    assert_eq!(avatar(&[], &[]).status.code(), Some(2), "no command");
    assert_eq!(avatar(&["--version"], &[]).status.code(), Some(0));
}

#[test]
fn completions_are_a_script_on_stdout() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let output = avatar(&["completions", shell], &[]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(text(&output.stdout).contains("rollback"), "{shell}");
    }
}
