//! Looking at jobs.

use crate::domain::time::Timestamp;
use crate::store::db::Conn;
use crate::store::error::StoreResult;
use crate::store::sql::{Number, Value, sql};
use crate::store::views::containing;
use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};

/// More jobs than this are not listed at once.
pub const JOBS_PER_PAGE_MAX: usize = 200;

/// Which jobs; every given field must match.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    pub id: Option<i64>,
    pub queue: Option<String>,
    pub kind: Option<String>,
    /// `ready`, `lane_blocked`, `running` or `dead`.
    pub state: Option<String>,
    pub event_id: Option<String>,
    /// Part of the last error.
    pub error: Option<String>,
}

impl JobFilter {
    /// True when every job matches.
    pub fn is_empty(&self) -> bool {
        self.conditions().0.is_empty()
    }

    /// ` AND …` for each given field, and the values.
    pub(super) fn conditions(&self) -> (String, Vec<Value<'_>>) {
        let mut text = String::new();
        let mut values = Vec::new();
        let id = self.id.map(Value::Big);
        let texts = [("queue", &self.queue), ("kind", &self.kind), ("state", &self.state), ("event_id", &self.event_id)];
        let given = texts.into_iter().filter_map(|(name, v)| v.as_deref().map(|v| (name, Value::from(v))));
        for (name, value) in id.map(|id| ("id", id)).into_iter().chain(given) {
            text.push_str(" AND ");
            text.push_str(name);
            text.push_str(" = ?");
            values.push(value);
        }
        if let Some(error) = &self.error {
            text.push_str(" AND last_error LIKE ? ESCAPE '\\'");
            values.push(Value::from(containing(error)));
        }
        (text, values)
    }
}

/// A live job as it stands.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Job {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub queue: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Integer)]
    pub priority: i32,
    /// Epoch milliseconds, as all times here.
    #[diesel(sql_type = BigInt)]
    pub run_at: i64,
    #[diesel(sql_type = Integer)]
    pub attempt: i32,
    #[diesel(sql_type = Integer)]
    pub max_attempts: i32,
    #[diesel(sql_type = Integer)]
    pub rescues: i32,
    #[diesel(sql_type = BigInt)]
    pub lease_token: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub worker_id: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    pub lane_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub unique_key: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub event_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub created_at: i64,
    #[diesel(sql_type = BigInt)]
    pub updated_at: i64,
}

const COLUMNS: &str = "id, queue, kind, state, priority, run_at, attempt, max_attempts, rescues, lease_token, worker_id, \
     lane_key, unique_key, event_id, last_error, created_at, updated_at";

/// Live jobs, newest first; `before` is the id of the last one already seen.
pub fn list(conn: &mut Conn, filter: &JobFilter, before: Option<i64>, limit: usize) -> StoreResult<Vec<Job>> {
    let (conditions, values) = filter.conditions();
    let text = format!("SELECT {COLUMNS} FROM jobs WHERE id < ?{conditions} ORDER BY id DESC LIMIT ?");
    let limit = limit.min(JOBS_PER_PAGE_MAX) as i64;
    sql(text).bind(before.unwrap_or(i64::MAX)).bind_all(values).bind(limit).load(conn)
}

/// How many jobs match that failed for good.
pub fn count_dead(conn: &mut Conn, filter: &JobFilter) -> StoreResult<usize> {
    let (conditions, values) = filter.conditions();
    let text = format!("SELECT COUNT(*) AS n FROM jobs WHERE state = 'dead'{conditions}");
    let found = sql(text).bind_all(values).first::<Number>(conn)?;
    Ok(found.map_or(0, |count| usize::try_from(count.n).unwrap_or(0)))
}

/// Jobs that failed for good since then, oldest failure first.
pub fn list_parked_since(conn: &mut Conn, since: Timestamp, limit: usize) -> StoreResult<Vec<Job>> {
    let text = format!("SELECT {COLUMNS} FROM jobs WHERE state = 'dead' AND updated_at >= ? ORDER BY updated_at LIMIT ?");
    sql(text).bind(since).bind(limit.min(JOBS_PER_PAGE_MAX) as i64).load(conn)
}

/// One attempt that was recorded.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct JobAttempt {
    #[diesel(sql_type = BigInt)]
    pub lease_token: i64,
    #[diesel(sql_type = BigInt)]
    pub started_at: i64,
    #[diesel(sql_type = BigInt)]
    pub finished_at: i64,
    #[diesel(sql_type = BigInt)]
    pub worker_id: i64,
    #[diesel(sql_type = Text)]
    pub outcome: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub error: Option<String>,
}

/// A job that is finished.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct FinishedJob {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub queue: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// `done`, `cancelled` or `discarded`.
    #[diesel(sql_type = Text)]
    pub outcome: String,
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    #[diesel(sql_type = Integer)]
    pub rescues: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub event_id: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub created_at: i64,
    #[diesel(sql_type = BigInt)]
    pub finished_at: i64,
}

/// Everything known of one job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobDetail {
    /// While it is alive.
    pub job: Option<Job>,
    pub finished: Option<FinishedJob>,
    /// Oldest first: those that did not simply succeed.
    pub attempts: Vec<JobAttempt>,
}

/// `None` for an id that never was, or whose history is pruned.
pub fn show(conn: &mut Conn, id: i64) -> StoreResult<Option<JobDetail>> {
    let job: Option<Job> = sql(format!("SELECT {COLUMNS} FROM jobs WHERE id = ?")).bind(id).first(conn)?;
    let text =
        "SELECT id, queue, kind, outcome, attempts, rescues, event_id, created_at, finished_at FROM job_history WHERE id = ?";
    let finished: Option<FinishedJob> = sql(text).bind(id).first(conn)?;
    if job.is_none() && finished.is_none() {
        return Ok(None);
    }
    let text = "SELECT lease_token, started_at, finished_at, worker_id, outcome, error FROM job_attempts WHERE job_id = ? ORDER BY lease_token";
    let attempts = sql(text).bind(id).load(conn)?;
    Ok(Some(JobDetail { job, finished, attempts }))
}
