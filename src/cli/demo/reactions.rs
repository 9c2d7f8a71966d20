//! What becomes of a text that left the clinic: a receipt, and sometimes an answer.

use super::phrases::{FREE_REPLIES, NO_REPLIES, STOP_REPLIES, YES_REPLIES};
use super::random::Random;
use crate::domain::time::Millis;

const DELIVERED: f64 = 0.965;
const FAILED: f64 = 0.028;
const YES: f64 = 0.60;
const NO: f64 = 0.04;
const FREE: f64 = 0.08;
const STOP: f64 = 0.007;
/// Texts that ask nothing are seldom answered.
const FREE_UNASKED: f64 = 0.03;
const REPLY_MEDIAN_MINUTES: f64 = 12.0;
const REPLY_MINUTES_MAX: f64 = 1_200.0;

/// What a text leads to. Times are counted from when it left.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reaction {
    /// Delivered or not; `None`: nobody ever says.
    pub receipt: Option<(Millis, bool)>,
    pub reply: Option<(Millis, &'static str)>,
}

/// A text, as far as people react to it.
#[derive(Clone, Copy, Debug)]
pub struct Text<'a> {
    pub to: &'a str,
    pub template: Option<&'a str>,
    /// Epoch ms of the appointment it speaks of; tells texts of one template apart.
    pub about: i64,
    /// The person wants no more texts.
    pub stops: bool,
}

impl Text<'_> {
    fn asks(&self) -> bool {
        self.template.is_some_and(|name| name.starts_with("reminder"))
    }
}

/// The same text always leads to the same.
#[must_use]
pub fn react(seed: u64, text: Text<'_>) -> Reaction {
    let name = format!("{}:{}:{}", text.to, text.template.unwrap_or_default(), text.about);
    let mut random = Random::of(seed, &name);
    let fate = if text.stops { 0.0 } else { random.unit() };
    if fate >= DELIVERED {
        let failed = fate < DELIVERED + FAILED;
        return Reaction { receipt: failed.then(|| (Millis::seconds(random.between(20, 900)), false)), reply: None };
    }
    let receipt = Some((Millis::seconds(random.log_normal(9.0, 1.0) as i64 + 2), true));
    let reply = words(&mut random, text).map(|body| {
        let minutes = random.log_normal(REPLY_MEDIAN_MINUTES, 1.2).clamp(1.0, REPLY_MINUTES_MAX);
        (Millis::seconds(minutes as i64 * 60 + random.between(0, 60)), body)
    });
    Reaction { receipt, reply }
}

fn words(random: &mut Random, text: Text<'_>) -> Option<&'static str> {
    let mood = random.unit();
    if text.stops {
        return text.asks().then(|| random.weighted(STOP_REPLIES).copied()).flatten();
    }
    if !text.asks() {
        return if mood < FREE_UNASKED { random.pick(FREE_REPLIES).copied() } else { None };
    }
    match mood {
        m if m < YES => random.weighted(YES_REPLIES).copied(),
        m if m < YES + NO => random.weighted(NO_REPLIES).copied(),
        m if m < YES + NO + FREE => random.pick(FREE_REPLIES).copied(),
        m if m < YES + NO + FREE + STOP => random.weighted(STOP_REPLIES).copied(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reminder(about: i64, stops: bool) -> Reaction {
        react(5, Text { to: "+61491570006", template: Some("reminder_48hr"), about, stops })
    }

    #[test]
    fn reminders_are_answered_as_people_answer_them() {
        let all: Vec<Reaction> = (0..20_000).map(|n| reminder(n, false)).collect();
        let share = |wanted: &dyn Fn(&Reaction) -> bool| all.iter().filter(|r| wanted(r)).count() as f64 / all.len() as f64;
        let delivered = share(&|r| matches!(r.receipt, Some((_, true))));
        let failed = share(&|r| matches!(r.receipt, Some((_, false))));
        let yes = share(&|r| r.reply.is_some_and(|(_, body)| YES_REPLIES.iter().any(|(word, _)| *word == body)));
        assert!((0.955..0.975).contains(&delivered) && (0.02..0.036).contains(&failed), "{delivered} {failed}");
        assert!((0.56..0.61).contains(&yes), "{yes}");
        assert!(all.iter().all(|r| r.reply.is_none() || matches!(r.receipt, Some((_, true)))), "only what arrived is answered");
        assert_eq!(reminder(3, false), reminder(3, false));
    }

    #[test]
    fn somebody_who_wants_no_texts_says_so_to_the_first_question() {
        let stop = reminder(1, true).reply.map(|(_, body)| body);
        assert!(STOP_REPLIES.iter().any(|(word, _)| Some(*word) == stop));
        assert_eq!(
            react(5, Text { to: "+61491570006", template: Some("booking_confirmation"), about: 1, stops: true }).reply,
            None
        );
    }
}
