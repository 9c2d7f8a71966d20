ALTER TABLE api_keys DROP COLUMN created_by;
ALTER TABLE api_keys DROP COLUMN scopes;
ALTER TABLE staff_users DROP COLUMN version;
DROP TABLE staff_one_time_codes;
DROP TABLE staff_recovery_codes;
DROP TABLE staff_proofs;
DROP TABLE staff_sessions;
DROP TABLE audit_head;
DROP TABLE audit_log;
