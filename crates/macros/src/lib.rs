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

/// Makes a struct a state: a model that is shared between services, and changes key by key.
///
/// It stands beside `#[derive(Model)]`, on a struct with named fields, and writes a second one, the change: what each field becomes.
///
/// | field | in the change | |
/// |---|---|---|
/// | `price: Decimal` | `price: Option<Decimal>` | the new value; `None` keeps the old one |
/// | `note: Option<String>` | `note: Edit<String>` | kept, set, or removed |
/// | `#[model(default)] size: u32` | `size: Edit<u32>` | kept, set, or removed, which gives it its default |
///
/// The change is called as the struct, with `Change` behind it. It is `Clone`, and `Default`, which changes nothing; it has the names in messages that
/// the struct has. A field that is required cannot be removed: null for it is refused.
///
/// # Attributes
///
/// | where | attribute | what for |
/// |---|---|---|
/// | struct | `#[state(derive(Debug, PartialEq))]` | what the change derives beside |
/// | struct | `#[state(change = "..")]` | how the change is called |
///
/// # Examples
///
/// ```
/// use service_framework_core::state::{Edit, State};
/// use service_framework_core::wire::{self, Encoding};
/// use service_framework_macros::{Model, State};
///
/// /// What is offered.
/// #[derive(Model, State, Clone, Debug, PartialEq)]
/// #[model(crate = "service_framework_core")]
/// #[state(derive(Debug, PartialEq))]
/// struct Offer {
///     price: u32,
///     #[model(default = 1)]
///     size: u32,
///     note: Option<String>,
/// }
///
/// let mut offer = Offer { price: 7, size: 2, note: Some("thin".into()) };
/// let change = OfferChange { price: Some(8), note: Edit::Remove, ..Default::default() };
/// assert_eq!(wire::encode(&change, Encoding::Json)?, br#"{"price":8,"note":null}"#);
/// offer.apply(change);
/// assert_eq!(offer, Offer { price: 8, size: 2, note: None });
/// # Ok::<(), service_framework_core::Fault>(())
/// ```
#[proc_macro_derive(State, attributes(model, state))]
pub fn derive_state(input: TokenStream) -> TokenStream {
    model::state::derive(&syn::parse_macro_input!(input as syn::DeriveInput)).into()
}

/// Makes a service of the `impl` block that holds its handlers.
///
/// The block stays as it is, and `Serve` is implemented from it. What it declares is what one would write by hand:
///
/// ```
/// # use service_framework::prelude::*;
/// # #[derive(Model)] struct Config {}
/// # #[derive(Model)] struct CancelOrder { id: String }
/// # #[derive(Model)] struct Cancelled { id: String }
/// const AUDIT: Requester<Cancelled, Empty> = Requester::new("audit");
///
/// struct Gateway;
///
/// /// Cancels orders.
/// #[service(uses(AUDIT))]
/// impl Gateway {
///     fn new(_config: Config) -> Result<Self> {
///         Ok(Self)
///     }
///
///     /// Cancels one order.
///     #[replyer(deadline_s = 2.0)]
///     async fn cancel_order(&self, args: CancelOrder, cx: &Context) -> Result<Cancelled> {
///         let cancelled = Cancelled { id: args.id };
///         cx.request(&AUDIT, &cancelled).await?;
///         Ok(cancelled)
///     }
/// }
///
/// // The same without the attribute:
/// struct ByHand;
///
/// impl Serve for ByHand {
///     const NAME: &'static str = env!("CARGO_PKG_NAME");
///     const VERSION: &'static str = env!("CARGO_PKG_VERSION");
///     const DOC: &'static str = "Cancels orders.";
///     type Config = Config;
///
///     fn new(_config: Config) -> Result<Self> {
///         Ok(Self)
///     }
///
///     fn declare(service: &mut Declare<Self>) {
///         service.replyer("cancel_order").doc("Cancels one order.").set("deadline_s", 2.0).handle(
///             async |_: &Self, args: CancelOrder, cx: &Context| {
///                 let cancelled = Cancelled { id: args.id };
///                 cx.request(&AUDIT, &cancelled).await?;
///                 Ok(cancelled)
///             },
///         );
///         service.uses(&AUDIT);
///     }
/// }
/// ```
///
/// # What is read from the block
///
/// | | |
/// |---|---|
/// | its doc comment | what the service is for, in exported models. That of the *type* cannot be seen from here. |
/// | `#[service(uses(A, B))]` | the constants that hold its ports |
/// | `fn new(config: C) -> Result<Self>` | how it is made, and the config that it needs; `fn new()` for none |
/// | `#[replyer]`, `#[subscriber]` | [handlers](macro@replyer), called as their methods unless a `name` is given |
/// | `#[updated(BOOK)]` | [handlers of updates](macro@updated) of the state whose port that is |
/// | methods of the names below | the optional methods |
/// | `#[cfg(..)]` on any of them | whether it is declared |
///
/// Every other method is left alone. The service is called as its package.
///
/// # Optional methods
///
/// | method | when |
/// |---|---|
/// | `async fn main(&self, cx: &Context) -> Result<()>` | under `-m`, beside the handlers, which all take `&self` in such a service: a leading edge |
/// | `fn main(&self, cx: &BlockingContext) -> Result<()>` | the same, on a thread of its own |
/// | `async fn init(&self, cx: &Context) -> Result<()>` | when the sockets are open, before the first message |
/// | `async fn on_sigint(&self, cx: &Context) -> Result<()>`, `on_sigterm` | on the signal, before the service stops |
/// | `fn setup_config(config: &Map) -> Result<Map>` | gives keys that overwrite those of the config |
/// | `fn setup_addresses(addresses: Map, config: C) -> Result<Map>` | gives the whole address book |
/// | `fn setup_connections(config: C) -> Result<Map>` | gives settings per connection |
/// | `fn setup_states(config: C) -> Result<Map>` | gives settings per state |
///
/// `cx` may be left out; `init` and the signals' methods may be plain too.
#[proc_macro_attribute]
pub fn service(attribute: TokenStream, input: TokenStream) -> TokenStream {
    service::expand(attribute.into(), &input.into()).into()
}

/// Marks a handler that answers requests, in an `impl` block with [`service`](macro@service).
///
/// What the method is says how it runs:
///
/// | | |
/// |---|---|
/// | `async fn` | on the service's thread, and others run while it waits |
/// | `fn` | on the service's thread to its end: short work only |
/// | `fn` with `#[replyer(blocking)]` | on a thread of a pool, and may block |
/// | `&self` | beside other handlers |
/// | `&mut self` | when no other handler runs, then alone, across its awaits |
///
/// It takes the arguments of a message (one model with named fields; left out for a message without) and then
/// the context, `cx: &Context` or, if it is blocking, `cx: &BlockingContext` (left out if it is not needed). It returns `Result` of what is answered. Its doc comment is the
/// connection's, in exported models.
///
/// # Options
///
/// | option | |
/// |---|---|
/// | `name = ".."` | what addresses and errors call the connection, instead of the method's name |
/// | `blocking` | runs on a thread of a pool |
/// | `deadline_s`, `max_message_bytes`, `max_depth`, `max_values`, `peer` | settings, which the address book may overwrite |
#[proc_macro_attribute]
pub fn replyer(_: TokenStream, input: TokenStream) -> TokenStream {
    service::stray("replyer", &input.into()).into()
}

/// Marks a handler that takes what is published, in an `impl` block with [`service`](macro@service).
///
/// It is as a [`replyer`](macro@replyer), but answers nothing: `-> Result<()>`. Messages of one subscriber are handled one at a time, in order.
///
/// # Options
///
/// | option | |
/// |---|---|
/// | `name = ".."` | what addresses and errors call the connection, instead of the method's name |
/// | `blocking` | runs on a thread of a pool |
/// | `topic`, `is_binder`, `queue`, `overflow`, `max_message_bytes`, `max_depth`, `max_values` | settings, which the address book may overwrite |
#[proc_macro_attribute]
pub fn subscriber(_: TokenStream, input: TokenStream) -> TokenStream {
    service::stray("subscriber", &input.into()).into()
}

/// Marks a handler that is called after each update of a copy, in an `impl` block with [`service`](macro@service).
///
/// ```
/// # use service_framework::prelude::*;
/// # use std::collections::BTreeMap;
/// const BOOK: DeltaUpdateIn<BTreeMap<String, u32>> = DeltaUpdateIn::new("book");
///
/// struct Desk;
///
/// #[service(uses(BOOK))]
/// impl Desk {
///     fn new() -> Result<Self> {
///         Ok(Self)
///     }
///
///     #[updated(BOOK)]
///     fn book_changed(&self, update: Update<BTreeMap<String, u32>>, cx: &Context) -> Result<()> {
///         let levels = cx.state(&BOOK)?.len();
///         tracing::info!(levels, number = update.current_num);
///         Ok(())
///     }
/// }
/// # service_framework::link!(Desk);
/// # fn main() -> Result<()> {
/// # let harness = Harness::<Desk>::new(())?;
/// # harness.set_state(&BOOK, &BTreeMap::from([("99.5".to_owned(), 3)]))?;
/// # assert_eq!(harness.logs().len(), 1);
/// # Ok(())
/// # }
/// ```
///
/// The state stands among those that the service uses. The method runs as a [`subscriber`](macro@subscriber)'s does: one update at a time, in order, and by the same rules of `async`,
/// `&mut self` and `#[updated(BOOK, blocking)]`. It takes the update (an `Update<..>` of a state that changes key by key, and the value of one that comes whole; or nothing, and it is not read
/// then) and the context. `cx.state(&BOOK)` lends the copy, which may be further than the update by then.
#[proc_macro_attribute]
pub fn updated(_: TokenStream, input: TokenStream) -> TokenStream {
    service::stray("updated", &input.into()).into()
}
