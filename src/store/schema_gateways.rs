//! Tables of the way out: what providers said of texts, and which providers take none.

use diesel::table;

table! {
    sms_handovers (sms_id) {
        sms_id -> Text,
        provider -> Text,
        handed_at -> BigInt,
        answered_at -> Nullable<BigInt>,
        provider_status -> Nullable<Text>,
        provider_message_id -> Nullable<Text>,
        price_micros -> Nullable<BigInt>,
        currency -> Nullable<Text>,
        billed_parts -> Nullable<Integer>,
        raw -> Text,
        unknown_at -> Nullable<BigInt>,
        checks -> BigInt,
        checked_at -> Nullable<BigInt>,
        asked_at -> Nullable<BigInt>,
        receipt_asked_at -> Nullable<BigInt>,
        price_is_estimate -> Bool,
    }
}

table! {
    sms_holds (provider) {
        provider -> Text,
        reason -> Text,
        detail -> Text,
        since -> BigInt,
        retry_at -> BigInt,
        failures -> BigInt,
        probing -> Bool,
        told -> Bool,
    }
}
