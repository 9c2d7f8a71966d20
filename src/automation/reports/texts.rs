//! Figures about texts: what left, what came of it, and how soon people were answered.

use super::FOLLOWED;
use super::definitions as d;
use super::figure::Figure;
use super::period::Period;
use crate::domain::keywords::Keywords;
use crate::store::reports::Span;
use crate::store::reports::texts::{self, Received, Sent};
use crate::store::{Conn, StoreResult};
use std::collections::{BTreeMap, HashMap};

/// What nobody has to answer.
const NO_ANSWER_NEEDED: [&str; 3] = ["yes", "stop", "start"];

pub(super) fn count(conn: &mut Conn, period: Period, keywords: &Keywords) -> StoreResult<Vec<Figure>> {
    let mut figures = replies(conn, period.span, keywords)?;
    figures.extend(sent(&texts::count_sent(conn, period.span)?));
    let numbers = texts::count_numbers(conn, period.span)?;
    figures.push(Figure::rate(&d::OPT_OUTS, None, (texts::count_opt_outs(conn, period.span)?, numbers)));
    let recalled = texts::count_recalled(conn, period.span, FOLLOWED)?;
    figures.push(Figure::rate(&d::RECALL_YIELD, None, (recalled.booked, recalled.texted)));
    Ok(figures)
}

fn sent(rows: &[Sent]) -> Vec<Figure> {
    let sum = |which: &dyn Fn(&Sent) -> bool| rows.iter().filter(|r| which(r)).map(|r| r.n).sum::<i64>();
    let left = || rows.iter().filter(|r| r.was_taken == 1);
    let all = left().map(|r| r.n).sum::<i64>();
    let failed = sum(&|r| r.status == "failed" || r.status == "expired");
    let mut figures = vec![
        Figure::count(&d::TEXTS_SENT, None, all),
        Figure::rate(&d::TEXTS_DELIVERED, None, (sum(&|r| r.was_taken == 1 && r.status == "delivered"), all)),
        Figure::rate(&d::TEXTS_FAILED, None, (failed, sum(&|_| true))),
        Figure::count(&d::TEXT_PARTS, None, left().map(|r| r.parts).sum()),
        Figure::rate(&d::TEXTS_PRICED, None, (left().map(|r| r.priced).sum(), all)),
    ];
    let mut costs: BTreeMap<&str, i64> = BTreeMap::new();
    for row in left().filter(|r| r.priced > 0) {
        *costs.entry(row.currency.as_deref().unwrap_or("unknown")).or_default() += row.micros;
    }
    figures.extend(costs.into_iter().map(|(currency, micros)| Figure::count(&d::TEXT_COST, Some(currency), micros)));
    figures
}

fn replies(conn: &mut Conn, span: Span, keywords: &Keywords) -> StoreResult<Vec<Figure>> {
    let (mut waits, mut after) = (Waits::default(), String::new());
    loop {
        let page = texts::list_received(conn, span, FOLLOWED, &after)?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.id);
        for text in page.iter().filter(|text| !NO_ANSWER_NEEDED.contains(&keywords.intent(&text.body))) {
            waits.add(text);
        }
    }
    waits.answered.sort_unstable();
    let p = |figure, percent| Figure::percentile(figure, None, percent, &waits.answered, waits.begun);
    Ok(vec![p(&d::REPLY_P50, 50), p(&d::REPLY_P90, 90)])
}

/// People waiting for an answer.
#[derive(Default)]
struct Waits {
    begun: i64,
    /// How long, in milliseconds, of those that are over.
    answered: Vec<i64>,
    /// By contact: when their last wait was over, if it is.
    over: HashMap<String, Option<i64>>,
}

impl Waits {
    /// A text that comes while its sender waits already belongs to that wait.
    fn add(&mut self, text: &Received) {
        if self.over.get(&text.contact_id).is_some_and(|over| over.is_none_or(|at| at > text.at)) {
            return;
        }
        let answered = [text.texted_at, text.called_at, text.done_at].into_iter().flatten().min();
        self.begun += 1;
        self.answered.extend(answered.map(|at| at - text.at));
        self.over.insert(text.contact_id.clone(), answered);
    }
}
