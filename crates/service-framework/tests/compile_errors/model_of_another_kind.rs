use service_framework::prelude::*;

#[derive(Model)]
struct Point(f64, f64);

#[derive(Model)]
struct Line<'a> {
    text: &'a str,
}

#[derive(Model)]
enum Nothing {}

#[derive(Model)]
union Number {
    int: u64,
    float: f64,
}

fn main() {}
