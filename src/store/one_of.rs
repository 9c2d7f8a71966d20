//! `column IN (…)` whose statement is prepared once: Diesel's own `eq_any` prepares anew at every execution on SQLite, because
//! the number of marks differs. Here the list is filled up to one of a few lengths by repeating its last value.

use diesel::QueryResult;
use diesel::expression::{AppearsOnTable, Expression, SelectableExpression, ValidGrouping};
use diesel::pg::Pg;
use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sql_types::{Array, Bool, Text};
use diesel::sqlite::Sqlite;

/// Lengths of the lists; longer ones are as long as they are.
const LENGTH_CLASSES: [usize; 5] = [1, 4, 16, 64, 256];

/// Whether a text column holds one of the values. With no value it holds none of them.
pub(in crate::store) fn one_of<C, S: AsRef<str>>(column: C, values: &[S]) -> OneOf<C> {
    OneOf { column, values: values.iter().map(|v| v.as_ref().to_owned()).collect() }
}

#[derive(Clone)]
pub(in crate::store) struct OneOf<C> {
    column: C,
    values: Vec<String>,
}

impl<C: QueryFragment<Sqlite>> QueryFragment<Sqlite> for OneOf<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let Some(last) = self.values.last() else {
            out.push_sql("0 = 1");
            return Ok(());
        };
        let length = LENGTH_CLASSES.into_iter().find(|class| *class >= self.values.len()).unwrap_or(self.values.len());
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" IN (");
        for position in 0..length {
            if position > 0 {
                out.push_sql(", ");
            }
            out.push_bind_param::<Text, String>(self.values.get(position).unwrap_or(last))?;
        }
        out.push_sql(")");
        Ok(())
    }
}

impl<C: QueryFragment<Pg>> QueryFragment<Pg> for OneOf<C> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        self.column.walk_ast(out.reborrow())?;
        out.push_sql(" = ANY(");
        out.push_bind_param::<Array<Text>, Vec<String>>(&self.values)?;
        out.push_sql(")");
        Ok(())
    }
}

impl<C> QueryId for OneOf<C> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> Expression for OneOf<C> {
    type SqlType = Bool;
}

impl<C: SelectableExpression<T>, T> SelectableExpression<T> for OneOf<C> {}
impl<C: AppearsOnTable<T>, T> AppearsOnTable<T> for OneOf<C> {}
impl<C: ValidGrouping<G>, G> ValidGrouping<G> for OneOf<C> {
    type IsAggregate = C::IsAggregate;
}
