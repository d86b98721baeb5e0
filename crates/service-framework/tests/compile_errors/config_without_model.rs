use service_framework::prelude::*;

struct Config {
    exchange: String,
}

struct Gateway {
    config: Config,
}

#[service]
impl Gateway {
    fn new(config: Config) -> Result<Self> {
        Ok(Self { config })
    }

    #[replyer]
    fn check(&self) -> Result<Empty> {
        tracing::info!("{}", self.config.exchange);
        Ok(())
    }
}

export!(Gateway);

fn main() {}
