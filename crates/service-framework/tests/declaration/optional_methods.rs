//! Every optional method.

use service_framework::prelude::*;

pub(super) struct Optional;

#[service]
impl Optional {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    async fn main(&self, cx: &Context) -> Result<()> {
        cx.stopping().await;
        Ok(())
    }

    fn init(&self) -> Result<()> {
        Ok(())
    }

    async fn on_sigint(&self, cx: &Context) -> Result<()> {
        cx.sleep(Duration::ZERO).await;
        Ok(())
    }

    fn on_sigterm(&self, cx: &Context) -> Result<()> {
        cx.stop();
        Ok(())
    }

    fn setup_config(config: &Map) -> Result<Map> {
        Ok(config.clone())
    }

    fn setup_addresses(addresses: Map, _config: Empty) -> Result<Map> {
        Ok(addresses)
    }

    fn setup_connections(_config: Empty) -> Result<Map> {
        Ok(Map::new())
    }

    fn setup_states(_config: Empty) -> Result<Map> {
        Ok(Map::new())
    }
}

service_framework::link!(Optional);

pub(super) struct OfItsOwnThread;

#[service]
impl OfItsOwnThread {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    fn main(&self, cx: &BlockingContext) -> Result<()> {
        cx.stop();
        Ok(())
    }

    async fn init(&self) -> Result<()> {
        Ok(())
    }

    fn on_sigint(&self) -> Result<()> {
        Ok(())
    }

    #[replyer]
    fn on_sigterm(&self) -> Result<Empty> {
        Ok(())
    }
}

service_framework::link!(OfItsOwnThread);
