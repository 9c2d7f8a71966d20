//! What the clinic that ships does.

mod demo;
mod house;
mod shipped;
