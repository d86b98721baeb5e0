//! What an author compiles.
