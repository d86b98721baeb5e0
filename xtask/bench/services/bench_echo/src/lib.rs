//! Returns its arguments: what the bench asks.

use service_framework::prelude::*;

/// 64 bytes of arguments.
#[derive(Model, Debug)]
pub struct Args {
    /// Which message.
    pub number: u64,
    /// A float.
    pub price: f64,
    /// Some text.
    pub text: String,
}

/// The service.
#[derive(Debug)]
pub struct BenchEcho;

/// Returns its arguments.
#[service]
impl BenchEcho {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    /// Returns its arguments.
    #[replyer]
    fn echo(&self, args: Args) -> Result<Args> {
        Ok(args)
    }
}

export!(BenchEcho);
