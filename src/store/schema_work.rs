//! Tables of what staff writes down.

use diesel::table;

table! {
    consents (id) {
        id -> Text,
        contact_id -> Text,
        kind -> Text,
        state -> Text,
        source -> Text,
        said_at -> BigInt,
        recorded_by -> Text,
        recorded_at -> BigInt,
    }
}
