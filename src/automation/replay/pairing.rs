//! Which happenings of one side are those of the other, which changed, and which are new or gone.

use crate::automation::simulate::{Happening, Landed, Worth};
use std::collections::BTreeMap;

/// A happening of both sides that differs, or of one side alone.
pub(super) enum Pair<'h> {
    Added(&'h Happening),
    Removed(&'h Happening),
    Changed(&'h Happening, &'h Happening),
}

/// What makes two happenings the same thing: rule, person, booking, step and its name.
type Key<'h> = (&'h str, Option<&'h str>, Option<&'h str>, &'h str, &'h str);

/// Everything that differs, in the order of keys and times.
pub(super) fn pair<'h>(before: &'h [Happening], after: &'h [Happening]) -> Vec<Pair<'h>> {
    let mut groups: BTreeMap<Key<'h>, (Vec<&'h Happening>, Vec<&'h Happening>)> = BTreeMap::new();
    for happening in before.iter().filter(|h| counts(h)) {
        groups.entry(key(happening)).or_default().0.push(happening);
    }
    for happening in after.iter().filter(|h| counts(h)) {
        groups.entry(key(happening)).or_default().1.push(happening);
    }
    groups.into_values().flat_map(|(old, new)| differing(old, new)).collect()
}

/// What found nothing to do, or was refused, made no difference to anybody.
const fn counts(happening: &Happening) -> bool {
    matches!(happening.landed, Landed::Done | Landed::Withheld(_))
}

fn key(happening: &Happening) -> Key<'_> {
    let kind = if matches!(happening.landed, Landed::Withheld(_)) { "withheld" } else { happening.kind.as_str() };
    (&happening.rule_id, happening.contact_id.as_deref(), happening.booking_id.as_deref(), kind, name_of(happening))
}

/// Template, type, stage or field.
pub(super) fn name_of(happening: &Happening) -> &str {
    let named = ["template", "type", "stage"].iter().find_map(|field| match happening.fields.get(*field) {
        Some(Worth::Text(text)) => Some(text.as_str()),
        _ => None,
    });
    let field = || happening.fields.keys().next().filter(|_| happening.kind == "set").map_or("", String::as_str);
    named.unwrap_or_else(field)
}

fn differing<'h>(mut old: Vec<&'h Happening>, mut new: Vec<&'h Happening>) -> Vec<Pair<'h>> {
    old.retain(|before| match new.iter().position(|after| same(before, after)) {
        Some(index) => {
            new.remove(index);
            false
        }
        None => true,
    });
    let by_time = |list: &mut Vec<&'h Happening>| list.sort_by(|a, b| (a.at, &a.fields).cmp(&(b.at, &b.fields)));
    by_time(&mut old);
    by_time(&mut new);
    let both = old.len().min(new.len());
    let changed = old.iter().zip(&new).map(|(a, b)| Pair::Changed(a, b));
    let removed = old.iter().skip(both).map(|a| Pair::Removed(a));
    let added = new.iter().skip(both).map(|b| Pair::Added(b));
    changed.chain(removed).chain(added).collect()
}

fn same(a: &Happening, b: &Happening) -> bool {
    a.at == b.at && a.fields == b.fields && a.landed == b.landed
}
