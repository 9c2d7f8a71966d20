//! HTTP/1.1, by hand: a server that must break off in the middle of a byte needs the socket itself.

mod answer;
mod request;

pub(super) use answer::Answer;
pub(super) use request::{ReadError, Request, read};
