//! Tags of contacts.

use super::{Applied, Applying};
use crate::automation::world::World;
use crate::engine::plan::PlannedStep;

/// Tags of one contact.
const TAGS_MAX: usize = 50;

pub fn tag(world: &mut World, with: Applying<'_>, step: &PlannedStep, tag: &str) -> Applied {
    let Some(contact) = &world.contact else { return Applied::refused(step, "there is no contact") };
    if contact.tags.iter().any(|t| t == tag) {
        return Applied::new(step, "already", Some(tag.to_owned()));
    }
    if contact.tags.len() >= TAGS_MAX {
        return Applied::refused(step, format!("a contact has at most {TAGS_MAX} tags"));
    }
    world.change_contact(with.now, |c| c.tags.push(tag.to_owned()));
    Applied::done(step)
}

pub fn untag(world: &mut World, with: Applying<'_>, step: &PlannedStep, tag: &str) -> Applied {
    let Some(contact) = &world.contact else { return Applied::refused(step, "there is no contact") };
    if !contact.tags.iter().any(|t| t == tag) {
        return Applied::new(step, "already", Some(format!("no {tag}")));
    }
    world.change_contact(with.now, |c| c.tags.retain(|t| t != tag));
    Applied::done(step)
}
