-- Whether the person wants texts at all: unknown, granted, denied.
ALTER TABLE contacts ADD COLUMN sms_consent TEXT NOT NULL DEFAULT 'unknown';
CREATE INDEX contacts_guardian ON contacts (guardian_contact_id) WHERE guardian_contact_id IS NOT NULL;

-- Texts to a number: what a reply may answer, what STOP withdraws.
CREATE INDEX sms_messages_to ON sms_messages (to_number, created_at) WHERE direction = 'out';

-- Texts that left on a day of the clinic's calendar, for each cap: `all`, `rule:ID`, `to:NUMBER`.
CREATE TABLE sms_departures (
    scope TEXT NOT NULL,
    day TEXT NOT NULL,
    departed INTEGER NOT NULL,
    PRIMARY KEY (day, scope)
) STRICT, WITHOUT ROWID;
