ALTER TABLE timers DROP CONSTRAINT timers_pkey;
ALTER TABLE timers ADD PRIMARY KEY (rule_id, trigger_index, subject_id, occurrence);
CREATE INDEX timers_contact ON timers (contact_id);
