//! The settings as an operator meets them: shipped files, wrong files, secrets.

use avatar::config::{Environment, Secret, Settings, SmsProvider, load_clinic, load_pipelines};
use std::path::Path;

const SHIPPED: &str = env!("CARGO_MANIFEST_DIR");

fn environment(pairs: &[(&str, &str)]) -> Environment {
    pairs.iter().copied().collect()
}

fn load(pairs: &[(&str, &str)], dir: &Path) -> Result<Settings, String> {
    Settings::load(&environment(pairs), dir)
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
}

/// A working folder with the shipped clinic and the given `default.yaml`.
fn folder(default: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let config = dir.path().join("config");
    std::fs::create_dir(&config).expect("config/");
    std::fs::write(config.join("default.yaml"), default).expect("default.yaml");
    for name in ["clinic.yaml", "keywords.yaml", "pipelines.yaml"] {
        std::fs::copy(Path::new(SHIPPED).join("config").join(name), config.join(name)).expect("shipped file");
    }
    dir
}

#[test]
fn the_shipped_settings_load_without_any_variable() {
    let settings = load(&[], Path::new(SHIPPED)).expect("shipped settings");
    assert_eq!(settings.server.listen.to_string(), "127.0.0.1:8787");
    assert_eq!(settings.server.limits, avatar::config::ServerLimits::default());
    assert_eq!(settings.sms.provider, SmsProvider::Sandbox);
    assert_eq!(settings.clinic.calendar.holidays.len(), 27);
    assert_eq!(settings.clinic.keywords.intent("CANCEL"), "cancel", "a cancelled appointment is no opt-out");
    assert_eq!(settings.pipelines.pipelines.len(), 5);
    assert!(settings.pipelines.find("lead").and_then(|p| p.find_stage("no_response")).is_some());
}

#[test]
fn the_environment_wins_over_the_file_and_says_so() {
    let dir = folder("server:\n  listen: 127.0.0.1:9000\njobs:\n  workers: 2\n");
    std::fs::write(dir.path().join("config/staging.yaml"), "jobs:\n  workers: 3\n").expect("staging.yaml");
    let settings = load(&[("ENVIRONMENT", "staging"), ("LISTEN_ADDR", "0.0.0.0:80")], dir.path()).expect("settings");
    assert_eq!(settings.server.listen.to_string(), "0.0.0.0:80");
    assert_eq!(settings.jobs.workers, 3);
    let origin = |key: &str| settings.explain().iter().find(|e| e.key == key).map(|e| e.origin.clone()).unwrap_or_default();
    assert_eq!(origin("server.listen"), "environment variable LISTEN_ADDR");
    assert_eq!(origin("jobs.workers"), "config/staging.yaml:2");
    assert_eq!(origin("jobs.poll_ms"), "default");
}

#[test]
fn a_rehearsal_needs_a_simulator_on_this_machine_and_says_that_nothing_leaves() {
    let dir = folder("sms:\n  rehearsal: true\n");
    let account = [("SMS_PROVIDER", "clicksend"), ("SMS_API_USERNAME", "u"), ("SMS_API_KEY", "k"), ("SMS_FROM", "+61491570156")];
    let with = |url| [&account[..], &[("SMS_API_BASE_URL", url)]].concat();
    let problems = load(&with("https://127.0.0.1.example.com"), dir.path()).err().expect("a problem");
    assert!(problems.contains("SMS_API_BASE_URL does not name this machine"), "{problems}");
    assert!(load(&account, dir.path()).is_err(), "the provider's own address is no simulator");
    let settings = load(&with("http://127.0.0.1:8899"), dir.path()).expect("settings");
    assert!(!settings.sms.is_live());
    assert!(settings.sms.notice().expect("a notice").contains("nothing leaves"));
    let live = load(&account, folder("").path()).expect("settings");
    assert!(live.sms.is_live() && live.sms.notice().is_none());
    let asked = [&with("http://127.0.0.1:8899")[..], &[("SMS_REHEARSAL", "true")]].concat();
    assert!(!load(&asked, folder("").path()).expect("settings").sms.is_live(), "the environment can ask for it, too");
}

/// Providers are told to send their receipts there.
#[test]
fn the_public_url_follows_the_address_unless_it_was_named() {
    let elsewhere = "127.0.0.1:8788".parse().expect("an address");
    let mut settings = load(&[], folder("").path()).expect("settings");
    settings.server.listen_at(elsewhere);
    assert_eq!((settings.server.listen, settings.server.frontend_url.as_str()), (elsewhere, "http://127.0.0.1:8788"));
    let mut named = load(&[("FRONTEND_URL", "https://clinic.example")], folder("").path()).expect("settings");
    named.server.listen_at(elsewhere);
    assert_eq!((named.server.listen, named.server.frontend_url.as_str()), (elsewhere, "https://clinic.example"));
}

#[test]
fn every_problem_is_reported_at_once_with_its_place_and_a_hint() {
    let dir =
        folder("server:\n  lisen: 1\n  body_bytes_max: lots\njobs:\n  workers: 0\nsecrets:\n  sms: x\nrules:\n  reload: atuo\n");
    let problems = load(&[("SMS_PROVIDER", "clicksend"), ("CLINIC_TIMEZONE", "Australia/Sidney")], dir.path()).err();
    insta::assert_snapshot!(problems.unwrap_or_default(), @r"
    config/default.yaml:2:3: there is no setting `server.lisen`
      = did you mean `listen`?
    config/default.yaml:3:3: `server.body_bytes_max` is a whole number, not `lots`
      = it can be 1024 to 8388608
    config/default.yaml:5:3: `jobs.workers` is 0
      = it can be 1 to 256
    config/default.yaml:6:1: there is no setting `secrets`
      = secrets are not kept in files of settings: set the environment variable, or NAME_FILE
    config/default.yaml:9:3: `rules.reload` cannot be `atuo`
      = did you mean `auto`?
    environment: CLINIC_TIMEZONE cannot be `Australia/Sidney`
      = did you mean `Australia/Sydney`?
    environment: SMS_API_KEY is not set, and clicksend cannot send without it
      = set SMS_API_KEY, or SMS_PROVIDER=sandbox
    environment: SMS_API_USERNAME is not set, and clicksend cannot send without it
      = set SMS_API_USERNAME, or SMS_PROVIDER=sandbox
    environment: SMS_FROM is not set, and clicksend cannot send without it
      = set SMS_FROM, or SMS_PROVIDER=sandbox
    ");
}

#[test]
fn production_wants_the_secrets_of_its_webhooks_and_reads_them_from_files_while_they_rotate() {
    let dir = folder("");
    let problems = load(&[("ENVIRONMENT", "production")], dir.path()).err().unwrap_or_default();
    assert!(problems.contains("WIX_WEBHOOK_PUBLIC_KEY") && problems.contains("MANYCHAT_WEBHOOK_SECRET"), "{problems}");
    assert!(!problems.contains("SMS_"), "the sandbox needs no SMS secrets: {problems}");

    std::fs::write(dir.path().join("manychat"), "canary-new,canary-old\n").expect("secret file");
    let variables =
        [("ENVIRONMENT", "production"), ("WIX_WEBHOOK_SECRET", "canary-wix"), ("MANYCHAT_WEBHOOK_SECRET_FILE", "manychat")];
    let settings = load(&variables, dir.path()).expect("settings");
    let manychat: Vec<&str> = settings.secrets.manychat_webhook_secret.iter().map(Secret::expose).collect();
    assert_eq!(manychat, ["canary-new", "canary-old"]);
    let shown = format!("{:?}", settings.explain());
    assert!(!shown.contains("canary"), "{shown}");
    assert!(shown.contains("(2 secrets)"));
}

#[test]
fn a_database_password_is_never_shown() {
    let dir = folder("");
    let settings = load(&[("DATABASE_URL", "postgres://u:canary@db/avatar?sslmode=disable")], dir.path()).expect("settings");
    let shown = settings.explain().iter().find(|e| e.key == "database.url").map(|e| e.value.clone());
    assert_eq!(shown.as_deref(), Some("postgres://db/avatar"));
}

#[test]
fn a_wrong_clinic_file_names_each_mistake() {
    let text = "name: Clinic\nphone: 0255501234\nhours:\n  monday: 8-18\n  tuesday: closed\n  wednesday: closed\n  thursday: closed\n  friday: closed\n  saturday: closed\n  sundey: closed\nholidays:\n  2026-02-30: Never\nquiet_hours: { texts_from: \"20:00\", texts_until: \"08:00\" }\nkeywords:\n  stop: [stop]\ntexts: { caps: { per_number: 0, per_day: 3 }, opt_out_ack: 1 }\nteams: []\n";
    let problems = load_clinic(text, chrono_tz::Australia::Sydney).expect_err("problems");
    let shown: Vec<String> = problems.iter().map(|p| format!("{}: {}", p.line, p.message)).collect();
    insta::assert_snapshot!(shown.join("\n"), @r"
    3: `hours.sunday` is missing
    4: `hours.monday` cannot be `8-18`
    10: there is no `hours.sundey` in this file
    12: `2026-02-30` is not a day of the calendar
    13: `texts_from` must be before `texts_until`
    14: `keywords` has a file of its own
    16: `texts.caps.per_number` is a whole number from 1 to 1000000
    16: `texts.opt_out_ack` is true or false
    16: there is no `texts.caps.per_day` in this file
    17: `teams` is a list of words
    ");
}

#[test]
fn a_stage_that_leads_nowhere_is_found() {
    let text = "pipelines:\n  - name: lead\n    label: Leads\n    stages:\n      - name: new_lead\n        label: New\n        next: [contcted]\n      - { name: contacted, label: Contacted }\n";
    let problems = load_pipelines(text).expect_err("problems");
    assert_eq!(problems.len(), 1);
    assert_eq!((problems[0].line, problems[0].help.as_deref()), (7, Some("did you mean `contacted`?")));
}

#[test]
fn a_sender_name_that_is_not_registered_is_warned_of() {
    let dir = folder("sms:\n  from: AvatarClin\n");
    let told = |extra: &str| {
        std::fs::write(dir.path().join("config/default.yaml"), format!("sms:\n  from: AvatarClin\n{extra}"))
            .expect("default.yaml");
        let warnings = load(&[], dir.path()).expect("settings").warnings();
        warnings.into_iter().map(|w| w.key).collect::<Vec<_>>()
    };
    assert_eq!(told(""), ["sms.sender_registered", "sms.from"]);
    assert_eq!(told("  sender_registered: true\n"), ["sms.from"], "nobody can reply to a name");
    let number = load(&[("SMS_FROM", "+61491570156")], dir.path()).expect("settings");
    assert_eq!(number.warnings(), []);
    let problems = load(&[("SMS_FROM", "Avatar Imaging")], dir.path()).map(|_| ()).expect_err("a name with a blank");
    assert!(problems.starts_with("environment: SMS_FROM is a number or a sender name, not `Avatar Imaging`\n  = "), "{problems}");
}

#[test]
fn keywords_are_the_shipped_ones_until_the_file_says_otherwise() {
    let dir = folder("");
    let file = dir.path().join("config/keywords.yaml");
    std::fs::remove_file(&file).expect("keywords.yaml");
    assert_eq!(load(&[], dir.path()).expect("settings").clinic.keywords.intent("Stop!"), "stop");
    std::fs::write(&file, "stop: { words: [halt] }\nstart: [go]\n\"yes\": [aye]\n\"no\": [nay]\ncancel: [off]\n")
        .expect("keywords.yaml");
    let keywords = load(&[], dir.path()).expect("settings").clinic.keywords.clone();
    assert_eq!((keywords.intent("HALT"), keywords.intent("Stop!"), keywords.intent("aye aye")), ("stop", "other", "yes"));
    std::fs::write(&file, "stop: [halt]\n").expect("keywords.yaml");
    let problems = load(&[], dir.path()).map(|_| ()).expect_err("problems");
    assert!(problems.contains("config/keywords.yaml:1:1: `stop.words` is missing"), "{problems}");
}
