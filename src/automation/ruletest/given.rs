//! Records that exist before a test begins, or that somebody changes by hand in its course.

use crate::automation::simulate::Records;
use crate::automation::world::World;
use crate::domain::time::{Millis, Timestamp};
use crate::engine::ruletest::{Facts, Given, Person, change_booking, change_contact, new_booking, new_person};

/// How long given records have been known, unless they say so themselves.
const KNOWN_SINCE: Millis = Millis::days(30);

/// Writes given facts into the records; the first thing that cannot be is the error.
pub(super) fn apply(records: &mut Records, given: &Given, timezone: &str, now: Timestamp) -> Result<(), String> {
    for facts in &given.contacts {
        put_contact(records, facts, now)?;
    }
    for facts in &given.bookings {
        put_booking(records, facts, timezone, now)?;
    }
    Ok(())
}

pub(super) fn put_contact(records: &mut Records, facts: &Facts, now: Timestamp) -> Result<(), String> {
    let id = facts.text("id").ok_or("a given contact needs an `id`")?;
    let mut world = records.person(id).cloned().unwrap_or_default();
    let person = match world.contact.take() {
        Some(contact) => {
            let mut person = Person { contact, identities: world.identities, touchpoints: world.touchpoints };
            change_contact(&mut person, facts, now);
            person
        }
        None => new_person(id, facts, now - KNOWN_SINCE),
    };
    world.contact = Some(person.contact);
    world.identities = person.identities;
    world.touchpoints = person.touchpoints;
    records.put(world);
    Ok(())
}

fn put_booking(records: &mut Records, facts: &Facts, timezone: &str, now: Timestamp) -> Result<(), String> {
    let id = facts.text("id").ok_or("a given booking needs an `id`")?;
    let owner = match records.booking(id) {
        Some(known) => known.contact_id.clone(),
        None => owner_of(records, facts)?,
    };
    let mut world: World = records.person(&owner).cloned().ok_or_else(|| format!("there is no contact `{owner}`"))?;
    if let Some(booking) = world.bookings.iter_mut().find(|b| b.id == id) {
        change_booking(booking, facts);
    } else {
        let booking = new_booking(id, &owner, facts, timezone, now - KNOWN_SINCE);
        world.bookings.push(booking.ok_or("a given booking needs an `appointment_datetime`")?);
    }
    records.put(world);
    Ok(())
}

/// Whose booking it is: the only contact there is, unless it says so.
fn owner_of(records: &Records, facts: &Facts) -> Result<String, String> {
    if let Some(id) = facts.text("contact_id") {
        return Ok(id.to_owned());
    }
    match records.contact_ids().as_slice() {
        [one] => Ok(one.clone()),
        [] => Err("a given booking needs a contact: write it above".to_owned()),
        _ => Err("there are several contacts: say whose booking it is with `contact_id`".to_owned()),
    }
}
