//! What people get wrong, and what they are told: one line for each problem, with place, width, code and hint.

mod conditions;
mod files;
mod guards;
mod steps;
