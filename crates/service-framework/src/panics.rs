//! Turns a panic into words: what was said, and where.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic;
use std::sync::Once;

thread_local! {
    /// How many watched steps this thread is inside of.
    static WATCHED: Cell<u32> = const { Cell::new(0) };
    static PLACE: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Runs a step of the service. If it panics, the place is kept for [`message`] and nothing is printed.
pub(crate) fn watch<T>(step: impl FnOnce() -> T) -> T {
    struct Watch;
    impl Drop for Watch {
        fn drop(&mut self) {
            WATCHED.set(WATCHED.get() - 1);
        }
    }
    install();
    WATCHED.set(WATCHED.get() + 1);
    let _watch = Watch;
    step()
}

/// Sets the panic hook of this copy of the standard library, once; panics outside of watched steps go on to the hook that was there.
fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if WATCHED.get() == 0 {
                return before(info);
            }
            let place = info.location().map(ToString::to_string);
            // A thread that ends may have let go of this already, and a panic in here would end the process.
            _ = PLACE.try_with(|kept| kept.replace(place));
        }));
    });
}

/// What to answer and log for a panic that was caught just now.
pub(crate) fn message(payload: &(dyn Any + Send)) -> String {
    let text = match (payload.downcast_ref::<&str>(), payload.downcast_ref::<String>()) {
        (Some(text), _) => text,
        (_, Some(text)) => text.as_str(),
        _ => "a panic without a text",
    };
    let place = PLACE.try_with(RefCell::take).ok().flatten();
    let place = place.map_or(String::new(), |place| format!(" at {place}"));
    // tokio's own words for the lack of a runtime do not say what helps here.
    if text.contains("there is no reactor running")
        || text.contains("must be called from the context of a Tokio")
    {
        return format!(
            "tokio was used{place} without a runtime: export the service with `export!(.., tokio)`"
        );
    }
    format!("{text}{place}")
}
