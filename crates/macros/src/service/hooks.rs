//! Writes the declarations of the optional methods, which are known by their names.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Error, ImplItemFn, PatType, Result, ReturnType, Type};

use super::call::Call;
use super::parameters::{Cx, typed};
use super::signature::{Answers, Lent, Signature, Wanted, refuse_unusual};
use super::types::{is_called, of_result};
use super::{cfgs, place};

/// Reads a method that has the name of an optional one.
pub(super) fn read(method: &ImplItemFn) -> Option<Result<TokenStream>> {
    let name = method.sig.ident.to_string();
    let declaration = match &*name {
        "main" => main(method),
        "init" | "on_sigint" | "on_sigterm" => on_event(method),
        "setup_config" => setup(method, &["config: &Map"]),
        "setup_addresses" => setup(method, &["addresses: Map", "config: Config"]),
        "setup_connections" | "setup_states" => setup(method, &["config: Config"]),
        _ => return None,
    };
    let cfgs = cfgs(&method.attrs);
    Some(declaration.map(|declaration| quote!(#(#cfgs)* { #declaration; })))
}

fn main(method: &ImplItemFn) -> Result<TokenStream> {
    let is_async = method.sig.asyncness.is_some();
    let Call { cx, call, .. } = call(method, if is_async { Cx::Context } else { Cx::BlockingContext })?;
    let span = place(&method.sig.ident);
    Ok(match is_async {
        true => quote_spanned!(span=> service.main(async |this, #cx| #call)),
        false => quote_spanned!(span=> service.main_blocking(|this, #cx| #call)),
    })
}

fn on_event(method: &ImplItemFn) -> Result<TokenStream> {
    let Call { cx, call, .. } = call(method, Cx::Context)?;
    let ident = &method.sig.ident;
    Ok(quote_spanned!(place(ident)=> service.#ident(async |this, #cx| #call)))
}

/// The call of a method that has no arguments.
fn call(method: &ImplItemFn, cx: Cx) -> Result<Call> {
    let what = format!("`{}`", method.sig.ident);
    let signature = Signature::read(&Wanted { what: &what, cx, answers: Answers::Nothing }, method)?;
    if signature.lent == Lent::Exclusive {
        let text = format!(
            "{what} runs beside the handlers: write `&self`, and put what changes into a `Cell`, an atomic or a `Mutex`"
        );
        return Err(Error::new_spanned(method.sig.receiver(), text));
    }
    if let Some(args) = signature.args {
        let text = format!(
            "{what} is called without arguments; what the config says is kept by `new` in the service"
        );
        return Err(Error::new_spanned(args, text));
    }
    Ok(Call::of(method, &signature))
}

/// An optional method that runs before there is an instance.
fn setup(method: &ImplItemFn, parameters: &[&str]) -> Result<TokenStream> {
    let ident = &method.sig.ident;
    let what = format!("`{ident}`");
    let usage = format!("write `fn {ident}({}) -> Result<Map>`", parameters.join(", "));
    let wrong = |tokens: &dyn ToTokens, why: &str| Error::new_spanned(tokens, format!("{why}: {usage}"));
    refuse_unusual(&what, method)?;
    if let Some(receiver) = method.sig.receiver() {
        return Err(wrong(receiver, &format!("{what} runs before there is a service")));
    }
    if let Some(token) = &method.sig.asyncness {
        return Err(wrong(token, &format!("{what} runs before anything can be waited for")));
    }
    let is_lent = |parameter: &PatType| matches!(*parameter.ty, Type::Reference(_));
    let wanted = parameters.iter().map(|parameter| parameter.contains('&'));
    if !typed(method).map(is_lent).eq(wanted) {
        return Err(wrong(&method.sig, &format!("{what} has other parameters")));
    }
    match &method.sig.output {
        ReturnType::Type(_, ty) if matches!(of_result(ty).as_deref(), Some([map]) if is_called(map, "Map")) =>
            {}
        output => return Err(wrong(output, &format!("{what} returns a map"))),
    }
    Ok(quote_spanned!(place(ident)=> service.#ident(Self::#ident)))
}
