//! The runtime: handlers, failures, deadlines, and the orderly stop.

mod runtime;
mod scripted;
