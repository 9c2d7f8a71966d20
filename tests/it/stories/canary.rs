//! Nothing that says who somebody is, and no secret, reaches a log, a metric or an error: the real program, with everything logged that
//! can be, goes through good and bad times with people whose words nobody else has.

use crate::support::client::{self, Answer};
use crate::support::clinic::{Installation, MANYCHAT_SECRET, SMS_TOKEN, signed, wait_until};
use crate::support::process::Node;
use crate::support::provider::{Api, Provider};
use crate::support::wix::{Patient, Visit};
use avatar::domain::clock::{Clock, SystemClock};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_mins(1);
/// Ends with a division by nothing: the rule sees her name.
const FAILS: &str = "rules:\n  - id: fails\n    owner: reception\n    when: { event: lead_created }\n    if: 10 / (contact.last_name.len() - 12) > 1\n    on_error: { retry: 2 }\n    do: [ { note: Never } ]\n";

fn marked() -> Patient {
    let mut patient = Patient::new("wix-zephyrine", "Zephyrine", "Quillfeather", "0491570110");
    patient.email = "zephyrine.q@canary.example".into();
    patient
}

/// Words of people, and secrets.
fn words(patient: &Patient, key: &str) -> Vec<String> {
    let secret = key.rsplit('_').next().unwrap().to_owned();
    [&patient.first_name, &patient.last_name, &patient.email, &patient.wix_id, &patient.phone[1..].to_owned(), &secret]
        .map(ToString::to_string)
        .into_iter()
        .chain([MANYCHAT_SECRET.into(), SMS_TOKEN.into(), "Kookaburra".into(), "whsec-canary".into()])
        .collect()
}

struct Story {
    node: Node,
    key: String,
    /// Refusals: their whole text.
    refused: Vec<String>,
}

impl Story {
    fn post(&mut self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let answer = client::send(self.node.address.unwrap(), "POST", path, headers, body).unwrap();
        self.keep(&answer);
        answer
    }

    fn get(&mut self, path: &str) -> Answer {
        let authorization = format!("Bearer {}", self.key);
        let answer = client::send(self.node.address.unwrap(), "GET", path, &[("Authorization", &authorization)], &[]).unwrap();
        self.keep(&answer);
        answer
    }

    fn keep(&mut self, answer: &Answer) {
        if answer.status >= 400 {
            self.refused.push(format!("{}\n{}", answer.head, answer.body));
        }
    }
}

fn create_key(installation: &Installation) -> String {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_avatar"));
    command.args(["token", "create", "--name", "canary", "--role", "admin"]).env_clear().envs(installation.variables());
    let output = command.current_dir(installation.path()).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn tell(story: &mut Story, patient: &Patient, body: &serde_json::Value) {
    let headers = [("X-Webhook-Token", MANYCHAT_SECRET), ("Content-Type", "application/json")];
    let answer = story.post("/webhooks/manychat", &headers, body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{}: {answer:?}", patient.wix_id);
}

fn lead(patient: &Patient, id: &str, phone: &str) -> serde_json::Value {
    json!({
        "event": "lead_created", "event_id": id,
        "subscriber": { "id": patient.wix_id, "first_name": patient.first_name, "last_name": patient.last_name, "phone": phone, "email": patient.email },
        "message": { "text": "I live at Kookaburra lane" },
    })
}

fn good_times(story: &mut Story, patient: &Patient) {
    let now = SystemClock.now();
    let mut visit = Visit::new(patient, "visit-z", "2031-03-03T10:30:00+11:00");
    tell(story, patient, &lead(patient, "1", &patient.phone));
    for event in [visit.created(), visit.rescheduled("2031-03-04T10:30:00+11:00"), visit.cancelled()] {
        assert_eq!(story.post("/webhooks/wix/bookings", &[], signed(&event, now).as_bytes()).status, 200);
    }
    let reply =
        json!({ "from": patient.mobile(), "body": "I live at Kookaburra lane", "message_id": "r1", "timestamp": now.0 / 1_000 });
    let path = format!("/webhooks/sms/inbound/{SMS_TOKEN}");
    assert_eq!(story.post(&path, &[("Content-Type", "application/json")], reply.to_string().as_bytes()).status, 200);
}

fn bad_times(story: &mut Story, patient: &Patient) {
    let json_type = ("Content-Type", "application/json");
    let (first, email) = (patient.first_name.clone(), patient.email.clone());
    // Verified, but nothing that could be read: a bad number, half a document, another shape.
    tell(story, patient, &lead(patient, "2", "04915 Zephyrine"));
    for body in [
        format!("{{\"event\": \"lead_created\", \"subscriber\": \"{first}"),
        json!({ "event": first, "subscriber": [email] }).to_string(),
    ] {
        story.post("/webhooks/manychat", &[("X-Webhook-Token", MANYCHAT_SECRET), json_type], body.as_bytes());
    }
    // Not verified.
    story.post(
        "/webhooks/manychat",
        &[("X-Webhook-Token", "whsec-canary"), json_type],
        lead(patient, "3", &patient.phone).to_string().as_bytes(),
    );
    story.post(
        "/webhooks/wix",
        &[("X-Wix-Webhook-Signature", "whsec-canary"), json_type],
        lead(patient, "4", &patient.phone).to_string().as_bytes(),
    );
    story.post("/webhooks/wix", &[], format!("{first}.{email}.whsec-canary").as_bytes());
    story.post("/webhooks/sms/inbound/whsec-canary", &[json_type], first.as_bytes());
    story.post(&format!("/webhooks/{first}"), &[], first.as_bytes());
    // Callers of the API who err.
    for path in [
        "/api/tasks?timeframe=Zephyrine",
        "/api/contacts?stage=Zephyrine&pipeline=Quillfeather&limit=none",
        "/api/Quillfeather",
        "/api/contacts/Zephyrine",
        "/api/contacts/Zephyrine/timeline",
        "/api/events/Quillfeather",
        "/api/stream?topics=Zephyrine",
        "/api/jobs?cursor=Zephyrine",
        "/api/contacts?limit=Zephyrine",
        "/api/contacts?zephyrine.q@canary.example=1&0491570110=2",
    ] {
        story.get(path);
    }
    let authorization = format!("Bearer {}", story.key);
    for (path, body) in [
        ("/api/contacts/Zephyrine/erase", format!("{{\"reason\": [\"{first}\"]}}")),
        ("/api/rules/replay", format!("{{\"since\": \"{first}\"}}")),
        ("/api/rules/rollback", first.clone()),
        ("/api/rules/rollback", format!("{{\"{email}\": 1}}")),
        ("/api/rules/check", format!("{{\"{first} Quill\": {{\"{email}\": 1}}}}")),
    ] {
        story.post(path, &[("Authorization", &authorization), json_type], body.as_bytes());
    }
    let mixed_up = format!("Bearer {}x", story.key);
    story.post("/api/rules/check", &[("Authorization", &mixed_up), json_type], b"{}");
}

#[test]
fn no_word_of_a_person_and_no_secret_reaches_logs_metrics_or_errors() {
    let provider = Provider::start(Api::ClickSend, Arc::new(SystemClock));
    let installation = Installation::sqlite();
    let mut variables = provider.variables();
    variables.push(("RUST_LOG".into(), "trace".into()));
    variables.push(("WIX_WEBHOOK_SECRET".into(), "ca".repeat(32)));
    installation.set_variables(variables);
    installation.write("rules/fails.yaml", FAILS);
    provider.fail_next(["500", "garbage", "reset"]);
    let node = Node::serve(&installation, "canary").ready();
    let key = create_key(&installation);
    let mut story = Story { node, key, refused: Vec::new() };
    let patient = marked();
    good_times(&mut story, &patient);
    bad_times(&mut story, &patient);
    let records = installation.records();
    wait_until(PATIENCE, "everything is worked on", || {
        records.number("SELECT COUNT(*) AS value FROM jobs WHERE queue = 'automation' AND state <> 'dead'") == 0
            && records.number("SELECT COUNT(*) AS value FROM automation_runs WHERE rule_id = 'fails' AND outcome = 'failed'") > 0
    });
    let metrics = story.get("/metrics").body;
    let kept = [
        "SELECT last_error AS value FROM jobs WHERE last_error IS NOT NULL",
        "SELECT error AS value FROM job_attempts WHERE error IS NOT NULL",
    ];
    let errors: Vec<String> = kept.iter().flat_map(|sql| records.words(sql)).collect();
    let mut log = story.node.log();
    log.push_str(&std::fs::read_to_string(installation.file("canary.out")).unwrap());
    assert!(log.contains("TRACE") || log.contains("trace"), "everything is logged");
    assert!(story.refused.len() >= 15, "{}", story.refused.len());
    let places = [
        ("log", log.as_str()),
        ("metrics", &metrics),
        ("job errors", &errors.join("\n")),
        ("refusals", &story.refused.join("\n")),
    ];
    let mut found = Vec::new();
    for (place, text) in places {
        assert!(place == "job errors" || !text.is_empty(), "{place}");
        for word in words(&patient, &story.key) {
            found.extend(
                text.lines()
                    .filter(|line| line.contains(&word))
                    .take(3)
                    .map(|line| format!("{place}, {word}: {}", line.chars().take(600).collect::<String>())),
            );
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n\n"));
}
