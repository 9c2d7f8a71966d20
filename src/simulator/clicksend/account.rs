//! Who may call. ClickSend documents users for tests: `nocredit`, `notactive`, `banned`.

use super::{currency, error, success};
use crate::simulator::Shared;
use crate::simulator::wire::{Answer, Request};
use serde_json::json;

/// Users that ClickSend documents for tests, here with the account's own key.
const NO_CREDIT: &str = "nocredit";
const WITHOUT_ACCESS: [&str; 2] = ["notactive", "banned"];

pub(super) fn refusal(shared: &Shared, request: &Request) -> Option<Answer> {
    let account = &shared.options.account;
    let Some((name, key)) = request.basic() else { return Some(error(401)) };
    if key == account.key && WITHOUT_ACCESS.contains(&name.as_str()) {
        return Some(error(403));
    }
    let is_known = key == account.key && (name == account.username || name == NO_CREDIT);
    (!is_known).then(|| error(401))
}

pub(super) fn is_without_credit(request: &Request) -> bool {
    request.basic().is_some_and(|(name, _)| name == NO_CREDIT)
}

pub(super) fn show(shared: &Shared) -> Answer {
    success(
        "Here's your account",
        &json!({
            "user_id": super::USER_ID,
            "username": shared.options.account.username,
            "user_email": "ops@example.com",
            "active": 1,
            "banned": 0,
            "balance": "1000.000000",
            "user_phone": "+61491570156",
            "user_first_name": "Avatar",
            "user_last_name": "Imaging",
            "country": "AU",
            "default_country_sms": "AU",
            "timezone": "Australia/Sydney",
            "_currency": currency(),
        }),
    )
}
