//! Tables of what keeps rules in check: overrides, their history, skips, what rules have set.

use diesel::table;

table! {
    rule_overrides (rule_id) {
        rule_id -> Text,
        state -> Text,
        by -> Text,
        reason -> Text,
        at -> BigInt,
    }
}

table! {
    rule_history (id) {
        id -> Text,
        action -> Text,
        rule_id -> Nullable<Text>,
        revision -> Nullable<BigInt>,
        by -> Text,
        reason -> Nullable<Text>,
        at -> BigInt,
    }
}

table! {
    automation_skips (event_id) {
        event_id -> Text,
        revision -> BigInt,
        contact_id -> Nullable<Text>,
        booking_id -> Nullable<Text>,
        at -> BigInt,
        skips -> Text,
    }
}

table! {
    field_changes (id) {
        id -> Text,
        contact_id -> Text,
        booking_id -> Nullable<Text>,
        field -> Text,
        from_value -> Nullable<Text>,
        to_value -> Nullable<Text>,
        at -> BigInt,
        by -> Text,
        run_id -> Nullable<Text>,
    }
}
