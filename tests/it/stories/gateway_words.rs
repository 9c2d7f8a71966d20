//! What ClickSend says of one text, and providers that are none.

use super::gateways::{APIS, book, clinic_of, e164, number, pass, status};
use crate::support::clinic::{Clinic, Installation, MONDAY_9AM, at};
use crate::support::provider::{Api, Provider};
use avatar::domain::clock::ManualClock;
use avatar::domain::time::Millis;

/// A word of ClickSend's, what becomes of the text, whether the outbox is held, and how often it was taken in the end.
const WORDS: [(&str, &str, Option<&str>); 15] = [
    ("INVALID_RECIPIENT", "failed: invalid_number", None),
    ("COUNTRY_NOT_ENABLED", "failed: country_not_enabled", None),
    ("THROTTLED", "failed: duplicate", None),
    ("EMPTY_MESSAGE", "failed: bad_request", None),
    ("MISSING_REQUIRED_FIELDS", "failed: bad_request", None),
    ("INVALID_SCHEDULE", "failed: bad_request", None),
    ("TOO_MANY_RECIPIENTS", "failed: bad_request", None),
    ("A_WORD_OF_NEXT_YEAR", "failed: refused", None),
    ("INTERNAL_ERROR", "unknown: INTERNAL_ERROR", Some("unavailable")),
    ("SOMETHING_IS_WRONG", "unknown: SOMETHING_IS_WRONG", Some("unavailable")),
    ("INVALID_SENDER_ID", "queued: -", Some("sender")),
    ("INSUFFICIENT_CREDIT", "queued: -", Some("credit")),
    ("MISSING_CREDENTIALS", "queued: -", Some("credentials")),
    ("INVALID_CREDENTIALS", "queued: -", Some("credentials")),
    ("ACCOUNT_NOT_ACTIVATED", "queued: -", Some("credentials")),
];

#[test]
fn every_word_of_clicksend_has_its_consequence() {
    let clock = ManualClock::at(at(MONDAY_9AM));
    let provider = Provider::start(Api::ClickSend, clock.clone());
    let clinic = clinic_of(&provider, &clock, Installation::sqlite());
    for (n, (word, becomes, held)) in WORDS.iter().enumerate() {
        provider.answer_with(&e164(&number(n)), Some(word));
        let sms_id = book(&clinic, n);
        clinic.work_only_sms();
        let sql =
            format!("SELECT status || ': ' || COALESCE(status_reason, '-') AS value FROM sms_messages WHERE id = '{sms_id}'");
        assert_eq!(clinic.words(&sql), [*becomes], "{word}");
        let reasons = clinic.words("SELECT reason AS value FROM sms_holds");
        assert_eq!(reasons, held.iter().map(|r| (*r).to_owned()).collect::<Vec<_>>(), "{word}");
        provider.answer_with(&e164(&number(n)), None);
        pass(&clinic, Millis::minutes(8));
        assert_eq!(provider.taken(&sms_id), u32::from(becomes.starts_with("queued")), "{word}");
    }
    clinic.check();
}

/// Whoever looks sees that nothing leaves, and nobody has to ask for it.
#[test]
fn the_sandbox_says_that_nothing_leaves() {
    let clinic = Clinic::sqlite();
    let sms = clinic.get("/health").json()["sms"].clone();
    assert_eq!((&sms["provider"], &sms["live"], &sms["state"]), (&"sandbox".into(), &false.into(), &"ok".into()), "{sms}");
    assert!(sms["notice"].as_str().is_some_and(|notice| notice.contains("nothing leaves")), "{sms}");
    let installation = clinic.shut_down();
    for arguments in [&["config", "show"][..], &["doctor", "--only", "sms"], &["config", "show", "--json"]] {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_avatar"));
        command.args(arguments).env_clear().envs(installation.variables()).current_dir(installation.path());
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && said.contains("nothing leaves"), "{arguments:?}: {output:?}");
    }
}

/// A machine with somebody else's certificate, or with none, is no provider: nothing was sent.
#[test]
fn a_name_that_is_not_found_and_tls_that_fails_are_no_sendings() {
    let clock = ManualClock::at(at(MONDAY_9AM));
    for api in APIS {
        let provider = Provider::start(api, clock.clone());
        for url in [format!("https://{}", provider.address), "https://no-such-host.invalid".to_owned()] {
            let mut variables = provider.variables();
            variables.retain(|(name, _)| name != "SMS_API_BASE_URL");
            variables.push(("SMS_API_BASE_URL".into(), url.clone()));
            let variables: Vec<(&str, &str)> = variables.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            let clinic = Clinic::node(Installation::sqlite(), &clock, &variables);
            let sms_id = book(&clinic, 0);
            clinic.work_only_sms();
            assert_eq!(status(&clinic, &sms_id), "queued", "{url}");
            assert_eq!(clinic.words("SELECT reason AS value FROM sms_holds"), ["unavailable"], "{url}");
        }
        assert!(provider.sent().is_empty() && provider.seen().is_empty());
    }
}
