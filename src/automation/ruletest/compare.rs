//! Does what happened match what was expected? Order is free; only listed keys are compared; nothing may be left over.

use crate::automation::simulate::{Happening, Landed, Worth};
use crate::domain::time::{Millis, Timestamp};
use crate::engine::ruletest::{Want, Wanted};

/// What an expected list and what happened have in common, and what not.
pub(super) struct Compared<'a> {
    pub matched: Vec<&'a Happening>,
    pub missing: Vec<&'a Wanted>,
    pub unexpected: Vec<&'a Happening>,
}

/// Pairs expectations with happenings. Steps that found nothing to do may be listed, and need not be.
pub(super) fn compare<'a>(wanted: &'a [Wanted], happened: &'a [Happening], fired: &[&str]) -> Compared<'a> {
    let mut open: Vec<&Happening> = happened.iter().collect();
    let mut compared = Compared { matched: Vec::new(), missing: Vec::new(), unexpected: Vec::new() };
    // Those with the most to compare choose first, so that a loose one does not take what a strict one needs.
    let mut order: Vec<&Wanted> = wanted.iter().filter(|w| w.kind.is_some()).collect();
    order.sort_by_key(|w| std::cmp::Reverse(strictness(w)));
    for want in order {
        for single in singles(want) {
            match best(&single, &open) {
                Some(index) => compared.matched.push(open.remove(index)),
                None if compared.missing.iter().any(|m| std::ptr::eq(*m, want)) => {}
                None => compared.missing.push(want),
            }
        }
    }
    for want in wanted.iter().filter(|w| w.kind.is_none()) {
        whole_rule(want, &mut open, fired, &mut compared);
    }
    compared.missing.sort_by_key(|w| (w.at.line, w.at.column));
    compared.unexpected = open.into_iter().filter(|h| h.landed == Landed::Done).collect();
    compared
}

/// `rule: no-show` stands for everything that the rule did.
fn whole_rule<'a>(want: &'a Wanted, open: &mut Vec<&'a Happening>, fired: &[&str], compared: &mut Compared<'a>) {
    let Some(rule) = &want.rule else { return };
    let of_rule = |h: &&Happening| h.rule_id == rule.text && beside(want, h);
    let (matched, rest): (Vec<_>, Vec<_>) = std::mem::take(open).into_iter().partition(of_rule);
    *open = rest;
    if matched.is_empty() && (want.when.is_some() || !fired.contains(&rule.text.as_str())) {
        compared.missing.push(want);
    }
    compared.matched.extend(matched);
}

/// One field of a `set` at a time: that is how they happen.
struct Single<'w> {
    want: &'w Wanted,
    fields: Vec<(&'w str, &'w Want)>,
}

fn singles(want: &Wanted) -> Vec<Single<'_>> {
    let all: Vec<(&str, &Want)> = want.fields.iter().map(|(name, want)| (name.as_str(), want)).collect();
    if want.kind.as_deref() == Some("set") {
        return all.into_iter().map(|field| Single { want, fields: vec![field] }).collect();
    }
    vec![Single { want, fields: all }]
}

fn strictness(want: &Wanted) -> usize {
    let said = [want.main.is_some(), want.rule.is_some(), want.booking.is_some(), want.when.is_some(), want.when.is_some()];
    want.fields.len() + said.into_iter().filter(|is_said| *is_said).count()
}

/// What was really done comes before what found nothing to do.
/// Who expects tasks to be closed or texts to be withdrawn expects that there were some.
fn best(single: &Single<'_>, open: &[&Happening]) -> Option<usize> {
    let fits = |h: &&Happening| is_kind(single.want, h) && beside(single.want, h) && has_fields(single, h);
    let done = open.iter().position(|h| h.landed == Landed::Done && fits(h));
    let counts = matches!(single.want.kind.as_deref(), Some("close_tasks" | "cancel"));
    done.or_else(|| open.iter().position(|h| h.landed != Landed::Done && !counts && fits(h)))
}

fn is_kind(want: &Wanted, happening: &Happening) -> bool {
    let withheld = matches!(happening.landed, Landed::Withheld(_));
    match want.kind.as_deref() {
        Some("withheld") => withheld,
        Some(kind) => kind == happening.kind && !withheld,
        None => true,
    }
}

/// Who did it, when, for whom.
fn beside(want: &Wanted, happening: &Happening) -> bool {
    want.rule.as_ref().is_none_or(|rule| rule.text == happening.rule_id)
        && want.when.is_none_or(|at| same_minute(at, happening.at))
        && want.contact.as_ref().is_none_or(|c| Some(&c.text) == happening.contact_id.as_ref())
        && want.booking.as_ref().is_none_or(|b| Some(&b.text) == happening.booking_id.as_ref())
}

fn has_fields(single: &Single<'_>, happening: &Happening) -> bool {
    let main = single.want.main.as_ref().is_none_or(|want| main_of(happening).is_some_and(|worth| matches(want, worth)));
    let reason = |want: &Want| matches!(&happening.landed, Landed::Withheld(why) if want.is_any() || *why == want.text);
    main && single.fields.iter().all(|(name, want)| match (*name, happening.fields.get(*name)) {
        ("reason", None) => reason(want),
        (_, Some(worth)) => matches(want, worth),
        (_, None) => false,
    })
}

/// Fields that stand for the whole step when it is written as one value.
const MAIN: &[&str] = &["template", "body", "name", "event", "text", "message", "tag", "title", "type"];

fn main_of(happening: &Happening) -> Option<&Worth> {
    if happening.kind == "cancel" {
        return Some(happening.fields.get("template").unwrap_or(&Worth::Nothing));
    }
    MAIN.iter().find_map(|name| happening.fields.get(*name)).or_else(|| happening.fields.values().next())
}

fn matches(want: &Want, worth: &Worth) -> bool {
    if want.is_any() {
        return true;
    }
    match worth {
        // `close_tasks: any` and `cancel: sms` name no one in particular.
        Worth::Nothing => want.is_null || want.text == "sms",
        Worth::Bool(yes) => want.text == yes.to_string(),
        Worth::Int(number) => want.text.parse() == Ok(*number),
        Worth::Text(text) => !want.is_null && want.text == *text,
        Worth::Time(at) => want.time.is_some_and(|time| same_minute(time, *at)),
    }
}

/// Tests speak of minutes.
fn same_minute(a: Timestamp, b: Timestamp) -> bool {
    a.0.div_euclid(Millis::MINUTE.0) == b.0.div_euclid(Millis::MINUTE.0)
}
