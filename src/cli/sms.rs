//! `avatar sms preview`: the template as it is on disk, so that it can be tried before it is published.

use super::args::SmsCommand;
use super::failure::{Done, Failure, wait_for};
use super::parts::Parts;
use super::rules::check::{catalogue_of, compile_aside, folders, tell};
use super::{Context, Exit};
use crate::automation::load::BOOKINGS_PAST_MAX;
use crate::automation::rulesets::read_sources;
use crate::cli::args::ReportFormat;
use crate::config::{Settings, nearest};
use crate::domain::booking::Booking;
use crate::domain::clock::{Clock, SystemClock};
use crate::domain::contact::Contact;
use crate::domain::event::Actor;
use crate::domain::sample as made_up;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::Ruleset;
use crate::engine::facts::{Asked, ContactFacts, EventFacts, Facts};
use crate::engine::template::costly::{Advice, Costly, Instead, advise};
use crate::engine::template::{RenderedSms, render_sms};
use crate::engine::{Estimate, estimate};
use crate::store::{StoreResult, bookings, contacts};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Version of the JSON that these commands print.
const SCHEMA: &str = "avatar.sms/1";

pub(super) fn run(context: &Context, command: &SmsCommand) -> Exit {
    let SmsCommand::Preview { template, contact } = command;
    match contact {
        Some(id) => context.on_database(async |parts| {
            let now = parts.clock.now();
            let facts = facts_of(parts, id, now).await?;
            preview(context, &parts.settings, template, facts, now).await
        }),
        None => context.end(context.settings().map_err(Failure::from).and_then(|settings| {
            let now = SystemClock.now();
            let facts = sample(&settings, now);
            wait_for(Box::pin(preview(context, &settings, template, facts, now)))
        })),
    }
}

async fn preview(context: &Context<'_>, settings: &Settings, template: &str, facts: Facts, now: Timestamp) -> Done {
    let sources = read_sources(&folders(settings, None))?;
    let (sources, compiled) = compile_aside(sources, catalogue_of(settings)?).await?;
    let Some(ruleset) = &compiled.ruleset else {
        tell(context, &sources, &compiled, ReportFormat::Full);
        context.output.hint("the files have errors: nothing can be rendered");
        return Ok(Exit::Found);
    };
    if !ruleset.templates.contains_key(template) {
        return Err(unknown(ruleset, template));
    }
    let rendered = render_sms(ruleset, template, &facts, now).map_err(|error| {
        let failure = Failure::new(format!("{}:{}:{}: {}", error.file, error.line, error.column, error.message));
        failure.with_help("a template that needs a booking cannot be sent to a contact without one")
    })?;
    let source = ruleset.templates.get(template).map_or("", |found| found.source.as_str());
    print(context, template, &rendered, estimate(source, &ruleset.catalogue));
    Ok(Exit::Done)
}

fn print(context: &Context<'_>, template: &str, rendered: &RenderedSms, estimate: Option<Estimate>) {
    let RenderedSms { body, encoding, parts, category, immediate, as_written } = rendered;
    let advice = advise(body);
    let written = as_written.as_deref().map(advise);
    if context.output.json {
        context.output.object(&json!({
            "schema": SCHEMA, "template": template, "body": body, "encoding": encoding, "parts": parts,
            "category": category.as_str(), "immediate": immediate,
            "estimate": estimate.map(|e| json!({ "typical": e.typical.parts, "worst": e.worst.parts, "rare_letter": e.rare.parts })),
            "costly": costly(&advice), "parts_plain": advice.segments_plain, "advice": advice.sentence(),
            "parts_as_written": written.as_ref().map(|written| written.segments),
            "replaced": written.as_ref().map(|written| costly(&replaced(written, body))),
        }));
        return;
    }
    context.output.line(body);
    let hours = if *immediate { ", sent at any hour" } else { "" };
    let characters = body.chars().count();
    context.output.hint(&format!(
        "{characters} characters, {encoding}, {}; {}{hours}",
        segments(advice.segments),
        category.as_str()
    ));
    if let Some(sentence) = advice.sentence() {
        context.output.hint(&sentence);
    }
    if let Some(written) = written.filter(|written| written.segments > advice.segments) {
        let names: Vec<String> = replaced(&written, body).characters.iter().map(|c| c.character.to_string()).collect();
        let saved = segments(written.segments - advice.segments);
        context.output.hint(&format!("{} replaced by plain characters, which saves {saved}", names.join(" ")));
    }
    if let Some(Estimate { typical, worst, rare }) = estimate {
        let rare =
            if rare.parts > worst.parts { format!(", {} with a letter as in Nguyễn", rare.parts) } else { String::new() };
        context.output.hint(&format!("segments for a typical contact {}, with long names {}{rare}", typical.parts, worst.parts));
    }
}

fn segments(count: usize) -> String {
    format!("{count} segment{}", if count == 1 { "" } else { "s" })
}

/// The characters that the program has replaced by itself.
fn replaced(written: &Advice, body: &str) -> Advice {
    let characters = written.characters.iter().filter(|c| !body.contains(c.character)).cloned().collect();
    Advice { characters, ..written.clone() }
}

fn costly(advice: &Advice) -> Vec<serde_json::Value> {
    let shown = |instead: &Instead| match instead {
        Instead::Write(plain) => Some(plain.clone()),
        Instead::LeaveOut => Some(String::new()),
        Instead::Nothing => None,
    };
    let one =
        |c: &Costly| json!({ "character": c.character, "count": c.count, "why": c.why.as_str(), "instead": shown(&c.instead) });
    advice.characters.iter().map(one).collect()
}

fn unknown(ruleset: &Ruleset, template: &str) -> Failure {
    let names = ruleset.templates.keys().map(String::as_str);
    let help = match nearest(template, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("there are: {}", names.collect::<Vec<_>>().join(", ")),
    };
    Failure::new(format!("there is no template `{template}`")).with_help(help)
}

async fn facts_of(parts: &Parts, id: &str, now: Timestamp) -> Result<Facts, Failure> {
    let wanted = id.to_owned();
    let found = parts.store.read(move |conn| {
        let Some(contact) = contacts::find(conn, &wanted)? else { return Ok(None) };
        let bookings = bookings::list_of_contacts(conn, std::slice::from_ref(&contact.id), now - BOOKINGS_PAST_MAX)?;
        StoreResult::Ok(Some((contact, bookings)))
    });
    let (contact, bookings) = found.await?.ok_or_else(|| Failure::new(format!("there is no contact `{id}`")))?;
    let next = bookings.into_iter().filter(|b| b.status.is_live() && b.appointment_datetime > now);
    Ok(facts(contact, next.min_by_key(|b| b.appointment_datetime), now))
}

fn facts(contact: Contact, booking: Option<Booking>, now: Timestamp) -> Facts {
    let booking = booking.map(Arc::new);
    let event = EventFacts {
        id: String::new(),
        event_type: "booking_confirmed".to_owned(),
        source: "cli".to_owned(),
        actor: Actor::Staff,
        timestamp: now,
        occurred_at: None,
        depth: 0,
        data: BTreeMap::new(),
    };
    let contact = ContactFacts { contact, next_booking: booking.clone(), ..ContactFacts::default() };
    Facts {
        event,
        contact: Some(Arc::new(contact)),
        booking,
        message: None,
        task: None,
        timer: None,
        fired: Vec::new(),
        running: Vec::new(),
        asked: Asked::Listening,
    }
}

/// Somebody made up, with an appointment in three days.
fn sample(settings: &Settings, now: Timestamp) -> Facts {
    facts(made_up::contact("", "Sam Taylor", now), Some(sample_booking(settings, now)), now)
}

fn sample_booking(settings: &Settings, now: Timestamp) -> Booking {
    // Half past an hour, so that texts read like real ones.
    let begins = Timestamp((now + Millis::days(3)).0 / Millis::HOUR.0 * Millis::HOUR.0) + Millis::minutes(30);
    Booking {
        service_name: Some("MRI".to_owned()),
        location: Some(settings.clinic.name.clone()),
        end_datetime: Some(begins + Millis::minutes(30)),
        timezone: settings.clinic.calendar.tz.name().to_owned(),
        is_demo: true,
        ..made_up::booking("", "", begins, now)
    }
}
