//! The one mapping between domain types and columns: [`Stored`] for values, [`row!`] for whole rows.

use super::db::{Tx, on};
use super::error::{StoreError, StoreResult};
use super::sql::{Binds, Value, in_classes};
use crate::domain::booking::BookingStatus;
use crate::domain::contact::IdentityKind;
use crate::domain::event::{Actor, EventStatus, RunOutcome, SignatureState, SubjectKind, WaitState};
use crate::domain::sms::{SmsCategory, SmsStatus};
use crate::domain::sms_provider::HoldReason;
use crate::domain::staff::Role;
use crate::domain::task::{TaskOutcome, TaskStatus};
use crate::domain::time::Timestamp;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::{PgConnection, QueryResult, RunQueryDsl, SqliteConnection};
use std::marker::PhantomData;

/// A domain value and the plain type of its column.
pub(in crate::store) trait Stored: Sized {
    type Raw;
    /// How nothing is written in a column of this type.
    const NULL: Value<'static>;
    fn value(&self) -> Value<'_>;
    /// `None` when no version of this program can have written the value.
    fn from_raw(raw: Self::Raw) -> Option<Self>;
}

macro_rules! stored_as_itself {
    ($($ty:ty, $null:expr, |$v:ident| $value:expr);*) => { $(
        impl Stored for $ty {
            type Raw = $ty;
            const NULL: Value<'static> = $null;
            fn value(&self) -> Value<'_> { let $v = self; $value }
            fn from_raw(raw: $ty) -> Option<Self> { Some(raw) }
        }
    )* };
}
stored_as_itself!(
    String, Value::MaybeText(None), |v| v.as_str().into();
    bool, Value::MaybeInt(None), |v| (*v).into();
    i32, Value::MaybeInt(None), |v| (*v).into();
    i64, Value::MaybeBig(None), |v| (*v).into()
);

impl Stored for Timestamp {
    type Raw = i64;
    const NULL: Value<'static> = Value::MaybeBig(None);
    fn value(&self) -> Value<'_> {
        self.0.into()
    }
    fn from_raw(raw: i64) -> Option<Self> {
        Some(Self(raw))
    }
}

/// A list of texts, as JSON.
impl Stored for Vec<String> {
    type Raw = String;
    const NULL: Value<'static> = Value::MaybeText(None);
    fn value(&self) -> Value<'_> {
        // A list of texts always serialises.
        serde_json::to_string(self).unwrap_or_else(|_| "[]".to_owned()).into()
    }
    fn from_raw(raw: String) -> Option<Self> {
        serde_json::from_str(&raw).ok()
    }
}

impl<T: Stored> Stored for Option<T> {
    type Raw = Option<T::Raw>;
    const NULL: Value<'static> = T::NULL;
    fn value(&self) -> Value<'_> {
        self.as_ref().map_or(T::NULL, Stored::value)
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
            const NULL: Value<'static> = Value::MaybeText(None);
            fn value(&self) -> Value<'_> { self.as_str().into() }
            fn from_raw(raw: String) -> Option<Self> { Self::parse(&raw) }
        }
    )* };
}
stored_as_text!(
    Actor,
    BookingStatus,
    EventStatus,
    HoldReason,
    IdentityKind,
    Role,
    RunOutcome,
    SignatureState,
    SmsCategory,
    SmsStatus,
    SubjectKind,
    TaskOutcome,
    TaskStatus,
    WaitState
);

/// Reads one column's value; an unreadable one names its place.
pub(in crate::store) fn read<T: Stored>(raw: T::Raw, table: &'static str, column: &'static str) -> StoreResult<T> {
    T::from_raw(raw).ok_or(StoreError::Corrupt { table, column })
}

/// Defines the row of a table: a plain struct, its conversions to and from the domain type, and how rows are written: `insert`
/// (`insert_all`), `upsert` (`upsert_all`, by primary key) or `by_hand`.
macro_rules! row {
    ($table:ident, $row:ident, $domain:ty, $key:ident, $verb:ident { $($column:ident => $field:ident : $ty:ty),* $(,)? }) => {
        #[derive(diesel::Queryable, diesel::Selectable)]
        #[diesel(table_name = $crate::store::schema::$table)]
        pub(in crate::store) struct $row {
            $( pub $column: <$ty as $crate::store::row::Stored>::Raw, )*
        }

        impl $row {
            pub fn into_domain(self) -> $crate::store::StoreResult<$domain> {
                type Domain = $domain;
                Ok(Domain { $( $field: $crate::store::row::read::<$ty>(self.$column, stringify!($table), stringify!($column))?, )* })
            }
        }

        impl $crate::store::row::Written for $row {
            type Source = $domain;
            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &'static [&'static str] = &[$(<$crate::store::schema::$table::$column as diesel::Column>::NAME),*];

            fn push_values<'a>(source: &'a $domain, values: &mut Vec<$crate::store::sql::Value<'a>>) {
                use $crate::store::row::Stored;
                $( values.push(source.$field.value()); )*
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
            type Source = Self;
            const TABLE: &'static str = stringify!($table);
            const COLUMNS: &'static [&'static str] = &[$(<$crate::store::schema::$table::$column as diesel::Column>::NAME),*];

            fn push_values<'a>(source: &'a Self, values: &mut Vec<$crate::store::sql::Value<'a>>) {
                use $crate::store::row::Stored;
                $( values.push(source.$column.value()); )*
            }
        }

        $crate::store::row::row_verb!(insert, $row, id);

        impl $row {
            pub fn insert_these(tx: &mut $crate::store::Tx<'_>, rows: &[Self]) -> $crate::store::StoreResult<()> {
                Self::insert_all(tx, &rows.iter().collect::<Vec<_>>())
            }
        }
    };
}
pub(in crate::store) use log_row;

/// One verb of a row.
macro_rules! row_verb {
    (by_hand, $row:ident, $key:ident) => {};
    (insert, $row:ident, $key:ident) => {
        impl $row {
            /// Inserts all rows.
            pub fn insert_all(
                tx: &mut $crate::store::Tx<'_>,
                rows: &[&<Self as $crate::store::row::Written>::Source],
            ) -> $crate::store::StoreResult<()> {
                static TEXT: std::sync::OnceLock<$crate::store::row::Text> = std::sync::OnceLock::new();
                $crate::store::row::write_all::<Self>(tx, rows, TEXT.get_or_init(|| $crate::store::row::Text::insert::<Self>()))
            }
        }
    };
    (upsert, $row:ident, $key:ident) => {
        impl $row {
            /// Inserts rows, or replaces those with the same key.
            pub fn upsert_all(
                tx: &mut $crate::store::Tx<'_>,
                rows: &[&<Self as $crate::store::row::Written>::Source],
            ) -> $crate::store::StoreResult<()> {
                static TEXT: std::sync::OnceLock<$crate::store::row::Text> = std::sync::OnceLock::new();
                $crate::store::row::write_all::<Self>(
                    tx,
                    rows,
                    TEXT.get_or_init(|| $crate::store::row::Text::upsert::<Self>(stringify!($key))),
                )
            }
        }
    };
}
pub(in crate::store) use row_verb;

/// Rows of a table, and what they are written from.
pub(in crate::store) trait Written: 'static {
    type Source;
    const TABLE: &'static str;
    const COLUMNS: &'static [&'static str];
    /// One value for each column, in the order of the columns.
    fn push_values<'a>(source: &'a Self::Source, values: &mut Vec<Value<'a>>);
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
pub(in crate::store) fn write_all<R: Written>(tx: &mut Tx<'_>, rows: &[&R::Source], text: &'static Text) -> StoreResult<()> {
    for piece in in_classes(rows) {
        match piece.len() {
            64 => Rows::<R, 64>::of(tx, piece, text).write(tx)?,
            16 => Rows::<R, 16>::of(tx, piece, text).write(tx)?,
            4 => Rows::<R, 4>::of(tx, piece, text).write(tx)?,
            _ => Rows::<R, 1>::of(tx, piece, text).write(tx)?,
        }
    }
    Ok(())
}

/// The values of `N` rows. Type and number stand for the statement: rows of a type are only ever inserted, or only ever upserted.
struct Rows<'a, R, const N: usize> {
    verb: &'static str,
    values: Vec<Value<'a>>,
    text: &'static Text,
    row: PhantomData<R>,
}

impl<'a, R: Written, const N: usize> Rows<'a, R, N> {
    fn of(tx: &Tx<'_>, sources: &[&'a R::Source], text: &'static Text) -> Self {
        let mut values = Vec::with_capacity(N * R::COLUMNS.len());
        for source in sources {
            R::push_values(source, &mut values);
        }
        Self { verb: insert_verb(tx.is_postgres()), values, text, row: PhantomData }
    }

    fn write(self, tx: &mut Tx<'_>) -> StoreResult<()> {
        on!(tx, c => self.execute(c))?;
        Ok(())
    }
}

impl<R: Written, DB: Binds, const N: usize> QueryFragment<DB> for Rows<'_, R, N> {
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

impl<R: 'static, const N: usize> QueryId for Rows<'_, R, N> {
    type QueryId = Rows<'static, R, N>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<R, const N: usize> RunQueryDsl<SqliteConnection> for Rows<'_, R, N> {}
impl<R, const N: usize> RunQueryDsl<PgConnection> for Rows<'_, R, N> {}

/// Turns rows into domain values, stopping at the first unreadable one.
macro_rules! domain_rows {
    ($rows:expr) => {
        $rows.into_iter().map(|row| row.into_domain()).collect::<$crate::store::StoreResult<Vec<_>>>()
    };
}
pub(in crate::store) use domain_rows;
