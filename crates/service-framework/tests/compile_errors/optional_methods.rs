use service_framework::prelude::*;

#[derive(Model)]
struct Config {}

#[derive(Model)]
struct Order {
    id: String,
}

struct Gateway;

#[service]
impl Gateway {
    fn new(_: Config) -> Result<Self> {
        Ok(Self)
    }

    async fn main(&mut self, _cx: &Context) -> Result<()> {
        Ok(())
    }

    async fn init(&self, _config: Config) -> Result<()> {
        Ok(())
    }

    fn on_sigint(_signal: i32) -> Result<()> {
        Ok(())
    }

    fn setup_config(&self) -> Result<Map> {
        Ok(Map::new())
    }

    fn setup_states(_config: &Map) -> Result<Map> {
        Ok(Map::new())
    }

    fn setup_addresses(_book: Map, _config: Config) -> Result<Config> {
        Ok(Config {})
    }

    async fn setup_connections(_config: Config) -> Result<Map> {
        Ok(Map::new())
    }
}

export!(Gateway);

fn main() {}
