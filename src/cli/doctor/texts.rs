//! Whether texts can leave, and whether all of them have a known fate.

use super::Finding;
use crate::cli::moment::span;
use crate::cli::parts::Parts;
use crate::config::{Environment, Stage};
use crate::domain::sms_provider::Hold;
use crate::domain::time::Timestamp;
use crate::store::{StoreResult, handovers, holds};

pub(super) async fn sms(parts: &Parts, environment: &Environment) -> Finding {
    if let Err(error) = parts.sending(environment) {
        return Finding::problem("sms", error.to_string(), "set SMS_PROVIDER and run `avatar doctor --only sms`");
    }
    let provider = parts.settings.sms.provider.as_str();
    let read = move |conn: &mut _| StoreResult::Ok((holds::find(conn, provider)?, handovers::count_unknown(conn)?));
    match parts.store.read(read).await {
        Ok((Some(hold), _)) => held(provider, &hold, parts.clock.now()),
        Ok((None, unknown)) => flowing(parts, unknown),
        Err(error) => Finding::problem("sms", error.to_string(), "`avatar doctor --only database`"),
    }
}

fn held(provider: &str, hold: &Hold, now: Timestamp) -> Finding {
    let (words, since) = (hold.reason.words(), span(now - hold.since));
    let text = format!("texts wait: {provider} {words} ({}), since {since}", hold.detail);
    if hold.reason.needs_a_person() {
        return Finding::problem("sms", text, hold.reason.help());
    }
    Finding::warning("sms", text, hold.reason.help())
}

fn flowing(parts: &Parts, unknown: i64) -> Finding {
    let sms = &parts.settings.sms;
    let mut text = sms.notice().unwrap_or_else(|| sms.provider.as_str().to_owned());
    if unknown > 0 {
        text = format!("{text}; nobody knows whether {unknown} texts were sent");
    }
    if !sms.is_live() && parts.settings.stage == Stage::Production {
        return Finding::warning("sms", text, "set SMS_PROVIDER to a provider");
    }
    if unknown > 0 {
        return Finding::warning("sms", text, "look at the tasks sms_outcome_unknown");
    }
    match parts.settings.warnings().first() {
        Some(warning) => Finding::warning("sms", format!("{text}: {}", warning.message), &warning.help),
        None => Finding::good("sms", text),
    }
}
