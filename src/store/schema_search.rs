//! Tables that staff looks things up in: what people are found by, conversations, merged contacts.

use diesel::table;

table! {
    contact_terms (term, contact_id) {
        term -> Text,
        contact_id -> Text,
    }
}

table! {
    contact_search (contact_id) {
        contact_id -> Text,
        words -> Text,
        sort_name -> Text,
    }
}

table! {
    inbox_states (contact_id) {
        contact_id -> Text,
        assigned_to -> Nullable<Text>,
        done_at -> Nullable<BigInt>,
        done_by -> Nullable<Text>,
        version -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    inbox_drafts (contact_id) {
        contact_id -> Text,
        body -> Text,
        author -> Text,
        version -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    contact_merges (id) {
        id -> Text,
        winner_id -> Text,
        loser_id -> Text,
        merged_at -> BigInt,
        merged_by -> Text,
        undone_at -> Nullable<BigInt>,
        undone_by -> Nullable<Text>,
        journal -> Text,
    }
}
