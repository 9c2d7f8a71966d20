//! The tables, as Diesel knows them. Types are only what both databases hold exactly.

use diesel::table;

pub use super::schema_gateways::{sms_handovers, sms_holds};
pub use super::schema_guard::{automation_skips, field_changes, rule_history, rule_overrides};
pub use super::schema_search::{contact_merges, contact_search, contact_terms, inbox_drafts, inbox_states};
pub use super::schema_staff::{api_keys, audit_log, staff_proofs, staff_sessions, staff_users};
pub use super::schema_work::consents;

table! {
    contacts (id) {
        id -> Text,
        name -> Text,
        first_name -> Text,
        last_name -> Text,
        phone -> Nullable<Text>,
        phone_raw -> Nullable<Text>,
        phone_status -> Text,
        email -> Nullable<Text>,
        is_existing_patient -> Bool,
        guardian_contact_id -> Nullable<Text>,
        marketing_consent -> Text,
        sms_consent -> Text,
        recall_consent -> Text,
        opted_out_at -> Nullable<BigInt>,
        source -> Text,
        first_source -> Nullable<Text>,
        interest -> Nullable<Text>,
        current_pipeline -> Nullable<Text>,
        current_stage -> Nullable<Text>,
        stage_entered_at -> Nullable<BigInt>,
        warmness -> Integer,
        warmness_at -> Nullable<BigInt>,
        assigned_to -> Nullable<Text>,
        last_inbound_at -> Nullable<BigInt>,
        last_outbound_at -> Nullable<BigInt>,
        last_visit_at -> Nullable<BigInt>,
        recall_due_on -> Nullable<BigInt>,
        no_shows -> Integer,
        tags -> Text,
        merged_into_id -> Nullable<Text>,
        is_demo -> Bool,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    contact_identities (kind, value) {
        kind -> Text,
        value -> Text,
        contact_id -> Text,
        created_at -> BigInt,
    }
}

table! {
    bookings (id) {
        id -> Text,
        contact_id -> Text,
        wix_booking_id -> Nullable<Text>,
        source -> Text,
        service_id -> Nullable<Text>,
        service_name -> Nullable<Text>,
        location -> Nullable<Text>,
        resource_name -> Nullable<Text>,
        appointment_datetime -> BigInt,
        end_datetime -> Nullable<BigInt>,
        timezone -> Text,
        status -> Text,
        urgency_level -> Text,
        referral_status -> Text,
        payment_status -> Nullable<Text>,
        patient_confirmed_at -> Nullable<BigInt>,
        confirmed_via -> Nullable<Text>,
        reschedule_count -> Integer,
        cancelled_at -> Nullable<BigInt>,
        no_show_at -> Nullable<BigInt>,
        checked_in_at -> Nullable<BigInt>,
        completed_at -> Nullable<BigInt>,
        provider_sequence -> BigInt,
        provider_revision -> BigInt,
        said_status -> Nullable<Text>,
        said_datetime -> Nullable<BigInt>,
        is_demo -> Bool,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    tasks (id) {
        id -> Text,
        #[sql_name = "type"]
        task_type -> Text,
        title -> Text,
        contact_id -> Nullable<Text>,
        booking_id -> Nullable<Text>,
        status -> Text,
        due_datetime -> BigInt,
        priority_score -> Integer,
        assigned_to -> Nullable<Text>,
        because -> Text,
        run_id -> Nullable<Text>,
        dedupe_key -> Nullable<Text>,
        note -> Nullable<Text>,
        completed_at -> Nullable<BigInt>,
        outcome -> Nullable<Text>,
        completed_by -> Nullable<Text>,
        is_demo -> Bool,
        version -> BigInt,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    touchpoints (id) {
        id -> Text,
        contact_id -> Text,
        timestamp -> BigInt,
        kind -> Text,
        channel -> Nullable<Text>,
        direction -> Text,
        source -> Nullable<Text>,
        medium -> Nullable<Text>,
        campaign -> Nullable<Text>,
        event_id -> Nullable<Text>,
    }
}

table! {
    notes (id) {
        id -> Text,
        contact_id -> Nullable<Text>,
        booking_id -> Nullable<Text>,
        body -> Text,
        author -> Text,
        run_id -> Nullable<Text>,
        created_at -> BigInt,
    }
}

table! {
    pipeline_transitions (id) {
        id -> Text,
        contact_id -> Text,
        booking_id -> Nullable<Text>,
        pipeline -> Text,
        from_pipeline -> Nullable<Text>,
        from_stage -> Nullable<Text>,
        to_stage -> Text,
        at -> BigInt,
        by -> Text,
        run_id -> Nullable<Text>,
        duration_ms -> Nullable<BigInt>,
    }
}

table! {
    event_log (id) {
        id -> Text,
        event_type -> Text,
        source -> Text,
        dedupe_key -> Text,
        timestamp -> BigInt,
        occurred_at -> Nullable<BigInt>,
        actor -> Text,
        signature_state -> Text,
        payload -> Text,
        lane_key -> Nullable<Text>,
        contact_id -> Nullable<Text>,
        booking_id -> Nullable<Text>,
        causation_id -> Nullable<Text>,
        depth -> Integer,
        status -> Text,
        status_reason -> Nullable<Text>,
        duplicates -> Integer,
        revision -> Nullable<BigInt>,
        processed_at -> Nullable<BigInt>,
    }
}

table! {
    event_payloads (event_id) {
        event_id -> Text,
        raw_payload -> Text,
        raw_sha256 -> Text,
    }
}

table! {
    sms_messages (id) {
        id -> Text,
        direction -> Text,
        contact_id -> Nullable<Text>,
        booking_id -> Nullable<Text>,
        template -> Nullable<Text>,
        category -> Text,
        to_number -> Text,
        from_number -> Nullable<Text>,
        body -> Text,
        encoding -> Text,
        parts -> Integer,
        scheduled_at -> Nullable<BigInt>,
        not_after -> Nullable<BigInt>,
        status -> Text,
        status_reason -> Nullable<Text>,
        provider -> Nullable<Text>,
        provider_message_id -> Nullable<Text>,
        attempts -> Integer,
        in_reply_to -> Nullable<Text>,
        dedupe_key -> Nullable<Text>,
        run_id -> Nullable<Text>,
        revision -> Nullable<BigInt>,
        appointment_datetime -> Nullable<BigInt>,
        immediate -> Bool,
        is_demo -> Bool,
        sent_by -> Nullable<Text>,
        accepted_at -> Nullable<BigInt>,
        delivered_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    sms_status_events (id) {
        id -> Text,
        sms_id -> Text,
        status -> Text,
        code -> Nullable<Text>,
        detail -> Nullable<Text>,
        at -> BigInt,
        event_id -> Nullable<Text>,
    }
}

table! {
    suppressions (phone) {
        phone -> Text,
        reason -> Text,
        event_id -> Nullable<Text>,
        at -> BigInt,
        lifted_at -> Nullable<BigInt>,
    }
}

table! {
    workers (id) {
        id -> BigInt,
        node -> Text,
        pid -> BigInt,
        started_at -> BigInt,
        heartbeat_at -> BigInt,
        expires_at -> BigInt,
        dead_at -> Nullable<BigInt>,
    }
}

table! {
    jobs (id) {
        id -> BigInt,
        queue -> Text,
        kind -> Text,
        state -> Text,
        priority -> Integer,
        run_at -> BigInt,
        attempt -> Integer,
        max_attempts -> Integer,
        rescues -> Integer,
        lease_token -> BigInt,
        worker_id -> Nullable<BigInt>,
        deadline_at -> Nullable<BigInt>,
        timeout_ms -> BigInt,
        cancel_at -> Nullable<BigInt>,
        lane_key -> Nullable<Text>,
        unique_key -> Nullable<Text>,
        event_id -> Nullable<Text>,
        parent_id -> Nullable<BigInt>,
        payload -> Text,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    job_history (id) {
        id -> BigInt,
        queue -> Text,
        kind -> Text,
        outcome -> Text,
        attempts -> Integer,
        rescues -> Integer,
        event_id -> Nullable<Text>,
        created_at -> BigInt,
        finished_at -> BigInt,
    }
}

table! {
    job_attempts (job_id, lease_token) {
        job_id -> BigInt,
        lease_token -> BigInt,
        started_at -> BigInt,
        finished_at -> BigInt,
        worker_id -> BigInt,
        outcome -> Text,
        error -> Nullable<Text>,
    }
}

table! {
    queues (name) {
        name -> Text,
        paused_at -> Nullable<BigInt>,
    }
}

table! {
    schedules (name) {
        name -> Text,
        expr -> Text,
        tz -> Text,
        misfire -> Text,
        queue -> Text,
        kind -> Text,
        payload -> Text,
        next_at -> BigInt,
        last_at -> Nullable<BigInt>,
        paused_at -> Nullable<BigInt>,
        version -> BigInt,
    }
}

table! {
    schedule_fires (name, slot) {
        name -> Text,
        slot -> BigInt,
        job_id -> Nullable<BigInt>,
        fired_at -> BigInt,
    }
}

table! {
    duties (name) {
        name -> Text,
        next_at -> BigInt,
    }
}

table! {
    rate_buckets (name) {
        name -> Text,
        tokens_milli -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    rulesets (number) {
        number -> BigInt,
        hash -> Text,
        files -> Text,
        published_by -> Text,
        note -> Nullable<Text>,
        published_at -> BigInt,
    }
}

table! {
    system_values (key) {
        key -> Text,
        value -> Text,
        updated_at -> BigInt,
    }
}

table! {
    waiting_runs (id) {
        id -> Text,
        run_id -> Text,
        first_run_id -> Text,
        rule_id -> Text,
        revision -> BigInt,
        contact_id -> Text,
        booking_id -> Nullable<Text>,
        event_id -> Text,
        position -> Text,
        memory -> Text,
        due_at -> BigInt,
        event_name -> Nullable<Text>,
        state -> Text,
        reason -> Nullable<Text>,
        resumed_by -> Nullable<Text>,
        created_at -> BigInt,
        updated_at -> BigInt,
    }
}

table! {
    automation_runs (id) {
        id -> Text,
        event_id -> Text,
        rule_id -> Text,
        revision -> BigInt,
        outcome -> Text,
        contact_id -> Nullable<Text>,
        booking_id -> Nullable<Text>,
        at -> BigInt,
        trace -> Text,
        resumes -> Nullable<Text>,
    }
}

table! {
    timers (contact_id, subject_id, rule_id, trigger_index, occurrence) {
        rule_id -> Text,
        trigger_index -> Integer,
        subject_id -> Text,
        occurrence -> Text,
        subject_kind -> Text,
        contact_id -> Text,
        due_at -> BigInt,
        late_ms -> BigInt,
        state -> Text,
        updated_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    contacts,
    contact_identities,
    bookings,
    tasks,
    touchpoints,
    notes,
    pipeline_transitions,
    event_log,
    event_payloads,
    sms_messages,
    sms_status_events,
    suppressions,
    staff_users,
    api_keys,
    workers,
    jobs,
    job_history,
    job_attempts,
    queues,
    schedules,
    schedule_fires,
    duties,
    rate_buckets,
    rulesets,
    system_values,
    automation_runs,
    timers
);

table! {
    overdue_tasks (task_id, due_datetime) {
        task_id -> Text,
        due_datetime -> BigInt,
        told_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(tasks, overdue_tasks);
diesel::allow_tables_to_appear_in_same_query!(contacts, contact_search);
