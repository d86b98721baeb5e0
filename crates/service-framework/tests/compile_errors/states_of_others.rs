use service_framework::prelude::*;

#[derive(Model, State, Clone, Default)]
struct Book {
    best: u32,
}

const BOOK: DeltaUpdateIn<Book> = DeltaUpdateIn::new("book");
const MINE: DeltaUpdateOut<Book> = DeltaUpdateOut::new("mine");

fn mistakes(cx: &Context) -> Result<()> {
    cx.set(&BOOK, &Book { best: 1 })?;
    cx.update(&MINE, &Book { best: 1 })?;
    cx.state_status(&MINE)?;
    Ok(())
}

fn main() {}
