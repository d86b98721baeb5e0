use std::collections::BTreeMap;

use service_framework::prelude::*;

#[derive(Model)]
struct Order {
    size: usize,
    levels: BTreeMap<(u32, u32), u32>,
}

fn main() {}
