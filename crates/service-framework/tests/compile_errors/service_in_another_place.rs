use service_framework::prelude::*;

#[service]
struct Gateway;

export!(Gateway);

fn main() {}
