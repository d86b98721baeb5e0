//! Writes the trait's `new` and config type from the block's own `new`.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Error, ImplItemFn, Result, ReturnType, Type};

use super::parameters::typed;
use super::signature::refuse_unusual;
use super::types::{is_called, refuse_no_map};
use super::{cfgs, place};

const USAGE: &str =
    "`fn new(config: Config) -> Result<Self>`, or `fn new() -> Result<Self>` for a service without config";

/// Reads `new`.
pub(super) fn read(method: &ImplItemFn) -> Result<TokenStream> {
    let signature = &method.sig;
    refuse_unusual("`new`", method)?;
    if let Some(token) = &signature.asyncness {
        let text = "`new` runs before anything can be waited for: leave out `async`, and wait in `async fn init(&self)`";
        return Err(Error::new_spanned(token, text));
    }
    if let Some(receiver) = signature.receiver() {
        return Err(Error::new_spanned(receiver, format!("`new` makes the service: write {USAGE}")));
    }
    let mut parameters = typed(method);
    let config = parameters.next().map(|parameter| &*parameter.ty);
    if let Some(second) = parameters.next() {
        let text = format!("`new` takes the config and nothing else: write {USAGE}");
        return Err(Error::new_spanned(second, text));
    }
    if let Some(Type::Reference(lent)) = config {
        return Err(Error::new_spanned(lent, format!("the config is given away: write {USAGE}")));
    }
    if let Some(ty) = config {
        refuse_no_map(ty)?;
    }
    let returns = match &signature.output {
        ReturnType::Type(_, ty) if is_called(ty, "Result") => ty,
        ReturnType::Type(_, ty) => return Err(Error::new_spanned(ty, wrong_return())),
        ReturnType::Default => return Err(Error::new_spanned(signature, wrong_return())),
    };
    let call_span = place(returns);
    let (ty, call) = match config {
        Some(ty) => (quote!(#ty), quote_spanned!(call_span=> Self::new(config))),
        None => (quote!(()), quote_spanned!(call_span=> Self::new())),
    };
    let parameter = if config.is_some() { quote!(config) } else { quote!(_) };
    let cfgs = cfgs(&method.attrs);
    Ok(quote! {
        #(#cfgs)*
        type Config = #ty;

        #(#cfgs)*
        fn new(#parameter: Self::Config) -> ::service_framework::Result<Self> {
            #call
        }
    })
}

/// The error for a block without `new`.
pub(super) fn missing(service: &Type) -> Error {
    Error::new_spanned(service, format!("nothing makes this service: add {USAGE}"))
}

/// What stands in for a `new` with errors, so that the compiler does not complain again wherever the service is used.
pub(super) fn stand_in() -> TokenStream {
    quote! {
        type Config = ();

        fn new(_: Self::Config) -> ::service_framework::Result<Self> {
            ::core::unreachable!("the service has errors")
        }
    }
}

fn wrong_return() -> String {
    "`new` may fail, since a config can be wrong: write `-> Result<Self>` and end with `Ok(Self { .. })`"
        .into()
}
