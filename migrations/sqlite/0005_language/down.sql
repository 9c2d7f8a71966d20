DROP TABLE overdue_tasks;
DROP TABLE waiting_runs;
ALTER TABLE automation_runs DROP COLUMN resumes;
ALTER TABLE contacts DROP COLUMN tags;
