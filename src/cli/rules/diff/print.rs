//! A difference for people at a terminal, and as JSON.

use super::Found;
use crate::automation::replay::{Change, Item, RuleDifference, RuleState, Tally};
use crate::cli::Context;
use crate::cli::failure::Failure;
use crate::cli::moment::Wall;
use crate::cli::parts::Parts;
use crate::cli::rules::check::counted_word;
use crate::store::contacts;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Version of the JSON that this command prints.
const SCHEMA: &str = "avatar.rules-diff/1";
/// Items of one rule that are listed without `--all`.
const ITEMS_SHOWN: usize = 5;
/// Ids in one query.
const IDS_PER_QUERY: usize = 500;

pub(super) async fn print(context: &Context<'_>, parts: &Parts, found: Found, all: bool) -> Result<(), Failure> {
    let wall = Wall(parts.settings.clinic.calendar.tz);
    let price = parts.settings.sms.price_per_part;
    if context.output.json {
        context.output.object(&object(&found, wall, price));
        return Ok(());
    }
    let events = thousands(found.events);
    if found.is_cut {
        context.output.hint("the log holds more events than one replay takes: the newest were left out; use a shorter --since");
    }
    context.output.hint(&format!(
        "Replayed {events} events since {} in {:.1} s",
        wall.day_and_time(found.since),
        found.took.as_secs_f64()
    ));
    if found.difference.is_empty() {
        context.output.line(&format!("nothing differs from r{} in {events} events. Nothing was sent.", found.before));
        return Ok(());
    }
    let names = names(parts, &found, all).await?;
    let width = found.difference.rules.iter().map(|r| r.rule_id.chars().count()).max().unwrap_or(0);
    for rule in &found.difference.rules {
        let state = state_name(rule.state);
        context.output.line(&format!("  {:<width$}  {state:<7}  {}:{}", rule.rule_id, rule.file, rule.line));
        for line in counts(rule, price) {
            context.output.line(format!("    {line}").trim_end());
        }
        context.output.line("");
        for line in items(rule, wall, &names, all) {
            context.output.line(&format!("    {line}"));
        }
        context.output.line("");
    }
    let differ = counted_word(found.difference.rules.len(), "rule");
    let verb = if found.difference.rules.len() == 1 { "differs" } else { "differ" };
    let total = total(&found.difference.total, price);
    context.output.line(&format!("{differ} {verb} from r{}: {total}. Nothing was sent.", found.before));
    Ok(())
}

const fn state_name(state: RuleState) -> &'static str {
    match state {
        RuleState::Changed => "changed",
        RuleState::New => "new",
        RuleState::Gone => "gone",
    }
}

/// `+ 14 texts   reminder_24hr   about A$1.11`
fn counts(rule: &RuleDifference, price: f64) -> Vec<String> {
    let mut groups: BTreeMap<(&str, &str, usize), (usize, i64)> = BTreeMap::new();
    for item in &rule.items {
        let order = [Change::Added, Change::Removed, Change::Changed].iter().position(|c| *c == item.change).unwrap_or(0);
        let (count, parts) = groups.entry((&item.kind, &item.name, order)).or_default();
        *count += 1;
        *parts += item.parts;
    }
    let line = |((kind, name, order), (count, parts)): ((&str, &str, usize), (usize, i64))| {
        let sign = ["+", "−", "~"][order];
        let cost = if kind == "sms" && order < 2 { format!("   about {}", money(parts as f64 * price)) } else { String::new() };
        format!("{sign} {:<12} {name}{cost}", counted_word(count, word(kind)))
    };
    groups.into_iter().map(line).collect()
}

/// What people call it.
fn word(kind: &str) -> &str {
    match kind {
        "sms" => "text",
        "set" => "field",
        "withheld" => "withheld text",
        "close_tasks" => "closing",
        "cancel" => "withdrawal",
        kind => kind,
    }
}

fn items(rule: &RuleDifference, wall: Wall, names: &HashMap<String, String>, all: bool) -> Vec<String> {
    let shown = if all { rule.items.len() } else { ITEMS_SHOWN };
    let mut lines: Vec<String> = rule.items.iter().take(shown).map(|item| item_line(item, wall, names)).collect();
    if rule.items.len() > shown {
        lines.push(format!("… {} more, --all to list", rule.items.len() - shown));
    }
    lines
}

fn item_line(item: &Item, wall: Wall, names: &HashMap<String, String>) -> String {
    let sign = match item.change {
        Change::Added => "+",
        Change::Removed => "−",
        Change::Changed => "~",
    };
    let who = item.contact_id.as_ref().and_then(|id| names.get(id)).map_or("somebody", String::as_str);
    let cause = item.event_id.as_deref().unwrap_or(&item.event_type);
    let changes: Vec<String> =
        item.details.iter().map(|d| format!("{}: {} → {}", d.field, at(&d.before, wall), at(&d.after, wall))).collect();
    let changes = if changes.is_empty() { String::new() } else { format!("   {}", changes.join(", ")) };
    let when = wall.short(item.at);
    let what = format!("{} {}", word(&item.kind), item.name);
    format!("{when}  {who:<20}  {sign} {}{changes}   {cause}", what.trim_end())
}

/// Times are compared as instants, and read on the clinic's clock.
fn at(value: &str, wall: Wall) -> String {
    crate::domain::time::Timestamp::parse_rfc3339(value).map_or_else(|| value.to_owned(), |t| wall.short(t).trim().to_owned())
}

/// `+14 −3 tasks, +41 texts (A$3.25)`
fn total(tally: &Tally, price: f64) -> String {
    let named = [
        (tally.texts, "texts"),
        (tally.tasks, "tasks"),
        (tally.moves, "moves"),
        (tally.scores, "scores"),
        (tally.withheld, "withheld texts"),
        (tally.other, "other steps"),
    ];
    let mut parts = Vec::new();
    for (counts, name) in named {
        let signed = [("+", counts.added), ("−", counts.removed), ("~", counts.changed)];
        let signs: Vec<String> =
            signed.iter().filter(|(_, n)| *n > 0).map(|(sign, n)| format!("{sign}{}", thousands(*n))).collect();
        if signs.is_empty() {
            continue;
        }
        let cost = if name == "texts" { format!(" ({})", money(tally.parts() as f64 * price)) } else { String::new() };
        parts.push(format!("{} {name}{cost}", signs.join(" ")));
    }
    parts.join(", ")
}

fn money(amount: f64) -> String {
    let sign = if amount < 0.0 { "−" } else { "" };
    format!("{sign}A${:.2}", amount.abs())
}

fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The names of the people that are listed.
async fn names(parts: &Parts, found: &Found, all: bool) -> Result<HashMap<String, String>, Failure> {
    let shown = if all { usize::MAX } else { ITEMS_SHOWN };
    let listed = found.difference.rules.iter().flat_map(|r| r.items.iter().take(shown));
    let ids: BTreeSet<String> = listed.filter_map(|item| item.contact_id.clone()).collect();
    let mut names = HashMap::new();
    for ids in ids.into_iter().collect::<Vec<_>>().chunks(IDS_PER_QUERY) {
        let ids = ids.to_vec();
        let known = parts.store.read(move |conn| contacts::list_by_ids(conn, &ids)).await?;
        names.extend(known.into_iter().filter(|c| !c.name.is_empty()).map(|c| (c.id, c.name)));
    }
    Ok(names)
}

fn object(found: &Found, wall: Wall, price: f64) -> Value {
    json!({
        "schema": SCHEMA,
        "before": format!("r{}", found.before),
        "since": wall.json(found.since),
        "until": wall.json(found.until),
        "events": found.events,
        "cost_aud": (found.difference.total.parts() as f64 * price * 100.0).round() / 100.0,
        "total": found.difference.total,
        "rules": found.difference.rules.iter().map(|rule| rule_object(rule, wall)).collect::<Vec<_>>(),
    })
}

fn rule_object(rule: &RuleDifference, wall: Wall) -> Value {
    let items = rule.items.iter().map(|item| {
        let mut object = json!(item);
        object["at"] = wall.json(item.at).into();
        object
    });
    json!({
        "rule_id": rule.rule_id,
        "state": rule.state,
        "file": rule.file,
        "line": rule.line,
        "tally": rule.tally,
        "items": items.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_and_counts_read_as_people_write_them() {
        assert_eq!((money(1.1088), money(-0.0792)), ("A$1.11".to_owned(), "−A$0.08".to_owned()));
        assert_eq!((thousands(8_412), thousands(999), thousands(1_000_000)), ("8,412".into(), "999".into(), "1,000,000".into()));
    }
}
