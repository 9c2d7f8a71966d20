//! What can go wrong in the store, told apart where somebody decides.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

pub type StoreResult<T> = Result<T, StoreError>;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A uniqueness rule of the database refused the row. `constraint` names it as far as the database says.
    #[error("already there: {constraint}")]
    Duplicate { constraint: String },
    /// What the change was based on is no longer so; load again and decide again.
    #[error("changed meanwhile: {what}")]
    Conflict { what: &'static str },
    /// The job belongs to another worker now: nothing was written.
    #[error("the job's lease is lost")]
    LeaseLost,
    #[error("not found: {what}")]
    NotFound { what: &'static str },
    /// The database cannot take the write now (locked, full, read-only, connection lost). Worth another try.
    #[error("the database is unavailable: {reason}")]
    Unavailable { reason: String },
    /// A stored value that this program cannot have written.
    #[error("unreadable value in {table}.{column}")]
    Corrupt { table: &'static str, column: &'static str },
    /// A schedule that nobody could follow.
    #[error("invalid schedule: {reason}")]
    InvalidSchedule { reason: String },
    /// The work itself panicked; nothing of it was written.
    #[error("the work on the database panicked")]
    Panicked,
    /// This database must not be used: too old, not durable, or made by a newer program.
    #[error("unfit database: {0}")]
    Unfit(String),
    #[error("the database refused the statement: {0}")]
    Statement(String),
}

impl StoreError {
    /// The same work may succeed later.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Conflict { .. })
    }
}

impl From<DieselError> for StoreError {
    fn from(error: DieselError) -> Self {
        match error {
            DieselError::DatabaseError(DatabaseErrorKind::UniqueViolation, info) => {
                Self::Duplicate { constraint: info.constraint_name().unwrap_or_else(|| info.message()).to_owned() }
            }
            DieselError::DatabaseError(DatabaseErrorKind::ClosedConnection, info) => {
                Self::Unavailable { reason: info.message().to_owned() }
            }
            DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => Self::Conflict { what: "transaction" },
            DieselError::NotFound => Self::NotFound { what: "row" },
            DieselError::BrokenTransactionManager => Self::Unavailable { reason: "connection broken".into() },
            DieselError::DatabaseError(_, info) if is_unavailable(info.message()) => {
                Self::Unavailable { reason: info.message().to_owned() }
            }
            other => Self::Statement(other.to_string()),
        }
    }
}

/// Messages of SQLite and PostgreSQL that mean: not now.
const UNAVAILABLE_MESSAGES: &[&str] = &[
    "database is locked",
    "database or disk is full",
    "attempt to write a readonly database",
    "disk I/O error",
    "unable to open database file",
    "server closed the connection",
    "terminating connection",
    "could not connect",
    "connection to server",
    "no connection to the server",
    "No space left on device",
    "could not extend file",
    "the database system is",
    "deadlock detected",
    "canceling statement due to",
    "too many clients",
    "remaining connection slots",
    "database table is locked",
    "no such savepoint",
    "cannot execute",
    "SSL SYSCALL error",
];

fn is_unavailable(message: &str) -> bool {
    UNAVAILABLE_MESSAGES.iter().any(|known| message.contains(known))
}
