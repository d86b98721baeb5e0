//! Writes the declarations of the optional methods, which are known by their names.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote, quote_spanned};
use syn::{Error, Ident, ImplItemFn, Result, ReturnType};

use super::signature::{Cx, Lent, Signature, refuse_answer, refuse_unusual, typed};
use super::{cfgs, place};

/// Reads a method that has the name of an optional one.
pub(super) fn read(method: &ImplItemFn) -> Option<Result<TokenStream>> {
    let name = method.sig.ident.to_string();
    let declaration = match &*name {
        "main" => main(method),
        "init" | "on_sigint" | "on_sigterm" => on_event(&name, method),
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
    let cx = if is_async { Cx::Context } else { Cx::BlockingContext };
    let call = call("main", method, cx)?;
    let span = place(&method.sig.ident);
    Ok(match is_async {
        true => quote_spanned!(span=> service.main(async #call.await)),
        false => quote_spanned!(span=> service.main_blocking(#call)),
    })
}

fn on_event(name: &str, method: &ImplItemFn) -> Result<TokenStream> {
    let call = call(name, method, Cx::Context)?;
    let wait = method.sig.asyncness.map(|_| quote!(.await));
    let ident = &method.sig.ident;
    Ok(quote_spanned!(place(ident)=> service.#ident(async #call #wait)))
}

/// A closure that calls a method which has no arguments.
fn call(name: &str, method: &ImplItemFn, cx: Cx) -> Result<TokenStream> {
    let what = format!("`{name}`");
    let Signature { lent, args, cx, returns } = Signature::read(&what, method, cx)?;
    if lent == Lent::Exclusive {
        let text = format!(
            "{what} runs beside the handlers: write `&self`, and put what changes into a `Cell`, an atomic or a `Mutex`"
        );
        return Err(Error::new_spanned(method.sig.receiver(), text));
    }
    if let Some(args) = args {
        let text = format!(
            "{what} is called without arguments; what the config says is kept by `new` in the service"
        );
        return Err(Error::new_spanned(args, text));
    }
    refuse_answer(&what, returns)?;
    let ident = &method.sig.ident;
    let (taken, passed) = if cx { (quote!(cx), quote!(, cx)) } else { (quote!(_), quote!()) };
    let call = quote_spanned!(place(returns)=> Self::#ident(this #passed));
    Ok(quote!(|this, #taken| #call))
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
    if typed(method).count() != parameters.len() {
        return Err(wrong(&method.sig, &format!("{what} has other parameters")));
    }
    if let ReturnType::Default = method.sig.output {
        return Err(wrong(&method.sig, &format!("{what} returns what it sets up")));
    }
    Ok(quote_spanned!(place(ident)=> service.#ident(Self::#ident)))
}

/// Whether a method is an optional one.
pub(super) fn is_hook(ident: &Ident) -> bool {
    const NAMES: [&str; 8] = [
        "main",
        "init",
        "on_sigint",
        "on_sigterm",
        "setup_config",
        "setup_addresses",
        "setup_connections",
        "setup_states",
    ];
    NAMES.iter().any(|name| ident == name)
}
