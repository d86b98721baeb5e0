//! Values that services share, and what a change of one is.

#[doc(hidden)]
pub mod derive;
mod edit;
mod map_change;
mod untyped;
mod update;

pub use edit::Edit;
pub use map_change::MapChange;
pub use untyped::UntypedChange;
pub use update::{Content, Update};
#[doc(hidden)]
pub use update::{Parts, write_state, write_update};

use crate::model::Model;

/// A model whose values are shared between services, and change key by key.
///
/// A value is a map on the wire, and a change of it a map of the keys that have new values, with null for those that are removed: the top level of
/// [RFC 7396](https://www.rfc-editor.org/rfc/rfc7396). Maps inside of it are replaced whole.
///
/// `#[derive(State)]` writes it for structs, beside `#[derive(Model)]`. `BTreeMap` and `HashMap` are states whose change is a [`MapChange`];
/// [`Map`](crate::value::Map) and [`Value`](crate::Value), for shapes that are known only at run time, have [`UntypedChange`].
///
/// ```
/// use service_framework_core::State;
/// use service_framework_core::state::Edit;
/// use service_framework_macros::{Model, State};
///
/// #[derive(Model, State, Clone, Debug, PartialEq)]
/// #[model(crate = "service_framework_core")]
/// struct Quote {
///     price: u32,
///     note: Option<String>,
/// }
///
/// let mut quote = Quote { price: 7, note: Some("thin".into()) };
/// quote.apply(QuoteChange { price: Some(8), ..Default::default() });
/// quote.apply(QuoteChange { note: Edit::Remove, ..Default::default() });
/// assert_eq!(quote, Quote { price: 8, note: None });
/// ```
///
/// By hand, what must hold is that a value which was encoded before and to which the encoded change is applied key by key, is the changed value encoded.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a state that changes key by key",
    label = "has no changes",
    note = "for a struct of your own, write `#[derive(Model, State, Clone)]` above it",
    note = "the others are `BTreeMap`, `HashMap`, `Map` and `Value`; what is always replaced whole is a state of `FullUpdateIn` and `FullUpdateOut`"
)]
pub trait State: Model + Clone + Send + Sync + 'static {
    /// A change of it: which keys have new values, and which are removed.
    type Change: Model + Clone + 'static;

    /// Makes a change.
    fn apply(&mut self, change: Self::Change);
}
