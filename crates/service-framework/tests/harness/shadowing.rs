//! A service that is called as something of Rust's own.

use service_framework::prelude::*;

/// A service.
#[derive(Debug)]
pub(super) struct Option;

/// Says yes.
#[service]
impl Option {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    /// Answers.
    #[replyer]
    fn choose(&self, _: Empty) -> Result<Empty> {
        Ok(())
    }
}

service_framework::link!(Option);

#[test]
fn it_is_exported_and_answers() -> Result<()> {
    Harness::<Option>::new(())?.request("choose", &())
}
