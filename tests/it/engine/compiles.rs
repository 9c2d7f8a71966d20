//! Rule files as a clinic writes them compile without a word.

use super::clinic::{compile_files, full};
use avatar::domain::event::SubjectKind;
use avatar::domain::time::Millis;
use avatar::engine::ruleset::{Again, Every, StepAction, TextPart, Trigger, Value};

const BOOKINGS: &str = r#"
# What happens when a patient books.
about: Bookings
rules:
  - id: booking-created
    name: New booking
    about: Confirms by SMS, moves the contact along, and gives new patients a welcome call.
    owner: reception
    when: { event: booking_created }
    do:
      - move: { pipeline: pre_appointment, stage: booking_confirmed }
      - sms: booking_confirmation
      - set:
          contact.warmness: =warmness(contact, now)
      - task:
          type: welcome_call
          title: "Welcome call: {{contact.first_name}} ({{booking.service_name}})"
          due: =end_of_day(now)
          priority: =task_priority("welcome_call", contact, booking)
          assign: reception
        if: not contact.is_existing_patient

  - id: urgent-booking-prep
    name: Urgent booking needs a referral check
    when: { event: [booking_created, booking_confirmed] }
    if:
      - booking.urgency_level == "urgent"
      - not booking.has_referral
    do:
      - task:
          type: referral_check
          title: "Chase referral before {{booking.appointment_datetime}}"
          due: =min_time(booking.appointment_datetime - 24.hours, now + 2.hours)
          priority: 90
"#;

const REMINDERS: &str = r#"
defaults:
  while: booking.status in ["scheduled", "confirmed"]

rules:
  - id: reminder-48h
    when: { date: booking.appointment_datetime, before: 48h, late: 4h }
    do:
      - sms: reminder_48hr

  - id: reminder-24h
    when: { date: booking.appointment_datetime, before: 24h, late: 4h }
    if: booking.status != "confirmed"
    do:
      - sms: reminder_24hr

  - id: unconfirmed-call
    name: Still unconfirmed the day before
    when: { date: booking.appointment_datetime, before: 20h }
    if: booking.status == "scheduled"
    do:
      - task: { type: confirm_call, title: "Call to confirm {{contact.first_name}}", due: =now.plus_business(2.hours), priority: 80 }
"#;

const LEADS: &str = r#"
rules:
  - id: lead-created
    name: New ManyChat lead
    when: { event: lead_created }
    if: contact.source in ["manychat", "facebook"]
    limit: { max: 1, per: contact, in: 7d }
    vars:
      score: =warmness(contact, now)
    do:
      - move: { pipeline: lead, stage: new_lead }
      - set: { contact.warmness: =score, contact.first_source: =attribution(contact) }
      - task:
          type: lead_call
          title: "Call {{contact.first_name}} about {{contact.interest}}"
          due: =now.plus_business(4.hours)
          priority: '=task_priority("lead_call", contact, ())'
      - sms: lead_ack
        if: score >= 40 and not contact.opted_out
"#;

const REPLIES: &str = r#"
rules:
  - id: reply-stop
    name: STOP
    when: { event: sms_received }
    if: message.intent == "stop"
    do:
      - cancel: sms
      - note: "Opted out by SMS: {{message.body}}"

  - id: reply-yes
    name: YES confirms the next booking
    when: { event: sms_received }
    if:
      - message.intent == 'yes'
      - booking != () and booking.status == "scheduled"
    do:
      - set: { booking.status: confirmed }
      - sms: thanks_confirmed
      - close_tasks: { type: confirm_call, reason: "Confirmed by SMS" }

  - id: reply-for-a-person
    name: Anything no other rule understood goes to a person
    when: { event: sms_received, unhandled: true }
    do:
      - task:
          type: sms_reply_review
          title: "Reply to {{contact.first_name}}: {{message.body}}"
          due: =now.plus_business(1.hours)
          priority: =if message.intent == "reschedule" { 85 } else { 60 }
"#;

const RECALLS: &str = r#"
rules:
  - id: recall-due
    name: Recall due
    when: { date: contact.recall_due_on, at: "09:30" }
    if: not contact.opted_out and contact.next_booking == ()
    limit: { max: 1, per: contact, in: 60d }
    do:
      - sms: recall_due
      - task: { type: recall_call, title: "Recall call: {{contact.first_name}}", due: =now.plus_business(8.hours), priority: 50 }
        if: contact.next_booking == ()

  - id: dormant-leads
    name: Dormant lead cleanup
    when: { every: day, at: "00:10", each: contact }
    if:
      - contact.current_pipeline == "lead"
      - contact.last_touch_at == () or contact.last_touch_at < now - 90.days
    do:
      - set: { contact.warmness: 0 }
      - move: { pipeline: lead, stage: dormant }
      - close_tasks: { type: lead_call, reason: "Dormant for 90 days" }
"#;

const CANCELLATIONS: &str = r#"
rules:
  - id: booking-cancelled
    name: Booking cancelled
    when: { event: booking_cancelled }
    do:
      - move: { pipeline: pre_appointment, stage: cancelled }
      - close_tasks: { type: any, reason: "Booking cancelled" }
      - sms: booking_cancelled
        if: booking.appointment_datetime > now + 24.hours and not contact.opted_out
      - task: { type: rebook_call, title: "Rebook {{contact.first_name}}?", due: =now + 1.days, priority: 55 }

  - id: no-show
    name: No-show
    when: { date: booking.appointment_datetime, after: 30m, again: moved }
    while: booking.status in ["scheduled", "confirmed"]
    do:
      - set: { booking.status: no_show }
      - move: { pipeline: pre_appointment, stage: no_show }
      - sms: no_show_followup
        if: contact.no_shows < 3
      - task: { type: no_show_followup, title: "Call {{contact.first_name}} (no-show {{contact.no_shows}})", due: =now + 1.days, priority: =70 + 5 * contact.no_shows }

  - id: every-quarter
    when:
      - { every: 15m }
      - { cron: "0 9 * * 1-5", tz: Australia/Perth }
    enabled: false
    do:
      - task: { type: parking_note, title: Look at the car park, due: =now + 30.minutes }
"#;

pub fn clinic_files() -> Vec<(&'static str, &'static str)> {
    vec![
        ("rules/bookings.yaml", BOOKINGS),
        ("rules/reminders.yaml", REMINDERS),
        ("rules/leads.yaml", LEADS),
        ("rules/sms_replies.yaml", REPLIES),
        ("rules/recalls.yaml", RECALLS),
        ("rules/cancellations.yaml", CANCELLATIONS),
        ("rules/empty.yaml", "# nothing here yet\n"),
        ("rules/bom.yaml", "\u{feff}rules: []\n"),
        ("rules/bookings.test.yaml", "tests: *nobody\n"),
        ("rules/policies.yaml", "promises: []\n"),
    ]
}

#[test]
fn the_files_of_a_whole_clinic_compile_without_a_word() {
    assert_eq!(full(&clinic_files()), "");
}

#[test]
fn rules_keep_their_order_and_are_found_by_event_and_id() {
    let rules = compile_files(&clinic_files()).ruleset.expect("it compiles");
    let names: Vec<&str> = rules.by_event["sms_received"].iter().map(|i| rules.rules[*i].id.as_str()).collect();
    assert_eq!(names, ["reply-stop", "reply-yes", "reply-for-a-person"]);
    let rule = &rules.rules[rules.by_id["urgent-booking-prep"]];
    assert_eq!((rule.file.as_ref(), rule.line), ("rules/bookings.yaml", 23));
    assert_eq!(rules.by_event["booking_confirmed"].len(), 1);
}

#[test]
fn triggers_are_compiled_with_their_times() {
    let rules = compile_files(&clinic_files()).ruleset.expect("it compiles");
    let trigger = |id: &str, n: usize| &rules.rules[rules.by_id[id]].triggers[n];
    let Trigger::Date { subject, field, offset, at_minute, late, again } = trigger("reminder-48h", 0) else {
        panic!("a date trigger")
    };
    assert_eq!((*subject, *field), (SubjectKind::Booking, "appointment_datetime"));
    assert_eq!((*offset, *at_minute, *late), (Millis::hours(-48), None, Millis::hours(4)));
    assert_eq!(*again, Again::MovedDay);
    assert!(matches!(
        trigger("recall-due", 0),
        Trigger::Date { field: "recall_due_on", at_minute: Some(570), late: Millis(900_000), .. }
    ));
    assert!(matches!(trigger("no-show", 0), Trigger::Date { offset: Millis(1_800_000), again: Again::Moved, .. }));
    let Trigger::Every { schedule: Every::Cron { expression, tz }, each, .. } = trigger("dormant-leads", 0) else {
        panic!("a cron trigger")
    };
    assert_eq!((expression.as_str(), *tz, *each), ("10 0 * * *", chrono_tz::Australia::Sydney, Some(SubjectKind::Contact)));
    assert!(matches!(trigger("every-quarter", 0), Trigger::Every { schedule: Every::Interval(Millis(900_000)), .. }));
    assert!(matches!(
        trigger("every-quarter", 1),
        Trigger::Every { schedule: Every::Cron { tz: chrono_tz::Australia::Perth, .. }, .. }
    ));
}

#[test]
fn expressions_know_their_place_and_what_they_read() {
    let rules = compile_files(&clinic_files()).ruleset.expect("it compiles");
    let dormant = &rules.rules[rules.by_id["dormant-leads"]];
    assert_eq!(dormant.if_[1].reads, ["contact.last_touch_at", "now"]);
    assert_eq!((dormant.if_[1].line, dormant.if_[1].column), (18, 9));
    let reply = &rules.rules[rules.by_id["reply-yes"]];
    assert_eq!(reply.if_[1].reads, ["booking", "booking.status"]);
    let recall = &rules.rules[rules.by_id["recall-due"]];
    assert_eq!(recall.if_[0].reads, ["contact.opted_out", "contact.next_booking"]);
    assert_eq!(dormant.if_[1].ast.source(), Some("rules/recalls.yaml"));
    let lead = &rules.rules[rules.by_id["lead-created"]];
    assert_eq!((lead.vars[0].0.as_str(), lead.vars[0].1.text.as_str()), ("score", "warmness(contact, now)"));
    let StepAction::Task { title, priority: Value::Expr(priority), .. } = &lead.steps[2].action else { panic!("a task") };
    assert_eq!((priority.line, priority.column), (17, 23), "the character after the quote and the `=`");
    let merges: Vec<(&str, usize)> = title
        .parts
        .iter()
        .filter_map(|p| match p {
            TextPart::Merge(e) => Some((e.text.as_str(), e.column)),
            TextPart::Literal(_) => None,
        })
        .collect();
    assert_eq!(merges, [("contact.first_name", 26), ("contact.interest", 55)]);
}

#[test]
fn the_hash_follows_every_character_of_every_file() {
    let hash = |text: &str| compile_files(&[("rules/a.yaml", text)]).ruleset.expect("it compiles").hash;
    assert_eq!(hash("rules: []\n"), hash("rules: []\n"));
    assert_ne!(hash("rules: []\n"), hash("rules: [] \n"));
    assert_eq!(hash("rules: []\n").len(), 64);
}

#[test]
fn compiled_expressions_run_on_another_engine_of_the_same_grammar() {
    let rules = compile_files(&clinic_files()).ruleset.expect("it compiles");
    let mut engine = rhai::Engine::new_raw();
    avatar::engine::grammar::configure(&mut engine);
    engine.register_global_module(rules.functions.shared_lib().clone());
    let mut scope = rhai::Scope::new();
    scope.push_constant("score", 55_i64);
    let lead = &rules.rules[rules.by_id["lead-created"]];
    let StepAction::Set(fields) = &lead.steps[1].action else { panic!("a set step") };
    let Value::Expr(score) = &fields[0].1 else { panic!("an expression") };
    assert_eq!(engine.eval_ast_with_scope::<i64>(&mut scope, &score.ast).expect("a number"), 55);
    assert_eq!(rules.functions.iter_functions().count(), 3);
}
