//! Reads what a handler answers off its return type, for `#[service]`.

use crate::Result;

/// The return type of a handler that is not written as `Result<..>`, such as an alias of one.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "write `Result<{Self}>`",
    note = "a handler returns `service_framework::Result<R>`, whose error every error of the standard kind turns into at `?`"
)]
pub trait Returned {
    /// What is answered.
    type Ok;
}

impl<R> Returned for Result<R> {
    type Ok = R;
}
