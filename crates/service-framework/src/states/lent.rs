//! A value of a state, lent.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// A value of a state, as it was when it was asked for. It does not change.
///
/// While it is held, the next change of the state is made on a copy of the whole value, which costs as much as that is large; otherwise it costs the
/// change alone. So take from it what is needed, and let go of it before the next `await`. A `.clone()` of it is a copy of the value.
///
/// ```
/// # use service_framework::prelude::*;
/// # const BOOK: DeltaUpdateIn<Map> = DeltaUpdateIn::new("book");
/// # async fn example(cx: &Context) -> Result<()> {
/// let levels = {
///     let book = cx.state(&BOOK)?;
///     book.len()
/// };
/// cx.sleep(Duration::from_secs(levels as u64)).await;
/// # Ok(())
/// # }
/// ```
pub struct Lent<S>(Arc<S>);

impl<S> Lent<S> {
    pub(crate) fn new(value: Arc<S>) -> Self {
        Self(value)
    }
}

impl<S> Deref for Lent<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0
    }
}

impl<S: fmt::Debug> fmt::Debug for Lent<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
