//! What a clinic's database holds, as lines that a story can compare. Times are the clinic's wall clock: `Tue 11-24 09:00`.

use avatar::domain::time::Timestamp;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query};

/// A database, looked at through a connection of its own.
#[derive(Clone, Debug)]
pub struct Records {
    pub url: String,
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    at: Option<i64>,
}

#[derive(QueryableByName)]
struct Word {
    #[diesel(sql_type = Text)]
    value: String,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = Nullable<BigInt>)]
    value: Option<i64>,
}

macro_rules! load {
    ($self:expr, $sql:expr, $row:ty) => {{
        let rows: Vec<$row> = if $self.url.starts_with("postgres") {
            sql_query($sql).load(&mut PgConnection::establish(&$self.url).unwrap()).unwrap_or_else(|e| panic!("{e}: {}", $sql))
        } else {
            let mut connection = SqliteConnection::establish($self.url.strip_prefix("sqlite://").unwrap()).unwrap();
            sql_query("PRAGMA busy_timeout = 10000").execute(&mut connection).unwrap();
            sql_query($sql).load(&mut connection).unwrap_or_else(|e| panic!("{e}: {}", $sql))
        };
        rows
    }};
}

impl Records {
    /// `SELECT … AS value`, a text.
    pub fn words(&self, sql: &str) -> Vec<String> {
        load!(self, sql, Word).into_iter().map(|row| row.value).collect()
    }

    /// `SELECT … AS value`, one whole number; 0 for NULL.
    pub fn number(&self, sql: &str) -> i64 {
        load!(self, sql, Number).first().and_then(|row| row.value).unwrap_or(0)
    }

    /// `SELECT … AS value, … AS at`: the text, and the wall clock's time.
    pub fn lines(&self, sql: &str) -> Vec<String> {
        let rows = load!(self, sql, Line);
        rows.into_iter().map(|row| format!("{} {}", row.value.unwrap_or_default(), row.at.map_or("-".into(), wall))).collect()
    }

    /// Changes what no part of the program would change.
    pub fn execute(&self, sql: &str) {
        if self.url.starts_with("postgres") {
            sql_query(sql).execute(&mut PgConnection::establish(&self.url).unwrap()).unwrap();
        } else {
            let mut connection = SqliteConnection::establish(self.url.strip_prefix("sqlite://").unwrap()).unwrap();
            sql_query("PRAGMA busy_timeout = 10000").execute(&mut connection).unwrap();
            sql_query(sql).execute(&mut connection).unwrap();
        }
    }

    /// Many statements at once, for SQLite.
    pub fn script(&self, sql: &str) {
        use diesel::connection::SimpleConnection;
        let mut connection = SqliteConnection::establish(self.url.strip_prefix("sqlite://").unwrap()).unwrap();
        connection.batch_execute(sql).unwrap();
    }

    /// Every text to patients: `template status[: reason] when`. When: accepted, or else planned for.
    pub fn texts(&self) -> Vec<String> {
        self.lines(
            "SELECT template || ' ' || status || COALESCE(': ' || CASE WHEN status = 'accepted' OR status = 'delivered' THEN NULL ELSE status_reason END, '') AS value,
             COALESCE(accepted_at, scheduled_at) AS at FROM sms_messages WHERE direction = 'out' ORDER BY COALESCE(accepted_at, scheduled_at, created_at), created_at, template",
        )
    }

    /// Texts that have left, for one phone number.
    pub fn sent_to(&self, mobile: &str) -> i64 {
        self.number(&format!(
            "SELECT COUNT(*) AS value FROM sms_messages WHERE direction = 'out' AND to_number = '{mobile}' AND accepted_at IS NOT NULL"
        ))
    }

    /// What the step `alert` told: `type status due`.
    pub fn alerts(&self) -> Vec<String> {
        self.lines(
            "SELECT type || ' ' || status AS value, due_datetime AS at FROM tasks WHERE type = 'alert' ORDER BY created_at",
        )
    }

    /// Every task but alerts: `type status due`.
    pub fn tasks(&self) -> Vec<String> {
        self.lines("SELECT type || ' ' || status AS value, due_datetime AS at FROM tasks WHERE type <> 'alert' ORDER BY created_at, type")
    }

    /// `pipeline/stage` of the contact with this first name.
    pub fn stage(&self, first_name: &str) -> String {
        self.words(&format!(
            "SELECT COALESCE(current_pipeline || '/' || current_stage, 'none') AS value FROM contacts WHERE first_name = '{first_name}'"
        ))
        .join(" and ")
    }

    /// `status when` of a booking by Wix's id.
    pub fn booking(&self, wix_id: &str) -> String {
        self.lines(&format!("SELECT status AS value, appointment_datetime AS at FROM bookings WHERE wix_booking_id = '{wix_id}'"))
            .join(" and ")
    }

    /// Pending timers: `rule when`.
    pub fn timers(&self) -> Vec<String> {
        self.lines("SELECT rule_id AS value, due_at AS at FROM timers WHERE state = 'pending' ORDER BY due_at, rule_id")
    }

    pub fn count(&self, table: &str) -> i64 {
        self.number(&format!("SELECT COUNT(*) AS value FROM {table}"))
    }
}

/// `Tue 11-24 09:00` in Sydney.
fn wall(at: i64) -> String {
    Timestamp(at).local(chrono_tz::Australia::Sydney).format("%a %m-%d %H:%M").to_string()
}
