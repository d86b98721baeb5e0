//! Takes what a handler returns, for `#[service]`.

use crate::Result;

/// What a handler may return: our [`Result`], and no other of that name.
#[diagnostic::on_unimplemented(
    message = "a handler cannot return `{Self}`",
    label = "write `Result<..>`, the one of `service_framework`",
    note = "its error is `service_framework::Error`, which `?` turns every standard error into"
)]
pub trait Returned<R> {
    /// The same, as the type that it is known to be.
    fn into_result(self) -> Result<R>;
}

impl<R> Returned<R> for Result<R> {
    fn into_result(self) -> Self {
        self
    }
}

/// What a handler returned.
pub fn returned<R>(returned: impl Returned<R>) -> Result<R> {
    returned.into_result()
}
