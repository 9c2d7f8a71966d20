//! The real server on a loopback port with a real database file, spoken to over plain sockets.

mod access;
mod limits;
mod looking;
mod once;
mod openapi;
mod paging;
mod quiet;
mod raw;
mod reads;
mod site;
mod stream;
mod trouble;
mod webhooks;
