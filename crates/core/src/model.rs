//! What a value must look like: the trait that `#[derive(Model)]` writes, and the same as data.

mod check;
mod containers;
#[doc(hidden)]
pub mod derive;
mod describe;
mod keys;
pub(crate) mod parts;
mod scalars;
mod schema;
mod shape;

pub(crate) use containers::{map, read_entries};
pub use keys::Key;
pub(crate) use keys::write_key;
pub use shape::{Choice, Field, IntRange, Record, Shape, Shapes, named_choice};

use crate::fault::Fault;
use crate::wire::{Reader, Writer};

/// Nothing: a model without fields, for a request without arguments or a reply that only says "done".
pub type Empty = ();

/// A type that a message, or a part of one, can have.
///
/// `#[derive(Model)]` writes it for structs with named fields (a map on the wire), structs of one unnamed field (that
/// field), and enums without data (one of these texts):
///
/// ```
/// use service_framework_core::{Model, model::Shape, wire};
/// use service_framework_macros::Model;
///
/// /// An order to buy or to sell.
/// #[derive(Model, Debug, PartialEq)]
/// #[model(crate = "service_framework_core")]
/// struct Order {
///     /// Which way.
///     side: Side,
///     size: u32,
///     note: Option<String>,
/// }
///
/// #[derive(Model, Debug, PartialEq)]
/// #[model(crate = "service_framework_core", names = "lower")]
/// enum Side { Buy, Sell }
///
/// let json = br#"{"side": "buy", "size": 3}"#;
/// let order: Order = wire::decode(json, wire::Encoding::Json, &Default::default())?;
/// assert_eq!(order, Order { side: Side::Buy, size: 3, note: None });
///
/// let fault = wire::decode::<Order>(br#"{"side": "hold", "size": 3}"#, wire::Encoding::Json, &Default::default());
/// assert_eq!(fault.unwrap_err().to_string(), r#"side: expected one of buy, sell, got the text "hold""#);
/// # Ok::<(), service_framework_core::Fault>(())
/// ```
///
/// With `service-framework`, which is what the author of a service depends on, `#[model(crate = "..")]` is left out.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a model",
    label = "cannot stand in a message",
    note = "for a type of your own, write `#[derive(Model)]` above it",
    note = "the others are bool, i8 to i64, u8 to u64, f32, f64, String, Bytes, Decimal, Uuid, DateTime, Array, Value, \
            and Option, Vec, tuples, BTreeSet, HashSet, BTreeMap and HashMap of them"
)]
pub trait Model: Sized {
    /// Describes the type. A record adds itself to `shapes`, so that it may contain itself.
    fn shape(shapes: &mut Shapes) -> Shape;

    /// Reads a value and checks it, in one pass.
    ///
    /// # Errors
    ///
    /// If the bytes are no value, or one that the model does not allow.
    fn decode(reader: &mut Reader<'_>) -> Result<Self, Fault>;

    /// Writes the value; mistakes are kept by the writer.
    fn encode(&self, writer: &mut Writer);

    /// What a field of this type is when the message does not have it: `None` for a required field.
    fn absent() -> Option<Self> {
        None
    }

    /// Whether a field with this value is left out of the message.
    fn is_absent(&self) -> bool {
        false
    }
}

/// Describes a model.
pub fn describe<T: Model>() -> Shape {
    Shapes::default().describe::<T>()
}
