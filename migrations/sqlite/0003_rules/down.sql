DROP TABLE timers;
DROP TABLE automation_runs;
DROP TABLE system_values;
DROP TABLE rulesets;
