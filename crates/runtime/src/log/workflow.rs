//! Remembers which workflow a thread is working for, so that its records can say it.

use std::cell::RefCell;
use std::marker::PhantomData;

/// The ids that were entered on this thread, one behind the other, and where the innermost begins.
///
/// One growing text for all of them: entering allocates nothing once the thread is warm.
struct Entered {
    ids: String,
    innermost: usize,
}

thread_local! {
    static ENTERED: RefCell<Entered> = const { RefCell::new(Entered { ids: String::new(), innermost: 0 }) };
}

/// Makes `id` the workflow of this thread until the guard is dropped; an empty id means none.
///
/// A handler's future shares its thread with others, so it is entered around each poll, not once. Guards are
/// dropped in the reverse order of their making; another order gives records the wrong id and no more.
#[must_use = "the workflow ends when the guard is dropped"]
pub fn enter(id: &str) -> Guard {
    let around = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        let around = Around { innermost: entered.innermost, end: entered.ids.len() };
        entered.innermost = around.end;
        entered.ids.push_str(id);
        around
    });
    // A thread that is ending has no workflow any more.
    Guard { around: around.ok(), stays: PhantomData }
}

/// Ends what [`enter`] began.
#[derive(Debug)]
pub struct Guard {
    around: Option<Around>,
    stays: PhantomData<*const ()>,
}

/// What was entered before.
#[derive(Debug)]
struct Around {
    innermost: usize,
    end: usize,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let Some(around) = &self.around else { return };
        // A thread that is ending has no workflow to return to.
        let _ = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            if entered.ids.is_char_boundary(around.end) {
                entered.ids.truncate(around.end);
            }
            entered.innermost = around.innermost;
        });
    }
}

/// The workflow of this thread, if it has one.
pub fn current() -> Option<String> {
    with_current(|id| id.map(str::to_owned))
}

/// Gives the workflow of this thread to `read`, which must not enter another.
pub(super) fn with_current<T>(mut read: impl FnMut(Option<&str>) -> T) -> T {
    ENTERED
        .try_with(|entered| {
            let entered = entered.borrow();
            read(entered.ids.get(entered.innermost..).filter(|id| !id.is_empty()))
        })
        .unwrap_or_else(|_| read(None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_workflow_is_current() {
        assert_eq!(current(), None);
        let outer = enter("outer");
        {
            let _inner = enter("é");
            assert_eq!(current().as_deref(), Some("é"));
            let _none = enter("");
            assert_eq!(current(), None);
        }
        assert_eq!(current().as_deref(), Some("outer"));
        drop(outer);
        assert_eq!(current(), None);
    }

    #[test]
    fn guards_dropped_in_a_wrong_order_do_no_harm() {
        let outer = enter("ab");
        let inner = enter("éé");
        drop(outer);
        assert_eq!(current(), None);
        let later = enter("üü");
        drop(inner);
        drop(later);
        let _again = enter("again");
        assert_eq!(current().as_deref(), Some("again"));
    }

    #[test]
    fn each_thread_has_its_own() {
        let _here = enter("here");
        std::thread::spawn(|| assert_eq!(current(), None)).join().expect("no workflow there");
    }
}
