use service_framework::prelude::*;

#[derive(Model)]
enum Order {
    Market,
    Limit { price: Decimal },
}

fn main() {}
