//! The one mapping between domain types and columns: [`Stored`] for values, [`row!`] for whole rows.

use super::error::{StoreError, StoreResult};
use crate::domain::booking::BookingStatus;
use crate::domain::contact::IdentityKind;
use crate::domain::event::SubjectKind;
use crate::domain::sms::{SmsCategory, SmsStatus};
use crate::domain::staff::Role;
use crate::domain::task::TaskStatus;
use crate::domain::time::Timestamp;

/// A domain value and the plain type of its column.
pub(in crate::store) trait Stored: Sized {
    type Raw;
    fn to_raw(&self) -> Self::Raw;
    /// `None` when no version of this program can have written the value.
    fn from_raw(raw: Self::Raw) -> Option<Self>;
}

macro_rules! stored_as_itself {
    ($($ty:ty),*) => { $(
        impl Stored for $ty {
            type Raw = $ty;
            fn to_raw(&self) -> $ty { self.clone() }
            fn from_raw(raw: $ty) -> Option<Self> { Some(raw) }
        }
    )* };
}
stored_as_itself!(String, bool, i32, i64);

impl Stored for Timestamp {
    type Raw = i64;
    fn to_raw(&self) -> i64 {
        self.0
    }
    fn from_raw(raw: i64) -> Option<Self> {
        Some(Self(raw))
    }
}

/// A list of texts, as JSON.
impl Stored for Vec<String> {
    type Raw = String;
    fn to_raw(&self) -> String {
        // A list of texts always serialises.
        serde_json::to_string(self).unwrap_or_else(|_| "[]".to_owned())
    }
    fn from_raw(raw: String) -> Option<Self> {
        serde_json::from_str(&raw).ok()
    }
}

impl<T: Stored> Stored for Option<T> {
    type Raw = Option<T::Raw>;
    fn to_raw(&self) -> Self::Raw {
        self.as_ref().map(Stored::to_raw)
    }
    fn from_raw(raw: Self::Raw) -> Option<Self> {
        match raw {
            None => Some(None),
            Some(value) => T::from_raw(value).map(Some),
        }
    }
}

macro_rules! stored_as_text {
    ($($ty:ty),*) => { $(
        impl Stored for $ty {
            type Raw = String;
            fn to_raw(&self) -> String { self.as_str().to_owned() }
            fn from_raw(raw: String) -> Option<Self> { Self::parse(&raw) }
        }
    )* };
}
stored_as_text!(BookingStatus, TaskStatus, SmsStatus, SmsCategory, IdentityKind, SubjectKind, Role);

/// Reads one column's value; an unreadable one names its place.
pub(in crate::store) fn read<T: Stored>(raw: T::Raw, table: &'static str, column: &'static str) -> StoreResult<T> {
    T::from_raw(raw).ok_or(StoreError::Corrupt { table, column })
}

/// Defines the row of a table: a plain struct, its conversions to and from the domain type, and how rows are written: `insert`
/// (`insert_all`), `upsert` (`upsert_all`, by primary key) or `by_hand`.
macro_rules! row {
    ($table:ident, $row:ident, $domain:ty, $key:ident, $verb:ident { $($column:ident => $field:ident : $ty:ty),* $(,)? }) => {
        #[derive(diesel::Queryable, diesel::Insertable, diesel::Selectable)]
        #[diesel(table_name = $crate::store::schema::$table, treat_none_as_default_value = false)]
        pub(in crate::store) struct $row {
            $( pub $column: <$ty as $crate::store::row::Stored>::Raw, )*
        }

        impl $row {
            pub fn of(value: &$domain) -> Self {
                use $crate::store::row::Stored;
                Self { $( $column: value.$field.to_raw(), )* }
            }

            pub fn into_domain(self) -> $crate::store::StoreResult<$domain> {
                type Domain = $domain;
                Ok(Domain { $( $field: $crate::store::row::read::<$ty>(self.$column, stringify!($table), stringify!($column))?, )* })
            }
        }

        $crate::store::row::row_verb!($verb, $table, $row, $key, [$($column),*]);
    };
}
pub(in crate::store) use row;

/// One verb of a row.
macro_rules! row_verb {
    (by_hand, $table:ident, $row:ident, $key:ident, [$($column:ident),*]) => {};
    (insert, $table:ident, $row:ident, $key:ident, [$($column:ident),*]) => {
        impl $row {
            /// Inserts all rows, a bounded number in each statement.
            pub fn insert_all(tx: &mut $crate::store::Tx<'_>, rows: &[Self]) -> $crate::store::StoreResult<()> {
                use diesel::prelude::*;
                for chunk in rows.chunks($crate::store::row::ROWS_PER_STATEMENT_MAX) {
                    $crate::store::db::on!(tx, c => diesel::insert_into($crate::store::schema::$table::table).values(chunk).execute(c))?;
                }
                Ok(())
            }
        }
    };
    (upsert, $table:ident, $row:ident, $key:ident, [$($column:ident),*]) => {
        impl $row {
            /// Inserts rows, or replaces those with the same key.
            pub fn upsert_all(tx: &mut $crate::store::Tx<'_>, rows: &[Self]) -> $crate::store::StoreResult<()> {
                use diesel::prelude::*;
                use diesel::upsert::excluded;
                use $crate::store::schema::$table::dsl;
                for chunk in rows.chunks($crate::store::row::ROWS_PER_STATEMENT_MAX) {
                    $crate::store::db::on!(tx, c => diesel::insert_into(dsl::$table)
                        .values(chunk)
                        .on_conflict(dsl::$key)
                        .do_update()
                        .set(( $( dsl::$column.eq(excluded(dsl::$column)), )* ))
                        .execute(c))?;
                }
                Ok(())
            }
        }
    };
}
pub(in crate::store) use row_verb;

/// Rows in one multi-row statement: far below the databases' limits of bound values (32,766 and 65,535).
pub(in crate::store) const ROWS_PER_STATEMENT_MAX: usize = 128;

/// Turns rows into domain values, stopping at the first unreadable one.
macro_rules! domain_rows {
    ($rows:expr) => {
        $rows.into_iter().map(|row| row.into_domain()).collect::<$crate::store::StoreResult<Vec<_>>>()
    };
}
pub(in crate::store) use domain_rows;
