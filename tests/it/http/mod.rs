//! The real server on a loopback port with a real database file, spoken to over plain sockets.

mod access;
mod limits;
mod looking;
mod matrix;
mod once;
mod openapi;
mod origins;
mod paging;
mod quiet;
mod raw;
mod reads;
mod sessions;
mod site;
mod staff;
mod stream;
mod throttle;
mod trouble;
mod webhooks;
