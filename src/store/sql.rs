//! One statement text for both databases: `?` marks a value, each engine gets its own placeholders, and the prepared
//! statement is kept by its text (Diesel's own `sql_query` prepares anew at every execution).

use super::db::{Conn, on};
use super::error::StoreResult;
use crate::domain::time::{Millis, Timestamp};
use diesel::backend::Backend;
use diesel::expression::expression_types::Untyped;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::serialize::ToSql;
use diesel::sql_types::{BigInt, Bool, HasSqlType, Integer, Nullable, Text};
use diesel::{PgConnection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection};
use std::borrow::Cow;

/// A statement with its values, in the order of the `?` in its text. A literal question mark cannot be written.
pub(in crate::store) struct Sql<'a> {
    text: Cow<'static, str>,
    values: Vec<Value<'a>>,
}

/// A value that both databases hold exactly. Texts are borrowed where they can be: there are hundreds for one event.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::store) enum Value<'a> {
    Bool(bool),
    Int(i32),
    MaybeInt(Option<i32>),
    Big(i64),
    MaybeBig(Option<i64>),
    Text(Cow<'a, str>),
    MaybeText(Option<Cow<'a, str>>),
}

/// Begins a statement.
pub(in crate::store) fn sql<'a>(text: impl Into<Cow<'static, str>>) -> Sql<'a> {
    Sql { text: text.into(), values: Vec::new() }
}

impl<'a> Sql<'a> {
    pub(in crate::store) fn bind(mut self, value: impl Into<Value<'a>>) -> Self {
        self.values.push(value.into());
        self
    }

    pub(in crate::store) fn bind_all(mut self, values: impl IntoIterator<Item = Value<'a>>) -> Self {
        self.values.extend(values);
        self
    }

    /// How many rows it changed.
    pub(in crate::store) fn execute(self, conn: &mut Conn) -> StoreResult<usize> {
        Ok(on!(conn, c => RunQueryDsl::execute(self, c))?)
    }

    pub(in crate::store) fn load<R>(self, conn: &mut Conn) -> StoreResult<Vec<R>>
    where
        R: QueryableByName<diesel::sqlite::Sqlite> + QueryableByName<diesel::pg::Pg> + 'static,
    {
        Ok(on!(conn, c => RunQueryDsl::load(self, c))?)
    }

    pub(in crate::store) fn first<R>(self, conn: &mut Conn) -> StoreResult<Option<R>>
    where
        R: QueryableByName<diesel::sqlite::Sqlite> + QueryableByName<diesel::pg::Pg> + 'static,
    {
        Ok(self.load(conn)?.into_iter().next())
    }
}

/// `(?, ?), (?, ?)`: `rows` times a row of `columns` marks.
pub(in crate::store) fn marks(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

/// Numbers of rows in one statement, largest first: few texts, so that few statements are prepared.
const ROW_CLASSES: [usize; 4] = [64, 16, 4, 1];

/// Cuts `rows` into pieces whose lengths are all row classes.
pub(in crate::store) fn in_classes<T>(mut rows: &[T]) -> Vec<&[T]> {
    let mut pieces = Vec::new();
    for class in ROW_CLASSES {
        while rows.len() >= class {
            let (piece, rest) = rows.split_at(class);
            pieces.push(piece);
            rows = rest;
        }
    }
    pieces
}

/// A single number, such as a count or an id. The column is called `n`.
#[derive(QueryableByName)]
pub(in crate::store) struct Number {
    #[diesel(sql_type = BigInt)]
    pub n: i64,
}

impl<DB: Binds> QueryFragment<DB> for Sql<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        let mut values = self.values.iter();
        let mut begin = 0;
        for mark in memchr::memchr_iter(b'?', self.text.as_bytes()) {
            out.push_sql(&self.text[begin..mark]);
            values.next().ok_or_else(|| mismatch(&self.text))?.bind(&mut out)?;
            begin = mark + 1;
        }
        out.push_sql(&self.text[begin..]);
        if values.next().is_some() { Err(mismatch(&self.text)) } else { Ok(()) }
    }
}

impl Value<'_> {
    /// Puts a mark for this value, and the value to it.
    pub(in crate::store) fn bind<'b, DB: Binds>(&'b self, out: &mut AstPass<'_, 'b, DB>) -> QueryResult<()> {
        DB::bind(self, out)
    }
}

/// A database that takes every [`Value`].
pub(in crate::store) trait Binds: Backend {
    fn bind<'b>(value: &'b Value<'_>, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()>;
}

impl<DB> Binds for DB
where
    DB: Backend + HasSqlType<BigInt> + HasSqlType<Bool> + HasSqlType<Integer> + HasSqlType<Text>,
    bool: ToSql<Bool, DB>,
    i32: ToSql<Integer, DB>,
    Option<i32>: ToSql<Nullable<Integer>, DB>,
    i64: ToSql<BigInt, DB>,
    Option<i64>: ToSql<Nullable<BigInt>, DB>,
    str: ToSql<Text, DB>,
    Option<String>: ToSql<Nullable<Text>, DB>,
{
    fn bind<'b>(value: &'b Value, out: &mut AstPass<'_, 'b, Self>) -> QueryResult<()> {
        match value {
            Value::Bool(v) => out.push_bind_param::<Bool, _>(v),
            Value::Int(v) => out.push_bind_param::<Integer, _>(v),
            Value::MaybeInt(v) => out.push_bind_param::<Nullable<Integer>, _>(v),
            Value::Big(v) => out.push_bind_param::<BigInt, _>(v),
            Value::MaybeBig(v) => out.push_bind_param::<Nullable<BigInt>, _>(v),
            Value::Text(v) | Value::MaybeText(Some(v)) => out.push_bind_param::<Text, str>(v.as_ref()),
            Value::MaybeText(None) => out.push_bind_param::<Nullable<Text>, Option<String>>(&None),
        }
    }
}

fn mismatch(text: &str) -> diesel::result::Error {
    diesel::result::Error::QueryBuilderError(format!("marks and values differ in number: {text}").into())
}

impl QueryId for Sql<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Sql<'_> {
    type SqlType = Untyped;
}

impl RunQueryDsl<SqliteConnection> for Sql<'_> {}
impl RunQueryDsl<PgConnection> for Sql<'_> {}

impl From<bool> for Value<'_> {
    fn from(v: bool) -> Self {
        Self::Bool(v)
    }
}
impl From<Option<i32>> for Value<'_> {
    fn from(v: Option<i32>) -> Self {
        Self::MaybeInt(v)
    }
}
impl From<i32> for Value<'_> {
    fn from(v: i32) -> Self {
        Self::Int(v)
    }
}
impl From<i64> for Value<'_> {
    fn from(v: i64) -> Self {
        Self::Big(v)
    }
}
impl From<Option<i64>> for Value<'_> {
    fn from(v: Option<i64>) -> Self {
        Self::MaybeBig(v)
    }
}
impl From<Timestamp> for Value<'_> {
    fn from(v: Timestamp) -> Self {
        Self::Big(v.0)
    }
}
impl From<Option<Timestamp>> for Value<'_> {
    fn from(v: Option<Timestamp>) -> Self {
        Self::MaybeBig(v.map(|t| t.0))
    }
}
impl From<Millis> for Value<'_> {
    fn from(v: Millis) -> Self {
        Self::Big(v.0)
    }
}
impl<'a> From<&'a str> for Value<'a> {
    fn from(v: &'a str) -> Self {
        Self::Text(Cow::Borrowed(v))
    }
}
impl From<String> for Value<'_> {
    fn from(v: String) -> Self {
        Self::Text(Cow::Owned(v))
    }
}
impl From<Option<String>> for Value<'_> {
    fn from(v: Option<String>) -> Self {
        Self::MaybeText(v.map(Cow::Owned))
    }
}
impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(v: Option<&'a str>) -> Self {
        Self::MaybeText(v.map(Cow::Borrowed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_cut_into_few_sizes() {
        let rows: Vec<usize> = (0..87).collect();
        let sizes: Vec<usize> = in_classes(&rows).iter().map(|p| p.len()).collect();
        assert_eq!(sizes, [64, 16, 4, 1, 1, 1]);
        assert_eq!(in_classes(&rows).concat(), rows);
        assert_eq!(marks(2, 3), "(?, ?, ?), (?, ?, ?)");
    }
}
