-- What people are found by: each word of a name, the email address, each end of a phone number (three digits and more).
-- A prefix of a term finds whoever has it.
CREATE TABLE contact_terms (
    term TEXT NOT NULL,
    contact_id TEXT NOT NULL,
    PRIMARY KEY (term, contact_id)
) STRICT, WITHOUT ROWID;

-- The same of one contact in one line: what its terms were made from, and what a second word is looked for in.
CREATE TABLE contact_search (
    contact_id TEXT NOT NULL PRIMARY KEY,
    words TEXT NOT NULL,
    sort_name TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX contact_search_name ON contact_search (sort_name, contact_id);

-- Columns of the board are read in the order of warmness.
DROP INDEX contacts_stage;
CREATE INDEX contacts_stage ON contacts (current_pipeline, current_stage, warmness, id);
CREATE INDEX contacts_opted_out ON contacts (updated_at, id) WHERE opted_out_at IS NOT NULL;
CREATE INDEX contacts_assigned ON contacts (assigned_to, updated_at, id) WHERE assigned_to IS NOT NULL;
CREATE INDEX contacts_merged ON contacts (merged_into_id) WHERE merged_into_id IS NOT NULL;

-- How long people stay in a stage, for a span of time. Grows at its end only.
CREATE INDEX pipeline_transitions_left ON pipeline_transitions (at, from_pipeline, from_stage, duration_ms);

-- Conversations, the newest message first. Grows at its end only.
CREATE INDEX sms_messages_in ON sms_messages (created_at, id, contact_id) WHERE direction = 'in';

-- What staff has said of a conversation.
CREATE TABLE inbox_states (
    contact_id TEXT NOT NULL PRIMARY KEY,
    assigned_to TEXT,
    -- Messages until then need no answer.
    done_at INTEGER,
    done_by TEXT,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The answer that somebody is writing.
CREATE TABLE inbox_drafts (
    contact_id TEXT NOT NULL PRIMARY KEY,
    body TEXT NOT NULL,
    author TEXT NOT NULL,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Two contacts that became one: what both were, and which rows moved, so that it can be undone.
CREATE TABLE contact_merges (
    id TEXT NOT NULL PRIMARY KEY,
    winner_id TEXT NOT NULL,
    loser_id TEXT NOT NULL,
    merged_at INTEGER NOT NULL,
    merged_by TEXT NOT NULL,
    undone_at INTEGER,
    undone_by TEXT,
    -- Both before, the winner after, rows by table: JSON.
    journal TEXT NOT NULL
) STRICT;
CREATE INDEX contact_merges_loser ON contact_merges (loser_id, merged_at);
CREATE INDEX contact_merges_winner ON contact_merges (winner_id, merged_at);
