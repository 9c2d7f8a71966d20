DROP INDEX automation_runs_rule;
DROP TABLE field_changes;
DROP TABLE automation_skips;
DROP TABLE rule_alarms;
DROP TABLE rule_history;
DROP TABLE rule_overrides;
