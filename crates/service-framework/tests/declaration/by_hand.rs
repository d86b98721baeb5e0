//! The same service, without the attribute.

use service_framework::prelude::*;

use super::by_attribute::{AT_EXCHANGE, AUDIT, CANCELS, CancelOrder, Cancelled, Config};

pub(super) struct Gateway {
    config: Config,
}

impl Serve for Gateway {
    const NAME: &'static str = env!("CARGO_PKG_NAME");
    const VERSION: &'static str = env!("CARGO_PKG_VERSION");
    const DOC: &'static str = "Cancels orders, and counts them.";

    type Config = Config;

    fn new(config: Config) -> Result<Self> {
        Ok(Self { config })
    }

    fn declare(service: &mut Declare<Self>) {
        service
            .replyer("cancel_order")
            .doc("Cancels one order.\n\nIt may be gone already.")
            .set("peer", "python")
            .set("deadline_s", 2.5)
            .handle(async |this: &Self, args: CancelOrder, _: &Context| {
                Ok(Cancelled { order_id: args.order_id, exchange: this.config.exchange.clone() })
            });
        service
            .subscriber("new_day")
            .doc("Starts to count anew.")
            .set("topic", "day")
            .set("is_binder", true)
            .set("overflow", "drop_oldest")
            .set("queue", 10)
            .handle_inline(|_: &Self, _: Map, _: &Context| Ok(()));
        service.init(async |_: &Self, _: &Context| Ok(()));
        service.uses(&AUDIT).uses(&AT_EXCHANGE).uses(&CANCELS);
    }
}

service_framework::link!(Gateway);
