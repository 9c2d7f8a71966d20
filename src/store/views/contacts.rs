//! People: the last changed first.

use super::{Cursor, Page, PageRequest, containing, lower};
use crate::store::db::{Conn, on};
use crate::store::error::StoreResult;
use crate::store::schema::contacts;
use diesel::prelude::*;

/// Which contacts; all conditions hold together.
#[derive(Clone, Debug, Default)]
pub struct ContactFilter {
    /// Part of a name, an email address or a phone number.
    pub text: Option<String>,
    pub pipeline: Option<String>,
    pub stage: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = contacts)]
pub struct ContactView {
    pub id: String,
    pub name: String,
    pub first_name: String,
    pub last_name: String,
    pub phone: Option<String>,
    pub phone_status: String,
    pub email: Option<String>,
    pub is_existing_patient: bool,
    pub marketing_consent: String,
    pub recall_consent: String,
    pub sms_consent: String,
    pub current_pipeline: Option<String>,
    pub current_stage: Option<String>,
    pub stage_entered_at: Option<i64>,
    pub warmness: i32,
    pub opted_out_at: Option<i64>,
    pub source: String,
    pub interest: Option<String>,
    pub assigned_to: Option<String>,
    pub last_inbound_at: Option<i64>,
    pub last_outbound_at: Option<i64>,
    pub no_shows: i32,
    pub merged_into_id: Option<String>,
    pub version: i64,
    pub created_at: i64,
    pub updated_at: i64,
}

/// The digits by which a phone number is found, however it is written: without the trunk 0 or the country code 61.
fn phone_digits(text: &str) -> Option<String> {
    let is_phone = text.chars().all(|c| c.is_ascii_digit() || matches!(c, ' ' | '+' | '-' | '(' | ')'));
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    (is_phone && digits.len() >= PHONE_DIGITS_MIN)
        .then(|| digits.strip_prefix("61").or_else(|| digits.strip_prefix('0')).unwrap_or(&digits).to_owned())
}

/// Fewer digits say nothing.
const PHONE_DIGITS_MIN: usize = 3;

macro_rules! matching {
    ($query:expr, $filter:expr) => {{
        let (mut query, filter) = ($query.filter(contacts::merged_into_id.is_null()), $filter);
        if let Some(text) = &filter.text {
            // SQLite's lower() knows ASCII only: a name with other letters is found as it is written.
            let (as_written, pattern) = (containing(text), containing(&text.to_lowercase()));
            let by_text = contacts::name
                .nullable()
                .like(as_written)
                .escape('\\')
                .or(lower(contacts::name.nullable()).like(pattern.clone()).escape('\\'))
                .or(lower(contacts::email).like(pattern).escape('\\'));
            query = match phone_digits(text) {
                Some(digits) => query.filter(by_text.or(contacts::phone.like(containing(&digits)))),
                None => query.filter(by_text),
            };
        }
        if let Some(pipeline) = &filter.pipeline {
            query = query.filter(contacts::current_pipeline.eq(pipeline));
        }
        if let Some(stage) = &filter.stage {
            query = query.filter(contacts::current_stage.eq(stage));
        }
        query
    }};
}

/// Contacts that were merged into another are left out.
pub fn list(conn: &mut Conn, filter: &ContactFilter, page: &PageRequest<1>) -> StoreResult<Page<ContactView, 1>> {
    let (rows, total) = on!(conn, c => {
        let total = matching!(contacts::table.count().into_boxed(), filter).get_result::<i64>(c)?;
        let mut query = matching!(contacts::table.select(ContactView::as_select()).into_boxed(), filter);
        if let Some(Cursor { keys: [updated], id }) = &page.after {
            query = query.filter(
                contacts::updated_at.lt(*updated).or(contacts::updated_at.eq(*updated).and(contacts::id.lt(id))),
            );
        }
        let order = (contacts::updated_at.desc(), contacts::id.desc());
        (query.order(order).limit(page.rows_wanted()).load::<ContactView>(c)?, total)
    });
    Ok(page.page_of(rows, total, |p| Cursor { keys: [p.updated_at], id: p.id.clone() }))
}

pub fn find(conn: &mut Conn, id: &str) -> StoreResult<Option<ContactView>> {
    Ok(on!(conn, c => contacts::table.find(id).select(ContactView::as_select()).first(c).optional())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_found_however_it_is_written() {
        for text in ["0412 345", "+61 412-345", "(0412) 345", "412345"] {
            assert_eq!(phone_digits(text).as_deref(), Some("412345"), "{text}");
        }
        assert_eq!(phone_digits("12"), None);
        assert_eq!(phone_digits("Ann 0412 345"), None);
    }
}
