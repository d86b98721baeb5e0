use service_framework::prelude::*;

struct Infallible;

#[service]
impl Infallible {
    fn new() -> Self {
        Self
    }
}

struct Optional;

#[service]
impl Optional {
    fn new() -> Option<Self> {
        Some(Self)
    }
}

struct Waiting;

#[service]
impl Waiting {
    async fn new() -> Result<Self> {
        Ok(Self)
    }
}

struct Borrowing;

#[service]
impl Borrowing {
    fn new(_config: &Map) -> Result<Self> {
        Ok(Self)
    }
}

export!(Infallible);

fn main() {}
