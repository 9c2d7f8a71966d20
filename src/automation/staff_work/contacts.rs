//! People: added, corrected, moved along their pipeline, written about, taken off texts and put back.

use super::{Doing, Effect, Impossible};
use crate::automation::project::{Projected, ensure, phone_status};
use crate::automation::world::{Suppression, World};
use crate::domain::contact::{ConsentSaid, Contact, FieldChange, Identity, IdentityKind, Note};
use crate::domain::edit::Edit;
use crate::domain::ids::derived_id;
use crate::domain::pipeline::{Pipelines, Transition};
use crate::domain::staff_action::{Consent, ConsentKind, ContactEdit};

pub(super) fn add(world: &mut World, more: &ContactEdit, with: Doing<'_>) -> Effect {
    if world.contact.is_some() {
        return Err(Impossible::because("this person is known already"));
    }
    ensure(world, with.projection());
    change(world, more, with);
    note_consents(world, &more.consents, with);
    Ok(Projected::of(with.root))
}

pub(super) fn edit(world: &mut World, edit: &ContactEdit, with: Doing<'_>) -> Effect {
    let before = world.contact.clone().ok_or_else(|| Impossible::because("there is no such contact"))?;
    claim(world, IdentityKind::Phone, &edit.phone, before.phone.as_ref())?;
    claim(world, IdentityKind::Email, &edit.email, before.email.as_ref())?;
    change(world, edit, with);
    note_consents(world, &edit.consents, with);
    note_changes(world, &before, with);
    Ok(Projected::of(with.root))
}

/// A new number or address must be nobody else's; the old one is given up, so that whoever has it now is not taken for this contact.
fn claim(world: &mut World, kind: IdentityKind, edit: &Edit<String>, known: Option<&String>) -> Result<(), Impossible> {
    if edit.is_keep() || edit.value() == known {
        return Ok(());
    }
    if let Some(value) = edit.value().cloned() {
        let identity = Identity { kind, value };
        let mine = world.identities.contains(&identity);
        if world.owners.contains_key(&identity) && !mine {
            return Err(Impossible::because(format!("another contact has this {}", kind.as_str())));
        }
        if !mine {
            world.identities.push(identity.clone());
            world.changes.new_identities.push(identity);
        }
    }
    if let Some(value) = known {
        let old = Identity { kind, value: value.clone() };
        world.identities.retain(|identity| *identity != old);
        world.changes.gone_identities.push(old);
    }
    Ok(())
}

fn change(world: &mut World, edit: &ContactEdit, with: Doing<'_>) {
    let Some(before) = &world.contact else { return };
    let mut after = before.clone();
    for (target, given) in [(&mut after.first_name, &edit.first_name), (&mut after.last_name, &edit.last_name)] {
        if let Some(name) = given {
            target.clone_from(name);
        }
    }
    if edit.first_name.is_some() || edit.last_name.is_some() {
        format!("{} {}", after.first_name, after.last_name).trim().clone_into(&mut after.name);
    }
    edit.email.apply(&mut after.email);
    edit.assigned_to.apply(&mut after.assigned_to);
    edit.interest.apply(&mut after.interest);
    let is_other = edit.phone.value() != before.phone.as_ref();
    // Whoever types a number again says that it is right.
    if !edit.phone.is_keep() && (is_other || before.phone_status == "invalid") {
        edit.phone.apply(&mut after.phone);
        after.phone_raw.clone_from(&after.phone);
        after.phone_status = status_anew(after.phone.as_deref());
        if is_other {
            // What waits was written to the old number, and whoever has that must not read it.
            world.withdraw_sms("phone_changed", |_| true);
        }
    }
    world.change_contact(with.deciding.now, |c| *c = after);
}

/// What a number looks like, whatever was known of it before.
pub(super) fn status_anew(phone: Option<&str>) -> String {
    let status = phone_status(phone, &Contact::default());
    if status.is_empty() { "unknown".to_owned() } else { status }
}

fn note_consents(world: &mut World, consents: &[Consent], with: Doing<'_>) {
    let Some(contact_id) = world.contact.as_ref().map(|c| c.id.clone()) else { return };
    let now = with.deciding.now;
    for consent in consents {
        world.changes.consents.push(ConsentSaid {
            id: derived_id(with.root.timestamp, &[&with.root.id, "consent", consent.to.as_str()]),
            contact_id: contact_id.clone(),
            kind: consent.to.as_str().into(),
            state: consent.state.clone(),
            source: consent.source.clone(),
            said_at: consent.said_at,
            recorded_by: with.by().to_owned(),
            recorded_at: now,
        });
        world.change_contact(now, |c| {
            let target = match consent.to {
                ConsentKind::Marketing => &mut c.marketing_consent,
                ConsentKind::Recall => &mut c.recall_consent,
                ConsentKind::Sms => &mut c.sms_consent,
            };
            target.clone_from(&consent.state);
        });
    }
}

/// Who changed what, for the timeline.
fn note_changes(world: &mut World, before: &Contact, with: Doing<'_>) {
    let Some(after) = &world.contact else { return };
    let some = |text: &str| Some(text.to_owned());
    let pairs = [
        ("contact.name", some(&before.name), some(&after.name)),
        ("contact.phone", before.phone.clone(), after.phone.clone()),
        ("contact.phone_status", some(&before.phone_status), some(&after.phone_status)),
        ("contact.email", before.email.clone(), after.email.clone()),
        ("contact.assigned_to", before.assigned_to.clone(), after.assigned_to.clone()),
        ("contact.interest", before.interest.clone(), after.interest.clone()),
        ("contact.marketing_consent", some(&before.marketing_consent), some(&after.marketing_consent)),
        ("contact.recall_consent", some(&before.recall_consent), some(&after.recall_consent)),
        ("contact.sms_consent", some(&before.sms_consent), some(&after.sms_consent)),
    ];
    let changed = pairs.into_iter().filter(|(_, from, to)| from != to);
    let changes = changed.map(|(field, from, to)| FieldChange {
        id: derived_id(with.root.timestamp, &[&with.root.id, field]),
        contact_id: before.id.clone(),
        booking_id: None,
        field: field.into(),
        from,
        to,
        at: with.deciding.now,
        by: with.by().to_owned(),
        run_id: None,
    });
    world.changes.field_changes.extend(changes.collect::<Vec<_>>());
}

/// The stages of a pipeline that a contact may go to from `from`; `None` when there is no such pipeline.
#[must_use]
pub fn stages_allowed(pipelines: &Pipelines, pipeline: &str, from: Option<&str>) -> Option<Vec<String>> {
    let pipeline = pipelines.find(pipeline)?;
    let next = from.and_then(|name| pipeline.find_stage(name)).map_or(&[][..], |stage| stage.next.as_slice());
    let may = |name: &str| Some(name) != from && (next.is_empty() || next.iter().any(|n| n == name));
    Some(pipeline.stages.iter().map(|s| s.name.clone()).filter(|name| may(name)).collect())
}

pub(super) fn move_to(world: &mut World, pipeline: &str, stage: &str, with: Doing<'_>) -> Effect {
    let contact = world.contact.clone().ok_or_else(|| Impossible::because("there is no such contact"))?;
    let from = contact.current_stage.clone().filter(|_| contact.current_pipeline.as_deref() == Some(pipeline));
    if from.as_deref() == Some(stage) {
        return Err(Impossible::because("the contact is in this stage already"));
    }
    let allowed = stages_allowed(with.deciding.pipelines, pipeline, from.as_deref());
    let allowed = allowed.ok_or_else(|| Impossible::because("there is no such pipeline"))?;
    if !allowed.iter().any(|name| name == stage) {
        return Err(Impossible::because("the pipeline has no such move"));
    }
    let now = with.deciding.now;
    world.changes.transitions.push(Transition {
        id: derived_id(with.root.timestamp, &[&with.root.id, "move"]),
        contact_id: contact.id.clone(),
        booking_id: None,
        pipeline: pipeline.to_owned(),
        from_pipeline: contact.current_pipeline.clone(),
        from_stage: contact.current_stage.clone(),
        to_stage: stage.to_owned(),
        at: now,
        by: with.by().to_owned(),
        run_id: None,
        duration_ms: contact.stage_entered_at.map(|entered| (now - entered).0),
    });
    world.change_contact(now, |c| {
        c.current_pipeline = Some(pipeline.to_owned());
        c.current_stage = Some(stage.to_owned());
        c.stage_entered_at = Some(now);
    });
    let moved = [("pipeline", Some(pipeline)), ("from_stage", contact.current_stage.as_deref()), ("to_stage", Some(stage))];
    let mut projected = Projected::of(with.root);
    projected.data.extend(moved.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))));
    Ok(projected)
}

pub(super) fn note(world: &mut World, body: &str, booking_id: Option<&str>, with: Doing<'_>) -> Effect {
    let contact = world.contact.as_ref().ok_or_else(|| Impossible::because("there is no such contact"))?;
    if booking_id.is_some_and(|id| world.find_booking(id).is_none()) {
        return Err(Impossible::because("the contact has no such booking"));
    }
    world.changes.notes.push(Note {
        id: derived_id(with.root.timestamp, &[&with.root.id, "note"]),
        contact_id: Some(contact.id.clone()),
        booking_id: booking_id.map(str::to_owned),
        body: body.to_owned(),
        author: with.by().to_owned(),
        run_id: None,
        created_at: with.deciding.now,
    });
    world.change_contact(with.deciding.now, |_| {});
    Ok(Projected::of(with.root))
}

/// As if the person had said STOP: it holds for the number, whoever else it belongs to.
pub(super) fn opt_out(world: &mut World, reason: &str, with: Doing<'_>) -> Effect {
    let contact = world.contact.clone().ok_or_else(|| Impossible::because("there is no such contact"))?;
    if contact.opted_out_at.is_some() {
        return Err(Impossible::because("the contact gets no texts already"));
    }
    if let Some(phone) = contact.phone {
        let (reason, event_id) = ("staff".to_owned(), with.root.id.clone());
        // Not new, as far as an acknowledgement goes: nobody has just written to us.
        world.changes.suppressions.push(Suppression::Stop { phone, reason, event_id, is_new: false });
        world.suppressed = true;
    }
    let now = with.deciding.now;
    world.change_contact(now, |c| c.opted_out_at = Some(now));
    world.withdraw_sms("opted_out", |_| true);
    Ok(saying(reason, with))
}

pub(super) fn opt_in(world: &mut World, reason: &str, with: Doing<'_>) -> Effect {
    let contact = world.contact.clone().ok_or_else(|| Impossible::because("there is no such contact"))?;
    if contact.opted_out_at.is_none() {
        return Err(Impossible::because("the contact gets texts already"));
    }
    if let Some(phone) = contact.phone {
        world.changes.suppressions.push(Suppression::Lift { phone });
        world.suppressed = false;
    }
    world.change_contact(with.deciding.now, |c| c.opted_out_at = None);
    Ok(saying(reason, with))
}

fn saying(reason: &str, with: Doing<'_>) -> Projected {
    let mut projected = Projected::of(with.root);
    projected.data.insert("reason".into(), reason.to_owned());
    projected
}
