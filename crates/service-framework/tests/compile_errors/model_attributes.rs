use service_framework::prelude::*;

#[derive(Model)]
#[model(opne)]
struct Misspelt {
    id: String,
}

#[derive(Model)]
#[model(open)]
enum Side {
    Buy,
}

#[derive(Model)]
struct Order {
    #[model(default = "one")]
    size: u32,
}

#[derive(Model)]
struct Limits {
    #[model(optional)]
    price: u32,
}

#[derive(Model)]
#[model(names = "Lower")]
enum Kind {
    Market,
}

#[derive(Model)]
struct Twice {
    id: String,
    #[model(name = "id")]
    order_id: String,
}

#[derive(Model)]
struct Marked {
    __uuid__: String,
}

#[derive(Model)]
struct Price(#[model(default)] Decimal);

fn main() {}
