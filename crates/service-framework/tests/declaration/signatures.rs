//! Every signature that a method may have.

use std::collections::HashMap;

use service_framework::prelude::*;

const QUEUE: u32 = 20;

pub(super) struct Signatures;

#[derive(Model)]
struct Order {
    id: String,
}

#[service]
impl Signatures {
    #[cfg(test)]
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[cfg(not(test))]
    fn new(config: Elsewhere) -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    fn plain(&self, args: Order, _cx: &Context) -> Result<HashMap<String, u16>> {
        Ok([(args.id, 1)].into())
    }

    #[replyer]
    fn plain_mut(&mut self, _args: Order, _cx: &Context) -> Result<Empty> {
        Ok(())
    }

    #[replyer]
    async fn waiting(&self, Order { id }: Order, cx: &Context) -> Result<Order> {
        cx.sleep(Duration::ZERO).await;
        Ok(Order { id })
    }

    #[service_framework::replyer]
    async fn waiting_mut<'s>(&'s mut self, _args: Value, cx: &'s Context) -> Result<Value> {
        cx.sleep(Duration::ZERO).await;
        Ok(Value::Null)
    }

    #[replyer(blocking, max_message_bytes = 2048)]
    fn blocking(&self, _args: Order, cx: &BlockingContext) -> Result<Empty> {
        cx.stop();
        Ok(())
    }

    #[subscriber(blocking)]
    fn blocking_subscriber(&self) -> Result<()> {
        Ok(())
    }

    #[replyer()]
    fn without_arguments(&self) -> Result<()> {
        Ok(())
    }

    #[replyer]
    fn only_context(&mut self, _cx: &Context) -> Result<Empty> {
        Ok(())
    }

    #[replyer]
    async fn waiting_without_context(&self, _: Order) -> Result<Empty> {
        Ok(())
    }

    #[subscriber(name = "prices", topic = concat!("a", "b"), is_binder = false, queue = QUEUE, overflow = "wait", max_depth = 8, max_values = 1_000)]
    async fn on_price(&mut self, _args: Value) -> Result<()> {
        Ok(())
    }

    #[replyer]
    fn r#type(&self) -> Result<Empty> {
        Ok(())
    }

    #[cfg(not(test))]
    #[replyer]
    fn elsewhere(&self, args: Elsewhere) -> Result<Elsewhere> {
        Ok(args)
    }

    #[replyer(name = "either")]
    #[cfg(not(test))]
    fn one(&self, args: Elsewhere) -> Result<Elsewhere> {
        Ok(args)
    }

    #[replyer(name = "either")]
    #[cfg(test)]
    fn other(&self) -> Result<Empty> {
        self.helper(())
    }

    fn helper<T>(&self, same: T) -> Result<T> {
        Ok(same)
    }
}

service_framework::link!(Signatures);
