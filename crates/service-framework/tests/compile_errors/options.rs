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

    #[replyer(deadline = 2.0)]
    fn unknown(&self, _args: Order) -> Result<Empty> {
        Ok(())
    }

    #[replyer(topic = "orders")]
    fn of_another_kind(&self, _args: Order) -> Result<Empty> {
        Ok(())
    }

    #[subscriber(is_x_pub)]
    fn of_a_port(&self, _args: Order) -> Result<()> {
        Ok(())
    }

    #[subscriber(overflow = "drop", topic = "orders")]
    fn another_choice(&self, _args: Order) -> Result<()> {
        Ok(())
    }

    #[subscriber(queue = 2.5, topic = "orders")]
    fn another_type(&self, _args: Order) -> Result<()> {
        Ok(())
    }

    #[subscriber(topic)]
    fn without_value(&self, _args: Order) -> Result<()> {
        Ok(())
    }

    #[subscriber(topic = "orders", topic = "trades")]
    fn twice(&self, _args: Order) -> Result<()> {
        Ok(())
    }
}

export!(Gateway);

fn main() {}
