//! The one mapping between domain types and columns: [`Stored`] for values, [`row!`] for whole rows.

use super::db::{Tx, on};
use super::error::{StoreError, StoreResult};
use super::sql::{Binds, Value, most_in_class};
use crate::domain::booking::BookingStatus;
use crate::domain::contact::IdentityKind;
use crate::domain::event::SubjectKind;
use crate::domain::sms::{SmsCategory, SmsStatus};
use crate::domain::staff::Role;
use crate::domain::task::TaskStatus;
use crate::domain::time::Timestamp;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::{PgConnection, QueryResult, RunQueryDsl, SqliteConnection};
use std::marker::PhantomData;

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

        impl $crate::store::row::Written for $row {
            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &'static [&'static str] = &[$(<$crate::store::schema::$table::$column as diesel::Column>::NAME),*];

            fn into_values(self) -> Vec<$crate::store::sql::Value> {
                vec![$( self.$column.into() ),*]
            }
        }

        $crate::store::row::row_verb!($verb, $row, $key);
    };
}
pub(in crate::store) use row;

/// Defines a row that has no domain type of its own and is only ever inserted.
macro_rules! log_row {
    ($table:ident, $row:ident { $($column:ident : $ty:ty),* $(,)? }) => {
        pub(in crate::store) struct $row {
            $( pub $column: $ty, )*
        }

        impl $crate::store::row::Written for $row {
            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &'static [&'static str] = &[$(<$crate::store::schema::$table::$column as diesel::Column>::NAME),*];

            fn into_values(self) -> Vec<$crate::store::sql::Value> {
                vec![$( self.$column.into() ),*]
            }
        }

        $crate::store::row::row_verb!(insert, $row, id);
    };
}
pub(in crate::store) use log_row;

/// One verb of a row.
macro_rules! row_verb {
    (by_hand, $row:ident, $key:ident) => {};
    (insert, $row:ident, $key:ident) => {
        impl $row {
            /// Inserts all rows.
            pub fn insert_all(tx: &mut $crate::store::Tx<'_>, rows: Vec<Self>) -> $crate::store::StoreResult<()> {
                static TEXT: std::sync::OnceLock<$crate::store::row::Text> = std::sync::OnceLock::new();
                $crate::store::row::write_all(tx, rows, TEXT.get_or_init(|| $crate::store::row::Text::insert::<Self>()))
            }
        }
    };
    (upsert, $row:ident, $key:ident) => {
        impl $row {
            /// Inserts rows, or replaces those with the same key.
            pub fn upsert_all(tx: &mut $crate::store::Tx<'_>, rows: Vec<Self>) -> $crate::store::StoreResult<()> {
                static TEXT: std::sync::OnceLock<$crate::store::row::Text> = std::sync::OnceLock::new();
                $crate::store::row::write_all(
                    tx,
                    rows,
                    TEXT.get_or_init(|| $crate::store::row::Text::upsert::<Self>(stringify!($key))),
                )
            }
        }
    };
}
pub(in crate::store) use row_verb;

/// A row whose columns can be named and whose values can be bound, in the same order.
pub(in crate::store) trait Written: 'static {
    const TABLE: &'static str;
    const COLUMNS: &'static [&'static str];
    fn into_values(self) -> Vec<Value>;
}

/// The statement that writes rows of one table.
pub(in crate::store) struct Text {
    /// What follows `INSERT`.
    beginning: String,
    ending: String,
}

/// On SQLite, a statement of many rows that could fail half-way keeps a copy of each page that it changes, to undo what it did.
/// There is no need: a failed statement fails its unit of work, and the unit is undone as a whole. `OR FAIL` keeps no copies.
pub(in crate::store) const fn insert_verb(is_postgres: bool) -> &'static str {
    if is_postgres { "INSERT" } else { "INSERT OR FAIL" }
}

impl Text {
    pub fn insert<R: Written>() -> Self {
        Self::new::<R>(String::new())
    }

    pub fn upsert<R: Written>(key: &str) -> Self {
        let others = R::COLUMNS.iter().filter(|column| **column != key);
        let set: Vec<String> = others.map(|column| format!("{column} = excluded.{column}")).collect();
        Self::new::<R>(format!(" ON CONFLICT ({key}) DO UPDATE SET {}", set.join(", ")))
    }

    /// With what is to happen to a row that is there already.
    pub fn insert_or<R: Written>(on_conflict: &str) -> Self {
        Self::new::<R>(format!(" {on_conflict}"))
    }

    fn new<R: Written>(ending: String) -> Self {
        let columns: Vec<String> = R::COLUMNS.iter().map(|column| format!("\"{column}\"")).collect();
        let beginning = format!(" INTO {} ({}) VALUES ", R::TABLE, columns.join(", "));
        Self { beginning, ending }
    }
}

/// Writes rows with statements of few sizes, each of which is prepared once.
pub(in crate::store) fn write_all<R: Written>(tx: &mut Tx<'_>, rows: Vec<R>, text: &'static Text) -> StoreResult<()> {
    let verb = insert_verb(tx.is_postgres());
    let mut rows = rows.into_iter().map(Written::into_values);
    while let Some(most) = most_in_class(rows.len()) {
        let values: Vec<Value> = rows.by_ref().take(most).flatten().collect();
        match most {
            64 => Rows::<R, 64> { verb, values, text, row: PhantomData }.write(tx)?,
            16 => Rows::<R, 16> { verb, values, text, row: PhantomData }.write(tx)?,
            4 => Rows::<R, 4> { verb, values, text, row: PhantomData }.write(tx)?,
            _ => Rows::<R, 1> { verb, values, text, row: PhantomData }.write(tx)?,
        }
    }
    Ok(())
}

/// The values of `N` rows. Type and number stand for the statement: rows of a type are only ever inserted, or only ever upserted.
struct Rows<R, const N: usize> {
    verb: &'static str,
    values: Vec<Value>,
    text: &'static Text,
    row: PhantomData<R>,
}

impl<R: Written, const N: usize> Rows<R, N> {
    fn write(self, tx: &mut Tx<'_>) -> StoreResult<()> {
        on!(tx, c => self.execute(c))?;
        Ok(())
    }
}

impl<R: Written, DB: Binds, const N: usize> QueryFragment<DB> for Rows<R, N> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        out.push_sql(self.verb);
        out.push_sql(&self.text.beginning);
        for (position, value) in self.values.iter().enumerate() {
            let is_first_of_row = position % R::COLUMNS.len() == 0;
            out.push_sql(match (position, is_first_of_row) {
                (0, _) => "(",
                (_, true) => "), (",
                (_, false) => ", ",
            });
            value.bind(&mut out)?;
        }
        out.push_sql(")");
        out.push_sql(&self.text.ending);
        Ok(())
    }
}

impl<R: 'static, const N: usize> QueryId for Rows<R, N> {
    type QueryId = Self;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R, const N: usize> RunQueryDsl<SqliteConnection> for Rows<R, N> {}
impl<R, const N: usize> RunQueryDsl<PgConnection> for Rows<R, N> {}

/// Turns rows into domain values, stopping at the first unreadable one.
macro_rules! domain_rows {
    ($rows:expr) => {
        $rows.into_iter().map(|row| row.into_domain()).collect::<$crate::store::StoreResult<Vec<_>>>()
    };
}
pub(in crate::store) use domain_rows;
