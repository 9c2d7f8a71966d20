//! Texts through the real HTTP client, to a provider that does everything a provider can do wrong.

use super::waits::{notes, only};
use crate::support::clinic::{Clinic, Installation, MONDAY_9AM, SMS_TOKEN, at, sample};
use crate::support::provider::{Api, Provider};
use crate::support::wix::{Patient, Visit};
use avatar::automation::missing_receipts;
use avatar::domain::clock::ManualClock;
use avatar::domain::time::Millis;
use avatar::simulator::faults::Fault;
use std::sync::Arc;

const NEXT_MONDAY: &str = "2026-11-30T10:30:00+11:00";
pub(super) const APIS: [Api; 2] = [Api::ClickSend, Api::MessageMedia];
/// A number without a fate of its own: everybody here gets every text.
pub(super) fn number(n: usize) -> String {
    format!("04910000{n:02}")
}

/// Refused by both providers: no number.
const NO_NUMBER: &str = "0491570110";

pub(super) fn e164(number: &str) -> String {
    format!("+61{}", &number[1..])
}

/// A clinic that sends through this provider, and waits a second for its answers.
pub(super) fn clinic_of(provider: &Provider, clock: &Arc<ManualClock>, installation: Arc<Installation>) -> Clinic {
    let config = installation.read("config/default.yaml");
    assert!(config.contains("timeout_seconds: 10\n"));
    installation.write("config/default.yaml", &config.replace("timeout_seconds: 10\n", "timeout_seconds: 1\n"));
    let variables = provider.variables();
    let variables: Vec<(&str, &str)> = variables.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    Clinic::node(installation, clock, &variables)
}

/// Each story with both providers, and on both databases where there are two.
macro_rules! with_both_providers {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite { $(#[test] fn $story() { super::with_both(super::$story, super::Installation::sqlite); })+ }
        mod on_postgres {
            $(#[test]
            fn $story() {
                if super::Installation::postgres().is_some() {
                    super::with_both(super::$story, || super::Installation::postgres().unwrap());
                }
            })+
        }
    };
}

fn with_both(story: fn(&Clinic, &Provider), installation: impl Fn() -> Arc<Installation>) {
    for api in APIS {
        let clock = ManualClock::at(at(MONDAY_9AM));
        let provider = Provider::start(api, clock.clone());
        let clinic = clinic_of(&provider, &clock, installation());
        story(&clinic, &provider);
        clinic.check();
    }
}

with_both_providers!(
    whatever_happens_no_text_goes_out_twice,
    a_refused_connection_is_tried_again,
    wrong_credentials_hold_the_outbox_and_tell_staff_once,
    a_person_is_asked_once_when_nobody_knows,
    an_answer_that_breaks_off_is_looked_up_by_its_id,
    a_receipt_or_a_reply_shows_that_a_text_went_out,
    a_provider_that_hangs_holds_up_nothing_else,
    one_bad_text_of_a_batch_spoils_no_other,
    demo_people_are_never_texted_for_real,
    receipts_in_the_providers_own_shapes_reach_the_rules,
    a_receipt_that_never_comes_is_looked_up,
    a_text_of_which_the_provider_says_nothing_stays_accepted_with_a_reason,
    a_price_that_the_provider_does_not_name_is_an_estimate,
);

/// A new patient books: one text wants to leave. Its id.
pub(super) fn book(clinic: &Clinic, n: usize) -> String {
    book_with(clinic, n, &number(n))
}

fn book_with(clinic: &Clinic, n: usize, mobile: &str) -> String {
    let patient = Patient::new(&format!("wix-{n}"), &format!("Kim{n}"), "Lee", mobile);
    let answer = clinic.post_wix(&Visit::new(&patient, &format!("visit-{n}"), NEXT_MONDAY).created());
    assert_eq!(answer.status, 200, "{answer:?}");
    clinic.work_only_automation();
    let sql = format!("SELECT id AS value FROM sms_messages WHERE to_number = '{}' AND direction = 'out'", patient.mobile());
    clinic.words(&sql).remove(0)
}

pub(super) fn status(clinic: &Clinic, sms_id: &str) -> String {
    clinic.words(&format!("SELECT status AS value FROM sms_messages WHERE id = '{sms_id}'")).remove(0)
}

pub(super) fn pass(clinic: &Clinic, span: Millis) {
    let to = (clinic.now() + span).to_rfc3339();
    clinic.advance(&to);
}

fn questions(clinic: &Clinic) -> Vec<String> {
    clinic.words("SELECT status AS value FROM tasks WHERE type = 'sms_outcome_unknown' ORDER BY created_at")
}

fn alerts(clinic: &Clinic) -> Vec<String> {
    clinic.words("SELECT status || ' ' || title AS value FROM tasks WHERE type = 'rule_alert' ORDER BY created_at")
}

/// What happens, what the text is then, and how often it went out in the end. What went out is known to be so in the end.
const TABLE: [(&str, &str, u32); 36] = [
    ("429", "queued", 1),
    ("429-bare", "queued", 1),
    ("401", "queued", 1),
    ("402", "queued", 1),
    ("403", "queued", 1),
    ("404", "queued", 1),
    ("no-credit", "queued", 1),
    ("400", "failed", 0),
    ("408", "unknown", 0),
    ("sent-408", "unknown", 1),
    ("500", "unknown", 0),
    ("sent-500", "unknown", 1),
    ("502", "unknown", 0),
    ("sent-502", "unknown", 1),
    ("503", "unknown", 0),
    ("sent-503", "unknown", 1),
    ("timeout", "unknown", 0),
    ("sent-timeout", "unknown", 1),
    ("reset", "unknown", 0),
    ("sent-reset", "unknown", 1),
    ("close", "unknown", 0),
    ("sent-close", "unknown", 1),
    ("reset-mid-body", "unknown", 1),
    ("cut", "unknown", 1),
    ("truncated", "unknown", 1),
    ("slow", "unknown", 1),
    ("html", "unknown", 0),
    ("sent-html", "unknown", 1),
    ("garbage", "unknown", 0),
    ("sent-garbage", "unknown", 1),
    ("huge", "unknown", 0),
    ("sent-huge", "unknown", 1),
    ("redirect", "unknown", 0),
    ("sent-redirect", "unknown", 1),
    ("empty", "unknown", 0),
    ("sent-empty", "unknown", 1),
];

fn whatever_happens_no_text_goes_out_twice(clinic: &Clinic, provider: &Provider) {
    for (n, (fault, at_once, _)) in TABLE.iter().enumerate() {
        provider.fail_next([*fault]);
        let sms_id = book(clinic, n);
        clinic.work_only_sms();
        assert_eq!(status(clinic, &sms_id), *at_once, "{fault}");
        // Until the outbox is open again.
        pass(clinic, Millis::minutes(8));
    }
    pass(clinic, Millis::minutes(40));
    let mut unknown = 0;
    for (n, (fault, at_once, taken)) in TABLE.iter().enumerate() {
        let sql = format!(
            "SELECT s.id AS value FROM sms_messages s JOIN contacts c ON c.id = s.contact_id WHERE c.first_name = 'Kim{n}'"
        );
        let sms_id = clinic.words(&sql).remove(0);
        assert_eq!(provider.taken(&sms_id), *taken, "{fault}");
        let ends: &[&str] = if *taken == 1 { &["accepted", "delivered"] } else { &[*at_once] };
        let end = status(clinic, &sms_id);
        assert!(ends.contains(&end.as_str()), "{fault}: {end}");
        unknown += usize::from(end == "unknown");
    }
    assert_eq!(questions(clinic), vec!["todo"; unknown], "a person is asked about each text that nobody knows of, and no other");
    assert!(alerts(clinic).iter().all(|told| told.starts_with("cancelled ")), "{:?}", alerts(clinic));
}

/// What the simulator can do wrong and the table does not try is no fault of a call.
#[test]
fn the_table_has_every_fault_of_a_call() {
    let tried: Vec<String> = TABLE.iter().map(|(fault, ..)| (*fault).to_owned()).collect();
    let untried: Vec<String> = Fault::names().filter(|name| !name.starts_with("receipt-") && !tried.contains(name)).collect();
    assert_eq!(untried, ["fine", "hang"], "`hang` has a story of its own");
}

fn a_refused_connection_is_tried_again(clinic: &Clinic, provider: &Provider) {
    provider.go_down();
    let sms_id = book(clinic, 0);
    clinic.work_only_sms();
    assert_eq!(status(clinic, &sms_id), "queued");
    assert!(alerts(clinic).is_empty(), "it may pass by itself");
    pass(clinic, Millis::minutes(20));
    assert_eq!(status(clinic, &sms_id), "queued");
    assert_eq!(alerts(clinic), [format!("todo Texts wait: {} cannot be reached", provider.name())]);
    provider.come_up();
    pass(clinic, Millis::minutes(6));
    assert_eq!((status(clinic, &sms_id).as_str(), provider.taken(&sms_id)), ("accepted", 1));
    assert!(alerts(clinic)[0].starts_with("cancelled"), "{:?}", alerts(clinic));
    assert_eq!(clinic.count("sms_holds"), 0);
}

fn wrong_credentials_hold_the_outbox_and_tell_staff_once(clinic: &Clinic, provider: &Provider) {
    provider.fail_next(["401"; 4]);
    let ids: Vec<String> = (0..5).map(|number| book(clinic, number)).collect();
    clinic.work_only_sms();
    assert_eq!(provider.calls(provider.send_path()), 1, "one call is enough to know");
    let health = clinic.get("/health").json();
    assert_eq!((&health["sms"]["state"], &health["sms"]["reason"]), (&"held".into(), &"credentials".into()), "{health}");
    pass(clinic, Millis::minutes(6));
    assert_eq!(alerts(clinic).len(), 1, "{:?}", alerts(clinic));
    assert!(alerts(clinic)[0].starts_with("todo ") && alerts(clinic)[0].ends_with("refuses our account"), "{:?}", alerts(clinic));
    assert_eq!(provider.calls(provider.send_path()), 3, "one text is tried after 1 minute, and after 2 more");
    let texts: Vec<usize> = provider.seen().iter().map(|call| call.texts).collect();
    assert_eq!(texts, [5, 1, 1], "a try is one text");
    pass(clinic, Millis::minutes(20));
    for sms_id in &ids {
        assert_eq!((status(clinic, sms_id).as_str(), provider.taken(sms_id)), ("accepted", 1));
    }
    assert!(alerts(clinic)[0].starts_with("cancelled "));
    assert_eq!(clinic.get("/health").json()["sms"]["state"], "ok");
}

fn a_person_is_asked_once_when_nobody_knows(clinic: &Clinic, provider: &Provider) {
    provider.go_blind();
    provider.fail_next(["sent-timeout"]);
    let sms_id = book(clinic, 0);
    clinic.work_only_sms();
    pass(clinic, Millis::minutes(29));
    assert!(questions(clinic).is_empty(), "the provider is asked first");
    pass(clinic, Millis::minutes(1));
    assert_eq!(questions(clinic), ["todo"]);
    let told = clinic.words("SELECT because AS value FROM tasks WHERE type = 'sms_outcome_unknown'").remove(0);
    assert!(told.contains("its record of texts does not show it"), "{told}");
    // Whoever closes it has an answer; it is not asked again, and the text does not go out again.
    clinic.words("UPDATE tasks SET status = 'done' WHERE type = 'sms_outcome_unknown' RETURNING id AS value");
    pass(clinic, Millis::days(4));
    assert_eq!(questions(clinic), ["done"]);
    assert_eq!((status(clinic, &sms_id).as_str(), provider.taken(&sms_id)), ("unknown", 1));
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM jobs WHERE queue = 'sms_checks'"), 0, "after three days it ends");
    assert_eq!(clinic.number(&format!("SELECT checks AS value FROM sms_handovers WHERE sms_id = '{sms_id}'")), 9);
}

/// Nobody sends receipts in these stories. Looks for them as the service does, from time to time.
fn look_for_receipts(clinic: &Clinic) -> usize {
    let found = clinic.runtime.block_on(missing_receipts::look_for(&clinic.sending)).unwrap();
    clinic.settle();
    found
}

fn reason(clinic: &Clinic, sms_id: &str) -> String {
    clinic.words(&format!("SELECT COALESCE(status_reason, '-') AS value FROM sms_messages WHERE id = '{sms_id}'")).remove(0)
}

fn a_receipt_that_never_comes_is_looked_up(clinic: &Clinic, provider: &Provider) {
    let sms_id = book(clinic, 0);
    clinic.work_only_sms();
    assert_eq!(status(clinic, &sms_id), "accepted");
    let asked = provider.seen().len();
    pass(clinic, Millis::minutes(119));
    assert_eq!((look_for_receipts(clinic), provider.seen().len()), (0, asked), "it may still come");
    pass(clinic, Millis::minutes(6));
    assert_eq!(look_for_receipts(clinic), 1);
    assert_eq!((status(clinic, &sms_id).as_str(), provider.seen().len()), ("delivered", asked + 1));
    assert_eq!(
        clinic.number("SELECT COUNT(*) AS value FROM event_log WHERE event_type = 'sms_delivered'"),
        1,
        "rules hear of it"
    );
    pass(clinic, Millis::minutes(6));
    assert_eq!((look_for_receipts(clinic), provider.taken(&sms_id)), (0, 1), "nothing more is asked, and nothing sent");
}

fn a_text_of_which_the_provider_says_nothing_stays_accepted_with_a_reason(clinic: &Clinic, provider: &Provider) {
    let sms_id = book(clinic, 0);
    clinic.work_only_sms();
    provider.go_blind();
    pass(clinic, Millis::hours(2));
    assert_eq!(look_for_receipts(clinic), 1);
    let asked = || clinic.number(&format!("SELECT checks AS value FROM sms_handovers WHERE sms_id = '{sms_id}'"));
    assert_eq!((asked(), reason(clinic, &sms_id).as_str()), (1, "-"));
    pass(clinic, Millis::hours(10));
    assert_eq!((look_for_receipts(clinic), asked()), (0, 2), "the same job asks again");
    pass(clinic, Millis::hours(60));
    assert_eq!((asked(), status(clinic, &sms_id), reason(clinic, &sms_id)), (3, "accepted".into(), "no_receipt".into()));
    pass(clinic, Millis::days(3));
    // Reminders that left meanwhile wait for their own receipts.
    look_for_receipts(clinic);
    assert_eq!((asked(), provider.taken(&sms_id)), (3, 1), "three questions, and never again");
    // Providers can be later than that.
    let message_id = provider.message_id(&sms_id);
    assert_eq!(receipt(clinic, provider, &message_id, &sms_id), 200);
    clinic.settle();
    assert_eq!(status(clinic, &sms_id), "delivered");
    assert_ne!(reason(clinic, &sms_id), "no_receipt");
}

/// In the provider's own shape.
fn receipt(clinic: &Clinic, provider: &Provider, message_id: &str, sms_id: &str) -> u16 {
    if provider.api == Api::ClickSend {
        return clinic.post_receipt(message_id, sms_id, "201").status;
    }
    let body = serde_json::json!({
        "delivery_report_id": format!("report-{sms_id}"), "message_id": message_id, "status": "delivered", "error_code": "220",
        "date_received": clinic.now().to_rfc3339(), "metadata": { "sms_id": sms_id },
    });
    let path = format!("/webhooks/sms/receipts/{SMS_TOKEN}");
    clinic.post(&path, &[("Content-Type", "application/json")], body.to_string().as_bytes()).status
}

fn a_price_that_the_provider_does_not_name_is_an_estimate(clinic: &Clinic, provider: &Provider) {
    book(clinic, 0);
    clinic.work_only_sms();
    let text = clinic.get("/api/sms").json()["items"][0].clone();
    assert_eq!((&text["price"], &text["currency"], &text["parts"]), (&0.0792.into(), &"AUD".into(), &1.into()), "{text}");
    assert_eq!(text["price_is_estimate"], provider.api == Api::MessageMedia, "only ClickSend names prices: {text}");
}

fn an_answer_that_breaks_off_is_looked_up_by_its_id(clinic: &Clinic, provider: &Provider) {
    provider.fail_next(["cut"]);
    let sms_id = book(clinic, 0);
    clinic.work_only_sms();
    assert_eq!(status(clinic, &sms_id), "unknown");
    let message_id = provider.message_id(&sms_id);
    let known = || clinic.words(&format!("SELECT provider_message_id AS value FROM sms_handovers WHERE sms_id = '{sms_id}'"));
    assert_eq!(known(), std::slice::from_ref(&message_id), "what is whole in half an answer was read");
    pass(clinic, Millis::minutes(2));
    assert_eq!(status(clinic, &sms_id), "delivered", "it was looked up, and nobody sends receipts here");
    let by_id = match provider.api {
        Api::ClickSend => "/v3/sms/history".to_owned(),
        Api::MessageMedia => format!("/v1/messages/{message_id}"),
    };
    assert_eq!(provider.calls(&by_id), 1);
    let id = clinic.words(&format!("SELECT provider_message_id AS value FROM sms_messages WHERE id = '{sms_id}'"));
    assert_eq!(id, [message_id]);
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM touchpoints WHERE kind = 'sms_out'"), 1, "it is on the timeline");
}

fn a_receipt_or_a_reply_shows_that_a_text_went_out(clinic: &Clinic, provider: &Provider) {
    provider.go_blind();
    let mut ids = Vec::new();
    for n in 0..3 {
        provider.fail_next(["sent-reset"]);
        ids.push(book(clinic, n));
        clinic.work_only_sms();
        pass(clinic, Millis::minutes(11));
    }
    pass(clinic, Millis::minutes(30));
    assert_eq!(questions(clinic), ["todo"; 3]);
    // Progress, delivery, an answer of the patient.
    let message_ids: Vec<String> = ids.iter().map(|id| provider.message_id(id)).collect();
    clinic.post_receipt(&message_ids[0], &ids[0], "200");
    clinic.post_receipt(&message_ids[1], &ids[1], "201");
    let reply = serde_json::json!({ "from": e164(&number(2)), "body": "yes", "message_id": "r-1", "custom_string": ids[2] });
    let path = format!("/webhooks/sms/inbound/{SMS_TOKEN}");
    assert_eq!(clinic.post(&path, &[("Content-Type", "application/json")], reply.to_string().as_bytes()).status, 200);
    clinic.settle();
    let states: Vec<String> = ids.iter().map(|id| status(clinic, id)).collect();
    assert_eq!(states, ["accepted", "delivered", "accepted"]);
    assert_eq!(questions(clinic), ["cancelled"; 3], "no person needs to look any more");
    for code in ["301", "200"] {
        clinic.post_receipt(&message_ids[1], &ids[1], code);
        clinic.settle();
    }
    assert_eq!(status(clinic, &ids[1]), "delivered", "a final state stays");
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM event_log WHERE event_type = 'sms_delivered'"), 1);
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM sms_messages WHERE status = 'delivered' AND accepted_at IS NULL"), 0);
}

fn a_provider_that_hangs_holds_up_nothing_else(clinic: &Clinic, provider: &Provider) {
    provider.fail_next(["hang"]);
    let sms_id = book(clinic, 0);
    std::thread::scope(|scope| {
        let sending = scope.spawn(|| clinic.work_only_sms());
        clinic.until(std::time::Duration::from_secs(5), "the call is on its way", |c| {
            status(c, &sms_id) == "sending" && provider.calls("/v") == 1
        });
        book(clinic, 1);
        assert_eq!(clinic.booking("visit-1"), "scheduled Mon 11-30 10:30", "events are worked on meanwhile");
        assert_eq!(status(clinic, &sms_id), "sending");
        provider.release();
        sending.join().unwrap();
    });
    clinic.settle();
    assert_eq!((status(clinic, &sms_id).as_str(), provider.taken(&sms_id)), ("accepted", 1));
}

fn one_bad_text_of_a_batch_spoils_no_other(clinic: &Clinic, provider: &Provider) {
    // ClickSend refuses the one; MessageMedia the whole batch, then the half with the bad one, then the bad one.
    let mobile = |n| if n == 2 { NO_NUMBER.to_owned() } else { number(n) };
    let ids: Vec<String> = (0..4).map(|n| book_with(clinic, n, &mobile(n))).collect();
    clinic.settle();
    let states: Vec<String> = ids.iter().map(|id| status(clinic, id)).collect();
    assert_eq!(states, ["accepted", "accepted", "failed", "accepted"]);
    let taken: Vec<u32> = ids.iter().map(|id| provider.taken(id)).collect();
    assert_eq!(taken, [1, 1, 0, 1]);
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM event_log WHERE event_type = 'sms_failed'"), 1);
    assert_eq!(clinic.number("SELECT COUNT(*) AS value FROM tasks WHERE type = 'sms_failed_fix'"), 1);
    if provider.api == Api::ClickSend {
        let price = format!("SELECT price_micros AS value FROM sms_handovers WHERE sms_id = '{}'", ids[0]);
        assert_eq!(
            (clinic.number(&price), clinic.words("SELECT DISTINCT currency AS value FROM sms_handovers")),
            (79_200, vec!["AUD".into()])
        );
        assert_eq!(clinic.words("SELECT phone_status AS value FROM contacts WHERE first_name = 'Kim2'"), ["invalid"]);
    }
    let raw = clinic.words(&format!("SELECT raw AS value FROM sms_handovers WHERE sms_id = '{}'", ids[0])).remove(0);
    assert!(raw.contains(&provider.message_id(&ids[0])) && !raw.contains(SMS_TOKEN), "{raw}");
}

fn demo_people_are_never_texted_for_real(clinic: &Clinic, provider: &Provider) {
    let sms_id = book(clinic, 0);
    clinic.words("UPDATE contacts SET is_demo = TRUE WHERE first_name = 'Kim0' RETURNING id AS value");
    clinic.settle();
    let reason =
        clinic.words(&format!("SELECT status || ': ' || status_reason AS value FROM sms_messages WHERE id = '{sms_id}'"));
    assert_eq!((reason, provider.calls("/v")), (vec!["suppressed: demo".to_owned()], 0));
}

fn receipts_in_the_providers_own_shapes_reach_the_rules(clinic: &Clinic, provider: &Provider) {
    only(
        clinic,
        r#"rules:
  - id: book
    when: { event: booking_confirmed }
    do: [ { sms: booking_confirmation } ]
  - id: lost
    when: { event: sms_failed }
    do: [ { note: "{{contact.first_name}} lost {{event.data.template}}: {{event.data.code}}" } ]
  - id: got
    when: { event: sms_delivered }
    do: [ { note: "{{contact.first_name}} got {{event.data.template}}" } ]
"#,
    );
    let ids = [book(clinic, 0), book(clinic, 1)];
    clinic.settle();
    let path = format!("/webhooks/sms/receipts/{SMS_TOKEN}");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    let json = [("Content-Type", "application/json")];
    let ours = |text: &str, sms_id: &str| text.replace("0192f2c0-0000-7000-8000-000000000001", sms_id);
    // Twice each, for that is how they come.
    for _ in 0..2 {
        let (headers, bodies) = match provider.api {
            Api::ClickSend => {
                let got = ours(&sample("clicksend_receipt_201.form"), &ids[0]);
                let lost = ours(&sample("clicksend_receipt_301.form"), &ids[1]).replace("1F12D717-947A", "1F12D717-947B");
                (&form, [got, lost])
            }
            Api::MessageMedia => {
                let got = ours(&sample("messagemedia_dr_callback.json"), &ids[0]);
                let lost = ours(&sample("messagemedia_dr_callback.json"), &ids[1]);
                let lost = lost
                    .replace("01e1fa0a", "01e1fa0b")
                    .replace("\"221\"", "\"414\"")
                    .replace("\"delivered\"", "\"undeliverable\"");
                (&json, [got, lost])
            }
        };
        for body in bodies {
            let answer = clinic.post(&path, headers, body.trim().as_bytes());
            assert_eq!(answer.status, 200, "{answer:?}");
            clinic.settle();
        }
    }
    assert_eq!([status(clinic, &ids[0]), status(clinic, &ids[1])], ["delivered", "failed"]);
    let code = if provider.api == Api::ClickSend { "301" } else { "414" };
    let told: Vec<String> = notes(clinic).iter().map(|note| note.split(" Mon").next().unwrap_or_default().to_owned()).collect();
    assert_eq!(told, ["Kim0 got booking_confirmation".to_owned(), format!("Kim1 lost booking_confirmation: {code}")]);
}
