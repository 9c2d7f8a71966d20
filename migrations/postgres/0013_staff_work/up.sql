-- What came of a task that somebody worked on, and who did.
ALTER TABLE tasks ADD COLUMN outcome TEXT;
ALTER TABLE tasks ADD COLUMN completed_by TEXT;

-- What the provider said last of a booking that staff has changed since: heard again, it is no news.
ALTER TABLE bookings ADD COLUMN said_status TEXT;
ALTER TABLE bookings ADD COLUMN said_datetime BIGINT;

-- Whether the person wants to be reminded of the next check: unknown, granted, denied.
ALTER TABLE contacts ADD COLUMN recall_consent TEXT NOT NULL DEFAULT 'unknown';

-- Who said what to which kind of text, how and when; the newest is in the contact, too.
CREATE TABLE consents (
    id TEXT NOT NULL PRIMARY KEY,
    contact_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    source TEXT NOT NULL,
    said_at BIGINT NOT NULL,
    recorded_by TEXT NOT NULL,
    recorded_at BIGINT NOT NULL
);
CREATE INDEX consents_contact ON consents (contact_id, id);
