//! The shipped rules, scripts and templates.

use avatar::config::{load_clinic, load_pipelines};
use avatar::domain::booking::{Booking, BookingStatus};
use avatar::domain::event::Actor;
use avatar::domain::sample;
use avatar::domain::time::{Millis, Timestamp};
use avatar::domain::touchpoint::Touchpoint;
use avatar::engine::evaluate::evaluate;
use avatar::engine::facts::{Asked, ContactFacts, EventFacts, MessageFacts};
use avatar::engine::template::render_sms;
use avatar::engine::{Action, Catalogue, Facts, Outcome, Ruleset, Sources, compile};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

fn sources() -> Sources {
    let mut sources = Sources::default();
    for (folder, ending) in [("rules", "yaml"), ("rules/scripts", "rhai"), ("sms_templates", "hbs")] {
        for entry in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).expect("a shipped folder").flatten() {
            let path = entry.path();
            if path.extension().is_some_and(|e| e == ending) {
                let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
                sources.files.insert(name, std::fs::read_to_string(path).expect("a shipped file"));
            }
        }
    }
    sources
}

fn ruleset() -> Ruleset {
    let text =
        |name: &str| std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)).expect("shipped");
    let clinic = load_clinic(&text("clinic.yaml"), chrono_tz::Australia::Sydney).expect("the shipped clinic");
    let pipelines = load_pipelines(&text("pipelines.yaml")).expect("the shipped pipelines");
    let catalogue = Catalogue {
        clinic: Arc::new(clinic),
        pipelines: Arc::new(pipelines),
        declared_events: Vec::new(),
        declared_sources: Vec::new(),
    };
    let compiled = compile(&sources(), &catalogue);
    let found: Vec<String> = compiled
        .diagnostics
        .iter()
        .map(|d| format!("{:?} {} {}:{}:{} {} ({:?})", d.severity, d.code, d.file, d.line, d.column, d.message, d.help))
        .collect();
    assert!(found.is_empty(), "\n{}\n", found.join("\n"));
    compiled.ruleset.expect("no diagnostics, so a ruleset")
}

#[test]
fn the_shipped_rules_check_clean() {
    let ruleset = ruleset();
    assert_eq!(ruleset.rules.len(), 45);
    assert_eq!(ruleset.templates.len(), 13);
}

const NOW: &str = "2026-11-23T09:00:00+11:00";

fn at(text: &str) -> Timestamp {
    Timestamp::parse_rfc3339(text).expect("a time")
}

/// A new patient who rang a week ago, with an appointment on Wednesday 2 December at 10:30 am.
fn facts(event: &str) -> Facts {
    let now = at(NOW);
    let contact = sample::contact("c1", "Alexandria Papadopoulos", now);
    let touch = |id: &str, kind: &str, channel: &str, days: i64| Touchpoint {
        id: id.into(),
        contact_id: "c1".into(),
        timestamp: now - Millis::days(days),
        kind: kind.into(),
        channel: Some(channel.into()),
        direction: "in".into(),
        source: None,
        medium: None,
        campaign: None,
        event_id: None,
    };
    let touchpoints =
        vec![touch("t3", "booking", "wix", 0), touch("t2", "call_in", "phone", 7), touch("t1", "ad_click", "google", 14)];
    Facts {
        event: EventFacts {
            id: "e1".into(),
            event_type: event.into(),
            source: "wix".into(),
            actor: Actor::Patient,
            timestamp: now,
            occurred_at: None,
            depth: 0,
            data: BTreeMap::new(),
        },
        contact: Some(Arc::new(ContactFacts {
            contact,
            touchpoints: touchpoints.into_iter().map(Arc::new).collect(),
            ..ContactFacts::default()
        })),
        booking: Some(Arc::new(booking(BookingStatus::Scheduled))),
        message: None,
        task: None,
        timer: None,
        fired: Vec::new(),
        running: Vec::new(),
        asked: Asked::Listening,
    }
}

fn booking(status: BookingStatus) -> Booking {
    Booking {
        status,
        service_name: Some("MRI".into()),
        referral_status: "not_required".into(),
        ..sample::booking("b1", "c1", at("2026-12-02T10:30:00+11:00"), at(NOW))
    }
}

fn reply(body: &str, ruleset: &Ruleset, booking: Option<Booking>) -> Facts {
    let intent = ruleset.catalogue.clinic.keywords.intent(body).to_owned();
    Facts {
        message: Some(MessageFacts { body: body.into(), intent, channel: "sms".into() }),
        booking: booking.map(Arc::new),
        ..facts("sms_received")
    }
}

/// Each step of each rule that fired, on one line.
fn steps(ruleset: &Ruleset, facts: &Facts) -> String {
    let runs = evaluate(ruleset, facts, at(NOW));
    let mut lines = Vec::new();
    for run in runs.iter().filter(|run| run.outcome != Outcome::Skipped) {
        lines.push(format!(
            "{} {:?}{}",
            run.rule_id,
            run.outcome,
            run.stopped_at.as_ref().map(|s| s.text.clone()).unwrap_or_default()
        ));
        for step in &run.steps {
            lines.push(match &step.action {
                None => "  -".to_owned(),
                Some(Action::Move { pipeline, stage }) => format!("  move {pipeline}/{stage}"),
                Some(Action::Sms { template, parts, .. }) => format!("  sms {template}, {parts} part"),
                Some(Action::Task { task_type, due, priority, assign, .. }) => {
                    let due = due.to_rfc3339_in(ruleset.catalogue.clinic.calendar.tz);
                    format!("  task {task_type}, {due}, {priority}, {}", assign.as_deref().unwrap_or("nobody"))
                }
                Some(Action::CloseTasks { task_type, .. }) => format!("  close {}", task_type.as_deref().unwrap_or("any")),
                Some(Action::Set { field, value }) => format!("  set {field} {value:?}"),
                Some(Action::Note { .. }) => "  note".to_owned(),
                Some(Action::CancelSms { .. }) => "  cancel sms".to_owned(),
                Some(other) => format!("  {other:?}"),
            });
        }
    }
    lines.join("\n")
}

#[test]
fn every_text_names_the_clinic_keeps_the_service_to_itself_and_fits_one_part() {
    let ruleset = ruleset();
    for name in ruleset.templates.keys() {
        let text = render_sms(&ruleset, name, &facts("booking_confirmed"), at(NOW)).expect("a text");
        assert_eq!((text.encoding, text.parts), ("gsm7", 1), "{name}: {} characters: {}", text.body.len(), text.body);
        assert!(text.body.contains("Avatar Imaging") && !text.body.contains("MRI"), "{name}: {}", text.body);
    }
}

#[test]
fn a_new_patient_is_confirmed_scored_and_called() {
    insta::assert_snapshot!(steps(&ruleset(), &facts("booking_confirmed")), @r#"
    booking-confirmed Fired
      move pre_appointment/booking_confirmed
      sms booking_confirmation, 1 part
      set contact.warmness Int(74)
      set contact.first_source Text("google")
      task welcome_call, 2026-11-23T18:00:00+11:00, 59, reception
      close lead_call
      close no_response_followup
      close recall_call
      close rebook_call
      close no_show_followup
    "#);
}

#[test]
fn an_unpaid_booking_waits_and_nobody_is_told() {
    let pending = Facts { booking: Some(Arc::new(booking(BookingStatus::Pending))), ..facts("booking_created") };
    insta::assert_snapshot!(steps(&ruleset(), &pending), @r#"
    booking-requested Fired
      move pre_appointment/booking_requested
    "#);
}

#[test]
fn a_moved_and_a_cancelled_booking() {
    let ruleset = ruleset();
    let moved = facts("booking_rescheduled");
    let cancelled = Facts { booking: Some(Arc::new(booking(BookingStatus::Cancelled))), ..facts("booking_cancelled") };
    insta::assert_snapshot!([steps(&ruleset, &moved), steps(&ruleset, &cancelled)].join("\n"), @r#"
    booking-rescheduled Fired
      set booking.status Text("scheduled")
      -
      move pre_appointment/booking_confirmed
      sms booking_rescheduled, 1 part
      close reschedule_call
      close attendance_check
      close no_show_followup
    cancel-settled Fired
      close cancel_review
    booking-off Fired
      close welcome_call
      close confirm_call
      close reschedule_call
      close cancel_review
      close attendance_check
      close no_show_followup
      close referral_check
      close referral_chase
      close waitlist_offer
    booking-cancelled Fired
      move pre_appointment/cancelled
      sms booking_cancelled, 1 part
      task rebook_call, 2026-11-23T17:00:00+11:00, 54, reception
    "#);
}

#[test]
fn a_new_lead_is_called_within_15_minutes() {
    insta::assert_snapshot!(steps(&ruleset(), &Facts { booking: None, ..facts("lead_created") }), @r#"
    lead-created Fired
      move lead/new_lead
      set contact.warmness Int(74)
      set contact.first_source Text("google")
      task lead_call, 2026-11-23T09:15:00+11:00, 79, reception
      sms lead_ack, 1 part
    "#);
}

#[test]
fn replies_confirm_ask_for_another_time_stop_or_go_to_a_person() {
    let ruleset = ruleset();
    let scheduled = || Some(booking(BookingStatus::Scheduled));
    let told = [("Yes!", scheduled()), ("CANCEL", scheduled()), ("STOP", scheduled()), ("Where do I park?", None), ("yes", None)];
    let shown: Vec<String> =
        told.into_iter().map(|(body, booking)| format!("{body}\n{}", steps(&ruleset, &reply(body, &ruleset, booking)))).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    Yes!
    reply-yes Fired
      set booking.status Text("confirmed")
      move pre_appointment/patient_confirmed
      sms thanks_confirmed, 1 part
      close confirm_call
    CANCEL
    reply-cancel Fired
      move pre_appointment/reschedule_requested
      task cancel_review, 2026-11-23T10:00:00+11:00, 79, reception
      -
    STOP
    reply-stop Fired
      cancel sms
      note
    Where do I park?
    reply-for-a-person Fired
      task sms_reply_review, 2026-11-23T18:00:00+11:00, 69, reception
      -
    yes
    reply-for-a-person Fired
      task sms_reply_review, 2026-11-23T18:00:00+11:00, 69, reception
      -
    "#);
}
