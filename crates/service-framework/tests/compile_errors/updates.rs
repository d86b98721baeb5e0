use service_framework::prelude::*;

#[derive(Model, State, Clone)]
struct Book {
    best: Decimal,
}

const BOOK: DeltaUpdateIn<Book> = DeltaUpdateIn::new("book");
const TOTAL: FullUpdateIn<Book> = FullUpdateIn::new("total");

struct Forgotten;

#[service(uses(TOTAL))]
impl Forgotten {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[updated(BOOK)]
    fn changed(&self) -> Result<()> {
        Ok(())
    }

    #[updated(TOTAL)]
    fn once(&self) -> Result<()> {
        Ok(())
    }

    #[updated(TOTAL)]
    fn twice(&self) -> Result<()> {
        Ok(())
    }

    #[updated(queue = 5)]
    fn option(&self) -> Result<()> {
        Ok(())
    }

    #[updated]
    fn bare(&self) -> Result<u32> {
        Ok(1)
    }
}

struct Other;

#[service(uses(BOOK))]
impl Other {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[updated(BOOK)]
    fn changed(&self, _book: Book) -> Result<()> {
        Ok(())
    }
}

fn main() {}
