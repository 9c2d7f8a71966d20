//! Use cases, one transaction each: what the program does when something happens.

pub mod receive;
pub mod staff;
