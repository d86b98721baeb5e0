//! The derive and attribute macros.

mod doc;
mod model;
mod service;

use proc_macro::TokenStream;

/// Makes a type a model: what a message, a config, or a part of one, looks like.
///
/// | type | on the wire |
/// |---|---|
/// | `struct Order { id: String, size: u32 }` | a map with these fields |
/// | `struct Price(Decimal);` | the one field |
/// | `enum Side { Buy, Sell }` | one of these texts |
/// | `struct Ping;` | this text |
///
/// Doc comments become the descriptions in exported models. A field of type `Option` may be missing in the message, and is
/// left out when it is `None`; null for it counts as missing. Fields that the type does not have are refused.
///
/// # Attributes
///
/// | where | attribute | what for |
/// |---|---|---|
/// | struct with fields | `#[model(open)]` | lets unknown fields pass, unread |
/// | struct with fields, enum | `#[model(names = "..")]` | how Rust's names are written in messages: `lower`, `upper`, `snake`, `screaming`, `kebab`, `camel` or `pascal` |
/// | field, variant | `#[model(name = "..")]` | its name in messages |
/// | field | `#[model(default)]`, `#[model(default = 5)]` | its value when the message does not have it |
/// | struct of one unnamed field | `#[model(key)]` | it may be the key of a map, as its field may |
/// | any | `#[model(crate = "..")]` | where the crate `service_framework_core` is found, if not within `service_framework` |
///
/// # Examples
///
/// ```
/// use service_framework_core::{model, wire};
/// use service_framework_macros::Model;
///
/// /// An order to buy or to sell.
/// #[derive(Model, Debug, PartialEq)]
/// #[model(crate = "service_framework_core")]
/// struct Order {
///     #[model(name = "id")]
///     order_id: OrderId,
///     side: Side,
///     /// In lots.
///     #[model(default = 1)]
///     size: u32,
///     note: Option<String>,
/// }
///
/// #[derive(Model, Debug, PartialEq)]
/// #[model(crate = "service_framework_core")]
/// struct OrderId(String);
///
/// #[derive(Model, Debug, PartialEq)]
/// #[model(crate = "service_framework_core", names = "lower")]
/// enum Side { Buy, Sell }
///
/// let json = br#"{"id": "a-1", "side": "buy"}"#;
/// let order: Order = wire::decode(json, wire::Encoding::Json, &wire::Limits::default())?;
/// assert_eq!(order, Order { order_id: OrderId("a-1".into()), side: Side::Buy, size: 1, note: None });
/// assert_eq!(wire::encode(&order, wire::Encoding::Json)?, br#"{"id":"a-1","side":"buy","size":1}"#);
/// # Ok::<(), service_framework_core::Fault>(())
/// ```
#[proc_macro_derive(Model, attributes(model))]
pub fn derive_model(input: TokenStream) -> TokenStream {
    model::derive(&syn::parse_macro_input!(input as syn::DeriveInput)).into()
}

/// Makes a service of the `impl` block that holds its handlers.
#[proc_macro_attribute]
pub fn service(attribute: TokenStream, input: TokenStream) -> TokenStream {
    service::expand(attribute.into(), &input.into()).into()
}

/// Marks a handler that answers requests, within [`service`](macro@service).
#[proc_macro_attribute]
pub fn replyer(_: TokenStream, input: TokenStream) -> TokenStream {
    service::stray("replyer", &input.into()).into()
}

/// Marks a handler that takes what is published, within [`service`](macro@service).
#[proc_macro_attribute]
pub fn subscriber(_: TokenStream, input: TokenStream) -> TokenStream {
    service::stray("subscriber", &input.into()).into()
}
