//! Every hot statement uses its index.

use super::TestStore;
use super::schema::by_hand;
use avatar::store::plans::{StatementPlan, hot_plans};

fn plans(t: &TestStore) -> Vec<StatementPlan> {
    t.store.write_now(hot_plans).unwrap()
}

#[test]
fn sqlite_uses_its_indexes() {
    insta::assert_yaml_snapshot!(plans(&TestStore::sqlite()), @r#"
    - - claim
      - - SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)
        - LIST SUBQUERY 1
        - SEARCH jobs USING COVERING INDEX jobs_ready (queue=? AND priority=? AND run_at<?)
    - - complete one
      - - SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)
    - - complete many
      - - SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)
        - LIST SUBQUERY 3
        - SCAN 16-ROW VALUES CLAUSE
        - LIST SUBQUERY 2
        - SCAN 16-ROW VALUES CLAUSE
        - CREATE BLOOM FILTER
    - - promote lanes
      - - SEARCH jobs USING INTEGER PRIMARY KEY (rowid=?)
        - LIST SUBQUERY 1
        - SEARCH jobs USING COVERING INDEX jobs_lane_wait (lane_key=?)
    - - rescue
      - - SCAN jobs USING INDEX jobs_running
        - CORRELATED SCALAR SUBQUERY 1
        - SEARCH workers USING INTEGER PRIMARY KEY (rowid=?)
    - - duplicate
      - - SEARCH event_log USING INDEX event_log_dedupe (source=? AND dedupe_key=?)
    - - schedules due
      - - SEARCH schedules USING INDEX schedules_next (next_at<?)
    - - timers due
      - - SEARCH timers USING INDEX timers_due (due_at<?)
    - - waits due
      - - SEARCH waiting_runs USING INDEX waiting_runs_due (due_at<?)
    - - waits of contacts
      - - SEARCH waiting_runs USING INDEX waiting_runs_alive (contact_id=?)
    - - overdue tasks
      - - SEARCH tasks USING INDEX tasks_open_due (due_datetime<?)
        - CORRELATED SCALAR SUBQUERY 1
        - SEARCH o USING PRIMARY KEY (task_id=? AND due_datetime=?)
    - - timers of contacts
      - - SEARCH timers USING INDEX sqlite_autoindex_timers_1 (contact_id=?)
    - - owners
      - - SEARCH contact_identities USING PRIMARY KEY (kind=? AND value=?)
    - - texts of bookings
      - - SEARCH sms_messages USING INDEX sms_messages_booking (booking_id=?)
    - - unsent texts
      - - SEARCH sms_messages USING INDEX sms_messages_contact (contact_id=?)
    - - bookings by provider
      - - SEARCH bookings USING INDEX sqlite_autoindex_bookings_2 (wix_booking_id=?)
    - - recent texts
      - - SEARCH sms_messages USING INDEX sms_messages_contact (contact_id=? AND created_at>?)
    - - texts to a number
      - - SEARCH sms_messages USING INDEX sms_messages_to (to_number=? AND created_at>?)
        - USE TEMP B-TREE FOR ORDER BY
    - - texts that STOP withdraws
      - - SEARCH sms_messages USING INDEX sms_messages_to (to_number=?)
    - - texts without a receipt
      - - SEARCH m USING INDEX sms_messages_accepted (accepted_at>? AND accepted_at<?)
        - SEARCH h USING INDEX sqlite_autoindex_sms_handovers_1 (sms_id=?)
    - - runs of a rule
      - - SEARCH automation_runs USING COVERING INDEX automation_runs_rule (rule_id=? AND at>?)
    - - people by a word
      - - CO-ROUTINE t
        - SEARCH contact_terms USING PRIMARY KEY (term>? AND term<?)
        - SCAN t
        - USE TEMP B-TREE FOR DISTINCT
    - - people by a number and a word
      - - CO-ROUTINE t
        - COMPOUND QUERY
        - LEFT-MOST SUBQUERY
        - SEARCH contact_terms USING PRIMARY KEY (term>? AND term<?)
        - UNION ALL
        - SEARCH contact_terms USING PRIMARY KEY (term>? AND term<?)
        - SCAN t
        - SEARCH s USING PRIMARY KEY (contact_id=?)
        - USE TEMP B-TREE FOR DISTINCT
    - - people by two common words
      - - CO-ROUTINE t
        - SEARCH contact_terms USING PRIMARY KEY (term>? AND term<?)
        - SCAN t
        - LIST SUBQUERY 2
        - SEARCH contact_terms USING PRIMARY KEY (term>? AND term<?)
        - CREATE BLOOM FILTER
        - USE TEMP B-TREE FOR DISTINCT
    - - warmest of a stage
      - - SEARCH contacts USING COVERING INDEX contacts_stage (current_pipeline=? AND current_stage=? AND warmness<?)
    - - skips of a contact
      - - SEARCH automation_skips USING INDEX automation_skips_contact (contact_id=?)
    "#);
}

/// Which index each statement touches; the rest of a plan is PostgreSQL's business.
#[test]
fn postgres_uses_its_indexes() {
    let Some(t) = TestStore::postgres() else { return };
    by_hand(&t, BACKLOG);
    let indexes = |steps: Vec<String>| {
        let mut names: Vec<String> = steps
            .iter()
            .filter(|step| step.contains("Scan"))
            .filter_map(|step| {
                step.split(" using ").nth(1).or_else(|| step.contains("Seq Scan").then_some("SEQUENTIAL")).map(str::to_owned)
            })
            .collect();
        names.sort();
        names.dedup();
        names.join(", ")
    };
    let used: Vec<String> =
        plans(&t).into_iter().take(WITH_BACKLOG).map(|(name, steps)| format!("{name}: {}", indexes(steps))).collect();
    insta::assert_yaml_snapshot!(used, @r#"
    - "claim: jobs_pkey on jobs, jobs_ready on jobs jobs_1"
    - "complete one: jobs_pkey on jobs"
    - "complete many: jobs_running on jobs"
    - "promote lanes: jobs_lane_wait on jobs jobs_1, jobs_pkey on jobs"
    - "rescue: jobs_running on jobs, workers_alive on workers"
    - "duplicate: event_log_dedupe on event_log"
    - "schedules due: schedules_next on schedules"
    - "timers due: timers_due on timers"
    "#);
}

/// The statements whose tables the backlog fills.
const WITH_BACKLOG: usize = 8;

/// Small tables say nothing: 20,000 jobs, of which 50 run, and as many events.
const BACKLOG: &str = "
    INSERT INTO workers (node, pid, started_at, heartbeat_at, expires_at) SELECT 'n', 1, 0, 0, 0 FROM generate_series(1, 200);
    INSERT INTO jobs (queue, kind, state, priority, run_at, attempt, max_attempts, rescues, lease_token, worker_id, deadline_at,
        timeout_ms, lane_key, payload, created_at, updated_at)
    SELECT 'q', 'k', CASE WHEN n <= 50 THEN 'running' WHEN n <= 15000 THEN 'ready' ELSE 'lane_blocked' END, n % 4, n, 1, 3, 0, 1,
        CASE WHEN n <= 50 THEN n END, n, 1000, 'lane' || n, '{}', 0, 0 FROM generate_series(1, 20000) AS n;
    INSERT INTO event_log (id, event_type, source, dedupe_key, timestamp, actor, signature_state, payload, depth, status, duplicates)
    SELECT n::text, 't', 'wix', n::text, 0, 'system', 'valid', '{}', 0, 'accepted', 0 FROM generate_series(1, 20000) AS n;
    ANALYZE;
";
