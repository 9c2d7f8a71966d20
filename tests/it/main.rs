//! Stories through the public surface: one test binary, one module for each part of the program.

mod config;
mod engine;
mod http;
mod inbound;
mod jobs;
mod store;
mod stories;
