use service_framework::prelude::*;

struct Gateway;

#[service]
impl Gateway {
    #[replyer]
    fn cancel(&self) -> Result<Empty> {
        Ok(())
    }
}

export!(Gateway);

fn main() {}
