-- All timers of a contact stand together: one index finds them and keeps them apart.
ALTER TABLE timers DROP CONSTRAINT timers_pkey;
DROP INDEX timers_contact;
ALTER TABLE timers ADD PRIMARY KEY (contact_id, subject_id, rule_id, trigger_index, occurrence);
