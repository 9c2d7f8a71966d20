//! One file for each kind of job.
