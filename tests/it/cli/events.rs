//! `avatar events` and `why`, with a worker that does the work.

use super::clinic::Clinic;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A program that goes on until it is interrupted.
struct Running(Child);

impl Running {
    /// Starts it, and waits for its first word on stderr.
    fn start(clinic: &Clinic, arguments: &[&str]) -> Self {
        let mut command = clinic.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("avatar starts");
        let mut errors = BufReader::new(child.stderr.take().expect("stderr"));
        let mut first = String::new();
        errors.read_line(&mut first).expect("a first line");
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        Self(child)
    }

    /// Presses Ctrl C.
    fn interrupt(mut self) -> Option<i32> {
        let id = self.0.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().expect("kill").success());
        self.0.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn an_event_is_sent_followed_and_explained() {
    let clinic = Clinic::open();
    let mut tail = Running::start(&clinic, &["events", "tail", "--json"]);
    let mut lines = BufReader::new(tail.0.stdout.take().expect("stdout")).lines();
    let worker = Running::start(&clinic, &["worker"]);
    let set = ["--set", "booking.appointment_datetime=2026-12-04T10:30+11:00", "--set", "contact.phone=0491 570 156"];
    let sent = clinic.run(&[&["events", "send", "booking_created"][..], &set[..]].concat());
    let id = sent.out.trim_end();
    assert_eq!((sent.exit, sent.err.as_str()), (Some(0), format!("accepted; avatar why {id}\n").as_str()));
    let mut types = Vec::new();
    while types.len() < 2 {
        let line = lines.next().expect("another event").expect("a line");
        let event: serde_json::Value = serde_json::from_str(&line).expect("a JSON line");
        let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
        types.push((event["id"] == id, text("event_type"), text("status")));
    }
    types.sort();
    assert_eq!(
        types,
        [
            (false, "booking_confirmed".to_owned(), "processed".to_owned()),
            (true, "booking_created".to_owned(), "processed".to_owned())
        ]
    );
    assert_eq!(tail.interrupt(), Some(130));
    drop(worker);

    let story = clinic.done(&["why", id]);
    let lines: Vec<&str> = story.lines().collect();
    assert!(lines[0].starts_with(&format!("{id}  booking_created from cli ")), "{story}");
    assert!(lines[2].starts_with("– booking-requested  skipped  booking.status was scheduled; needs "), "{story}");
    assert!(lines[2].ends_with("  rules/bookings.yaml:30:9"), "{story}");
    assert!(lines[3].ends_with("43 rules listen to other events"), "{story}");
    assert!(lines[4].starts_with("  ") && lines[4].contains("  booking_confirmed from rule "), "{story}");
    assert!(lines[6].starts_with("  ✓ booking-confirmed  fired    move to pre_appointment/booking_confirmed, text"), "{story}");
    assert!(!story.contains("+61491570156") && !story.contains("Patient"), "ids, not people: {story}");
    let one = clinic.object(&["why", id, "booking-confirmed", "--json"]);
    assert_eq!(
        (one["rules"].as_array().map(Vec::len), &one["followed_by"][0]["rules"][0]["outcome"]),
        (Some(0), &"fired".into())
    );
    assert!(clinic.refusal(&["why", id, "reply-stop"]).contains("did not look at this event"));

    let contact = clinic.object(&["events", "list", "--type", "booking_created", "--json", "-q"])["contact_id"].clone();
    let preview = clinic.done(&["sms", "preview", "booking_confirmation", "--contact", contact.as_str().expect("an id")]);
    assert!(preview.contains("Fri 4 Dec at 10:30 am"), "the time that was set: {preview}");
    let next = clinic.done(&["next", "0491 570 156"]);
    assert!(
        next.contains("timer  Thu 3 Dec 10:30:00 am AEDT  text reminder_24hr") && next.contains("  by reminder-24h"),
        "{next}"
    );
    let why = clinic.done(&["why", "0491570156", "booking-confirmed"]);
    assert!(
        why.lines().nth(1).is_some_and(|l| l.starts_with("✓ ") && l.contains("fired    booking_confirmed  move to")),
        "{why}"
    );
    let why_not = clinic.object(&["why", "+61491570156", "booking-requested", "--json"]);
    assert_eq!(why_not["runs"][0]["stopped_at"]["values"][0]["value"], "scheduled", "{why_not}");
    let recalled = clinic.run(&["rules", "recall", "--rule", "booking-confirmed", "--since", "1d"]);
    assert_eq!(recalled.exit, Some(1), "a list is not an answer: {}", recalled.out);
    assert!(recalled.out.contains("task     ") && recalled.err.contains("--yes does it"), "{}{}", recalled.out, recalled.err);
    let done = clinic.object(&["rules", "recall", "--rule", "booking-confirmed", "--since", "1d", "--yes", "--json"]);
    assert_eq!((&done["withdrawn"], done["tasks"].as_array().map(Vec::len)), (&true.into(), Some(1)));
    assert!(!next.contains("Patient") && !why.contains("Patient"), "ids, not people");
    assert_eq!(clinic.run(&["check"]).exit, Some(0));
}

#[test]
fn an_event_that_nobody_works_on_says_so() {
    let clinic = Clinic::open();
    let id = clinic.done(&["events", "send", "sms_received", "--set", "message.body=STOP", "-q"]);
    assert!(clinic.done(&["why", &id]).contains("waiting to be worked on"));
    let listed = clinic.object(&["events", "list", "--json", "-q"]);
    assert_eq!((&listed["status"], &listed["payload"]["message"]["from"]), (&"accepted".into(), &"+61491570006".into()));
    let line = clinic.done(&["events", "list", "--source", "cli"]);
    assert!(line.contains("sms_received") && line.contains("accepted") && line.ends_with(&id), "{line}");
    assert_eq!(clinic.done(&["events", "list", "--source", "wix"]), "");
    assert!(clinic.refusal(&["why", "0199"]).contains("`avatar events list` shows the newest"));
}

#[test]
fn what_cannot_be_sent_is_refused_with_what_to_write_instead() {
    let clinic = Clinic::open();
    insta::assert_snapshot!(clinic.refusal(&["events", "send", "bookings_created"]), @r"
    error: there is no event `bookings_created`
      = did you mean `booking_created`?
    ");
    insta::assert_snapshot!(clinic.refusal(&["events", "send", "stage_changed"]), @r"
    error: `stage_changed` follows from other events and cannot be sent
      = send the event that leads to it, such as booking_created or sms_received
    ");
    let set = |assignment: &str| clinic.refusal(&["events", "send", "booking_created", "--set", assignment]);
    insta::assert_snapshot!(set("booking.urgencylevel=urgent"), @r"
    error: an event has no field `booking.urgencylevel`
      = did you mean `booking.urgency_level`?
    ");
    insta::assert_snapshot!(set("contact.phone=12"), @r"
    error: contact.phone cannot be `12`
      = the number has too few or too many digits
    ");
    insta::assert_snapshot!(set("booking.appointment_datetime=tomorrow"), @r"
    error: booking.appointment_datetime cannot be `tomorrow`
      = write it like 2026-12-04T10:30+11:00
    ");
    insta::assert_snapshot!(set("urgent"), @r"
    error: `urgent` sets nothing
      = write it like --set booking.urgency_level=urgent
    ");
    assert_eq!(clinic.done(&["events", "list", "-q"]), "", "nothing was recorded");
}
