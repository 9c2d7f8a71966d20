//! The one text that may leave after STOP: that STOP is obeyed. Off unless the clinic wants it; at most once, for a STOP that
//! changed something.

use super::decide::{Deciding, facts};
use super::project::received_id;
use super::world::{Suppression, World};
use crate::domain::event::Event;
use crate::domain::ids::derived_id;
use crate::domain::sms::{SmsCategory, SmsMessage, Wording};
use crate::domain::time::Millis;
use crate::engine::facts::EventFacts;
use crate::engine::template::{RenderedSms, render_sms};

/// The template that says so.
pub const TEMPLATE: &str = "opt_out_ack";
/// The text's dedupe key begins so; no rule can make such a key.
const KEY: &str = "opt_out_ack:";
/// Later it would only disturb.
const SENSE_LASTS: Millis = Millis::hours(1);

/// Whether a text is this one.
pub fn is_ack(text: &SmsMessage) -> bool {
    text.dedupe_key.as_deref().is_some_and(|key| key.starts_with(KEY))
}

/// Plans the text, when the event was somebody's first STOP.
pub(super) fn acknowledge(world: &mut World, root: &Event, with: Deciding<'_>) {
    let first = world.changes.suppressions.iter().find_map(|suppression| match suppression {
        Suppression::Stop { phone, is_new: true, .. } => Some(phone.clone()),
        _ => None,
    });
    let Some(phone) = first.filter(|phone| with.clinic.texts.opt_out_ack && phone.starts_with('+')) else { return };
    if let Some(rendered) = render(world, root, with) {
        world.changes.sms.push(message(world, root, phone, rendered, with));
    } else {
        tracing::warn!(template = TEMPLATE, "STOP is not acknowledged: the template is missing or cannot be filled in");
    }
}

fn render(world: &World, root: &Event, with: Deciding<'_>) -> Option<RenderedSms> {
    let seen = EventFacts {
        id: root.id.clone(),
        event_type: root.event_type.clone(),
        source: root.source.clone(),
        actor: root.actor,
        timestamp: root.timestamp,
        occurred_at: root.occurred_at,
        depth: 0,
        data: root.payload.data.clone(),
    };
    render_sms(with.ruleset, TEMPLATE, &facts(world, seen, None, None, None, with.now), with.now).ok()
}

fn message(world: &World, root: &Event, to: String, rendered: RenderedSms, with: Deciding<'_>) -> SmsMessage {
    let wording = Wording {
        template: Some(TEMPLATE.into()),
        category: SmsCategory::Transactional,
        body: rendered.body,
        encoding: rendered.encoding.to_owned(),
        parts: rendered.parts,
    };
    SmsMessage {
        contact_id: world.contact.as_ref().map(|c| c.id.clone()),
        not_after: Some(with.now + SENSE_LASTS),
        in_reply_to: Some(received_id(root)),
        dedupe_key: Some(format!("{KEY}{}", root.id)),
        revision: Some(with.revision),
        immediate: true,
        is_demo: world.contact.as_ref().is_some_and(|c| c.is_demo),
        ..SmsMessage::queued(derived_id(root.timestamp, &[&root.id, TEMPLATE]), to, wording, with.now)
    }
}
