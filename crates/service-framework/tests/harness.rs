//! Services under test, and with them both halves of the plugin boundary.
#![expect(clippy::needless_pass_by_value, reason = "expectations are written where they are used")]

mod harness {
    pub(crate) mod exported;

    mod basics;
    mod blocking;
    mod boundary;
    mod exclusive;
    mod hooks;
    mod logs;
    mod ports;
    mod shadowing;
    mod states;
    mod stopping;
    mod stuck;
    mod time;
}
