//! Receipts and replies go through the webhooks of a real service, in each provider's format.

use super::{JANE, PATIENCE, client, send};
use crate::support::clinic::{Clinic, Installation, MONDAY_9AM, SMS_TOKEN, at};
use crate::support::wix::{Patient, Visit};
use avatar::domain::clock::ManualClock;
use avatar::inbound::sign::{KeyPair, MessageMediaSigner};
use avatar::simulator::{Answering, Encoding, Options, Provider, Simulator};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

/// A clinic that has sent Jane one text, and a provider that is about to take it.
struct Rehearsal {
    clinic: Clinic,
    sms_id: String,
    simulator: Simulator,
    provider: Provider,
}

impl Rehearsal {
    fn of(provider: Provider, patient: &Patient, change: impl FnOnce(&mut Options)) -> Self {
        Self::at(Clinic::sqlite(), provider, patient, change)
    }

    fn at(clinic: Clinic, provider: Provider, patient: &Patient, change: impl FnOnce(&mut Options)) -> Self {
        clinic.wix(&Visit::new(patient, "mri", "2026-11-30T10:30:00+11:00").created());
        let sms_id = clinic.words("SELECT id AS value FROM sms_messages WHERE direction = 'out'").remove(0);
        let mut options = Options {
            callback: Some(format!("http://{}/webhooks/sms/{{kind}}/{SMS_TOKEN}", clinic.address)),
            receipt_delay: Duration::ZERO,
            retry_delay: Duration::from_millis(5),
            clock: clinic.clock.clone(),
            ..Options::new(provider)
        };
        change(&mut options);
        let simulator = clinic.runtime.block_on(Simulator::start(options)).unwrap();
        Self { clinic, sms_id, simulator, provider }
    }

    /// The provider takes the text; its receipts and replies come, and the clinic works on them.
    fn play(self, to: &str) -> Self {
        let (status, _) =
            self.clinic.runtime.block_on(send(&self.simulator, self.provider, &[(&self.sms_id, to, "See you on Monday")]));
        assert!(status < 300, "{status}");
        self.settle()
    }

    fn settle(self) -> Self {
        self.clinic.runtime.block_on(self.simulator.quiet());
        self.clinic.settle();
        self
    }

    fn status(&self) -> String {
        self.clinic.words(&format!("SELECT status AS value FROM sms_messages WHERE id = '{}'", self.sms_id)).remove(0)
    }

    /// Codes of the receipts that the clinic has worked on.
    fn codes(&self) -> Vec<String> {
        self.clinic.words("SELECT code AS value FROM sms_status_events WHERE code IS NOT NULL ORDER BY code")
    }

    fn events(&self, event_type: &str) -> i64 {
        self.clinic.number(&format!("SELECT COUNT(*) AS value FROM event_log WHERE event_type = '{event_type}'"))
    }
}

#[test]
fn clicksend_reports_delivery_as_form_and_as_json() {
    for encoding in [None, Some(Encoding::Form), Some(Encoding::Json)] {
        let played = Rehearsal::of(Provider::ClickSend, &Patient::jane(), |options| options.encoding = encoding).play(JANE);
        assert_eq!((played.status().as_str(), played.codes()), ("delivered", vec!["200".to_owned(), "201".to_owned()]));
        let totals = played.simulator.ledger().totals();
        assert_eq!((totals.callbacks_taken, totals.callbacks_not_taken), (2, 0));
        assert_eq!(played.events("quarantined"), 0);
    }
}

#[test]
fn messagemedia_reports_delivery_and_what_it_reports_can_be_looked_up() {
    let played = Rehearsal::of(Provider::MessageMedia, &Patient::jane(), |_| {}).play(JANE);
    assert_eq!((played.status().as_str(), played.codes()), ("delivered", vec!["200".to_owned(), "221".to_owned()]));
    let id = played.simulator.ledger().texts()[0].message_id.clone();
    let (_, found) = played.clinic.runtime.block_on(super::get(&played.simulator, &format!("/v1/messages/{id}")));
    assert_eq!(found["status"], "delivered");
}

#[test]
fn every_fate_of_a_number_ends_in_the_state_that_it_should() {
    for (provider, to, status) in [
        (Provider::ClickSend, "+61491570157", "failed"),
        (Provider::ClickSend, "+61491570158", "delivered"),
        (Provider::ClickSend, "+61491570159", "accepted"),
        (Provider::ClickSend, "+61491571804", "delivered"),
        (Provider::ClickSend, "+61491572549", "delivered"),
        (Provider::ClickSend, "+61491572665", "delivered"),
        (Provider::ClickSend, "+61491571491", "delivered"),
        (Provider::ClickSend, "+61491574632", "failed"),
        (Provider::ClickSend, "+61411111111", "accepted"),
        (Provider::MessageMedia, "+61491570157", "failed"),
        (Provider::MessageMedia, "+61491570158", "delivered"),
        (Provider::MessageMedia, "+61491570313", "failed"),
        (Provider::MessageMedia, "+61491570737", "failed"),
        (Provider::MessageMedia, "+61491571266", "failed"),
        (Provider::MessageMedia, "+61491571804", "delivered"),
        (Provider::MessageMedia, "+61491572665", "delivered"),
        (Provider::MessageMedia, "+61491574632", "expired"),
    ] {
        let played = Rehearsal::of(provider, &Patient::jane(), |_| {}).play(to);
        assert_eq!(played.status(), status, "{provider:?} {to}");
        assert_eq!(played.simulator.ledger().totals().callbacks_given_up, 0);
        played.clinic.check();
    }
}

#[test]
fn a_late_receipt_waits_until_it_is_released() {
    let rehearsal = Rehearsal::of(Provider::ClickSend, &Patient::jane(), |options| {
        options.faults = vec!["receipt-late".parse().unwrap()];
        options.late = Duration::from_hours(1);
    });
    let clinic = &rehearsal.clinic;
    clinic.runtime.block_on(send(&rehearsal.simulator, rehearsal.provider, &[(&rehearsal.sms_id, JANE, "Hi")]));
    clinic.until(PATIENCE, "the first receipt", |_| rehearsal.events("sms_receipt") == 1);
    clinic.settle();
    assert_eq!(rehearsal.status(), "accepted", "only that it is on its way");
    let release = format!("{}/_simulator/release", rehearsal.simulator.base_url());
    let released = clinic.runtime.block_on(async { client(PATIENCE).post(release).send().await.unwrap() });
    assert_eq!(released.status(), 200);
    assert_eq!(rehearsal.settle().status(), "delivered");
}

#[test]
fn people_answer_and_the_clinic_understands() {
    for provider in [Provider::ClickSend, Provider::MessageMedia] {
        let stops = Patient::new("wix-jane", "Jane", "Nguyen", "0491573087");
        let played = Rehearsal::of(provider, &stops, |_| {}).play(&stops.mobile());
        assert_eq!(
            played.clinic.number("SELECT COUNT(*) AS value FROM contacts WHERE opted_out_at IS NOT NULL"),
            1,
            "{provider:?}"
        );
        let answering = vec![Answering { body: "YES".to_owned(), share: 1.0 }];
        let played = Rehearsal::of(provider, &Patient::jane(), |options| options.answering = answering).play(JANE);
        let confirmed = played.clinic.number("SELECT COUNT(*) AS value FROM bookings WHERE patient_confirmed_at IS NOT NULL");
        assert_eq!((confirmed, played.events("sms_received")), (1, 1), "{provider:?}");
    }
    let form = Rehearsal::of(Provider::ClickSend, &Patient::jane(), |options| options.encoding = Some(Encoding::Form)).play(JANE);
    assert!(form.clinic.runtime.block_on(form.simulator.reply(JANE, "Yes please")));
    let played = form.settle();
    assert_eq!((played.events("sms_received"), played.events("quarantined")), (1, 0));
}

#[test]
fn a_reply_is_made_by_hand_over_the_control_api() {
    let played = Rehearsal::of(Provider::MessageMedia, &Patient::jane(), |_| {}).play(JANE);
    let url = format!("{}/_simulator/replies", played.simulator.base_url());
    let asked = client(PATIENCE).post(url).json(&json!({ "from": JANE, "body": "Stop" }));
    let said: Value = played.clinic.runtime.block_on(async { asked.send().await.unwrap().json().await.unwrap() });
    assert_eq!((&said["taken"], &said["answers"]), (&json!(true), &json!(played.sms_id)));
    let played = played.settle();
    assert_eq!(played.clinic.number("SELECT COUNT(*) AS value FROM contacts WHERE opted_out_at IS NOT NULL"), 1);
}

/// The clinic takes signatures only, no token.
#[test]
fn messagemedia_signs_what_it_sends() {
    let (right, wrong) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    for (pair, status) in [(&right, "delivered"), (&wrong, "accepted")] {
        let installation = Installation::sqlite();
        installation
            .write("config/webhooks.yaml", "sources: { sms: { verify: [{ scheme: messagemedia_rsa, secret_env: MM_KEY }] } }\n");
        let clock = ManualClock::at(at(MONDAY_9AM));
        let clinic = Clinic::node(installation, &clock, &[("MM_KEY", &right.public_pem)]);
        let address = clinic.address;
        let played = Rehearsal::at(clinic, Provider::MessageMedia, &Patient::jane(), |options| {
            options.callback = Some(format!("http://{address}/webhooks/sms/receipts"));
            options.signer = Some(Arc::new(MessageMediaSigner::from_pem(&pair.private_pem).unwrap()));
        })
        .play(JANE);
        assert_eq!(played.status(), status);
        let totals = played.simulator.ledger().totals();
        assert_eq!(totals.callbacks_given_up, if status == "delivered" { 0 } else { 2 }, "{totals:?}");
    }
}
