//! The derive and attribute macros.
