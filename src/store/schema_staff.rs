//! Tables of those who come in: sessions, second factors, one-time codes, and the log of what people did.

use diesel::table;

table! {
    audit_log (seq) {
        seq -> BigInt,
        at -> BigInt,
        actor -> Text,
        ip -> Nullable<Text>,
        action -> Text,
        object_kind -> Nullable<Text>,
        object_id -> Nullable<Text>,
        details -> Text,
        prev_hash -> Text,
        hash -> Text,
    }
}

table! {
    staff_sessions (id) {
        id -> Text,
        user_id -> Text,
        token_sha256 -> Text,
        began_with -> Text,
        second_factor -> Bool,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        expires_at -> BigInt,
        ip -> Nullable<Text>,
        agent -> Nullable<Text>,
    }
}

table! {
    staff_proofs (user_id) {
        user_id -> Text,
        failures -> BigInt,
        failed_at -> Nullable<BigInt>,
        blocked_until -> Nullable<BigInt>,
        totp_secret -> Nullable<Text>,
        totp_since -> Nullable<BigInt>,
        totp_step -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(staff_sessions, staff_proofs);

table! {
    staff_users (id) {
        id -> Text,
        email -> Text,
        name -> Text,
        role -> Text,
        password_hash -> Nullable<Text>,
        active -> Bool,
        created_at -> BigInt,
        updated_at -> BigInt,
        version -> BigInt,
    }
}

table! {
    api_keys (id) {
        id -> Text,
        name -> Text,
        role -> Text,
        secret_sha256 -> Text,
        created_at -> BigInt,
        last_used_at -> Nullable<BigInt>,
        expires_at -> Nullable<BigInt>,
        revoked_at -> Nullable<BigInt>,
        scopes -> Text,
        created_by -> Nullable<Text>,
    }
}
