use service_framework::prelude::*;

#[derive(Model, State, Clone)]
enum Side {
    Buy,
    Sell,
}

#[derive(Model, State, Clone)]
struct Page<T> {
    items: Vec<T>,
}

#[derive(Model, State, Clone)]
struct Price(Decimal);

#[derive(Model, State, Clone)]
struct Quote {
    #[model(default = Some(1))]
    size: Option<u32>,
}

#[derive(Model, State, Clone)]
#[state(name = "Moved")]
struct Book {
    best: Decimal,
}

const PRICES: DeltaUpdateOut<Vec<Decimal>> = DeltaUpdateOut::new("prices");

fn main() {}
