use service_framework::prelude::*;

struct Gateway;

export!(Gateway);

fn main() {}
