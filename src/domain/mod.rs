//! What the clinic talks about. Pure types: no I/O, no clock reads, no SQL.

pub mod booking;
pub mod calendar;
pub mod clinic;
pub mod clock;
pub mod contact;
pub mod edit;
pub mod event;
pub mod handover;
pub mod ids;
pub mod job;
pub mod keywords;
pub mod letters;
pub mod phone;
pub mod pipeline;
pub mod random;
pub mod rule_override;
pub mod sample;
pub mod skip;
pub mod sms;
pub mod sms_provider;
pub mod staff;
pub mod staff_action;
pub mod task;
pub mod time;
pub mod touchpoint;
pub mod waiting;
