//! What the clinic that ships does.

mod shipped;
