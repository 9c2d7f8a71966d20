//! Phone numbers as people write them, and as networks need them.
