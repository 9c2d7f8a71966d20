//! What must always hold in a database, each as a query that finds what breaks it.

use super::db::on;
use super::{Conn, StoreResult, audit};
use diesel::prelude::*;
use diesel::sql_types::Text;

/// A rule of the database's own consistency, and the rows that break it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    pub name: &'static str,
    pub means: &'static str,
    /// Ids of rows, at most [`SAMPLE_MAX`].
    pub ids: Vec<String>,
}

/// Rows named for each broken invariant.
const SAMPLE_MAX: usize = 10;

struct Invariant {
    name: &'static str,
    means: &'static str,
    /// Selects the offending ids as `id`, as text.
    sql: &'static str,
}

const INVARIANTS: &[Invariant] = &[
    Invariant {
        name: "accepted_event_has_a_job",
        means: "an accepted event is waiting, but no job will work on it",
        sql: "SELECT e.id AS id FROM event_log e WHERE e.status = 'accepted' AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.event_id = e.id)",
    },
    Invariant {
        name: "processed_event_has_no_job",
        means: "an event was worked on, but a job for it is still there",
        sql: "SELECT e.id AS id FROM event_log e JOIN jobs j ON j.event_id = e.id WHERE e.processed_at IS NOT NULL AND j.kind = 'run_event'",
    },
    Invariant {
        name: "run_has_an_event",
        means: "a run names an event that is not there",
        sql: "SELECT r.id AS id FROM automation_runs r WHERE NOT EXISTS (SELECT 1 FROM event_log e WHERE e.id = r.event_id)",
    },
    Invariant {
        name: "one_run_for_each_rule_and_event",
        means: "a rule ran twice on one event",
        sql: "SELECT MIN(r.id) AS id FROM automation_runs r GROUP BY r.event_id, r.rule_id HAVING COUNT(*) > 1",
    },
    Invariant {
        name: "waiting_run_has_a_run",
        means: "something waits for which no run began to",
        sql: "SELECT w.id AS id FROM waiting_runs w WHERE NOT EXISTS (SELECT 1 FROM automation_runs r WHERE r.id = w.run_id)",
    },
    Invariant {
        name: "due_wait_has_an_event",
        means: "a wait's time is up, but no event lets the run go on",
        sql: "SELECT w.id AS id FROM waiting_runs w WHERE w.state = 'due' AND NOT EXISTS (SELECT 1 FROM event_log e \
              WHERE e.contact_id = w.contact_id AND e.event_type = 'wait_due' AND e.status = 'accepted')",
    },
    Invariant {
        name: "task_names_its_run",
        means: "a task names a run that is not there",
        sql: "SELECT t.id AS id FROM tasks t WHERE t.run_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM automation_runs r WHERE r.id = t.run_id)",
    },
    Invariant {
        name: "text_names_its_run",
        means: "a text names a run that is not there",
        sql: "SELECT s.id AS id FROM sms_messages s WHERE s.run_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM automation_runs r WHERE r.id = s.run_id)",
    },
    Invariant {
        name: "unsent_text_has_a_job",
        means: "a text waits to be sent, but no job will send it",
        sql: "SELECT s.id AS id FROM sms_messages s WHERE s.direction = 'out' AND s.status IN ('scheduled', 'queued', 'sending') \
              AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = 'send_sms' AND j.payload LIKE '%' || s.id || '%')",
    },
    Invariant {
        name: "nothing_is_sent_after_stop",
        means: "a text was accepted by the provider although the number had said STOP before it was planned",
        sql: "SELECT s.id AS id FROM sms_messages s JOIN suppressions p ON p.phone = s.to_number \
              WHERE s.direction = 'out' AND s.accepted_at IS NOT NULL AND p.lifted_at IS NULL AND s.created_at > p.at",
    },
    Invariant {
        name: "one_reminder_for_each_appointment",
        means: "a reminder of an appointment went out twice",
        sql: "SELECT MIN(s.id) AS id FROM sms_messages s WHERE s.direction = 'out' AND s.booking_id IS NOT NULL AND s.template IS NOT NULL \
              AND s.appointment_datetime IS NOT NULL AND s.accepted_at IS NOT NULL AND s.run_id IN \
              (SELECT r.id FROM automation_runs r JOIN event_log e ON e.id = r.event_id WHERE e.event_type = 'timer_due') GROUP BY s.booking_id, s.template, s.appointment_datetime HAVING COUNT(*) > 1",
    },
    Invariant {
        name: "booking_has_a_contact",
        means: "a booking belongs to nobody",
        sql: "SELECT b.id AS id FROM bookings b WHERE NOT EXISTS (SELECT 1 FROM contacts c WHERE c.id = b.contact_id)",
    },
    Invariant {
        name: "identity_has_a_contact",
        means: "an identity points at nobody",
        sql: "SELECT i.contact_id AS id FROM contact_identities i WHERE NOT EXISTS (SELECT 1 FROM contacts c WHERE c.id = i.contact_id)",
    },
    Invariant {
        name: "phone_is_an_identity",
        means: "a contact's phone number is not among its identities",
        sql: "SELECT c.id AS id FROM contacts c WHERE c.phone IS NOT NULL AND NOT EXISTS \
              (SELECT 1 FROM contact_identities i WHERE i.kind = 'phone' AND i.value = c.phone AND i.contact_id = c.id)",
    },
    Invariant {
        name: "running_job_has_a_worker",
        means: "a job runs at a worker that is not there",
        sql: "SELECT CAST(j.id AS TEXT) AS id FROM jobs j WHERE j.state = 'running' AND NOT EXISTS (SELECT 1 FROM workers w WHERE w.id = j.worker_id)",
    },
    Invariant {
        name: "lane_moves_on",
        means: "jobs wait in a lane in which nothing runs",
        sql: "SELECT CAST(j.id AS TEXT) AS id FROM jobs j WHERE j.state = 'lane_blocked' AND NOT EXISTS \
              (SELECT 1 FROM jobs o WHERE o.lane_key = j.lane_key AND o.state IN ('ready', 'running'))",
    },
    Invariant {
        name: "stage_has_a_history",
        means: "a contact is in a stage that its last move does not lead to",
        sql: "SELECT c.id AS id FROM contacts c WHERE c.current_stage IS NOT NULL AND c.merged_into_id IS NULL AND NOT EXISTS \
              (SELECT 1 FROM pipeline_transitions t WHERE t.contact_id = c.id AND t.to_stage = c.current_stage AND t.pipeline = c.current_pipeline)",
    },
    Invariant {
        name: "ruleset_in_force_exists",
        means: "the ruleset in force is not there",
        sql: "SELECT v.value AS id FROM system_values v WHERE v.key = 'ruleset_in_force' AND NOT EXISTS \
              (SELECT 1 FROM rulesets r WHERE CAST(r.number AS TEXT) = v.value)",
    },
];

#[derive(QueryableByName)]
struct Offender {
    #[diesel(sql_type = Text)]
    id: String,
}

/// The number of invariants that [`check`] looks at.
pub const COUNT: usize = INVARIANTS.len() + 1;

/// Looks for rows that break an invariant. Reads only; takes time in proportion to the database.
pub fn check(conn: &mut Conn) -> StoreResult<Vec<Broken>> {
    let mut broken = Vec::new();
    for invariant in INVARIANTS {
        let sql = format!("{} LIMIT {SAMPLE_MAX}", invariant.sql);
        let rows: Vec<Offender> = on!(conn, c => diesel::sql_query(sql).load(c))?;
        if !rows.is_empty() {
            let ids = rows.into_iter().map(|r| r.id).collect();
            broken.push(Broken { name: invariant.name, means: invariant.means, ids });
        }
    }
    broken.extend(check_audit_log(conn)?);
    Ok(broken)
}

/// What no query can find: each row's hash follows from the row before.
fn check_audit_log(conn: &mut Conn) -> StoreResult<Option<Broken>> {
    let link = audit::verify(conn)?.broken;
    Ok(link.map(|link| Broken {
        name: "audit_log_is_whole",
        means: "the log of what people did was changed",
        ids: vec![format!("{} ({})", link.seq, link.reason)],
    }))
}
