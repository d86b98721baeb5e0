//! Writes the declaration of a replyer or a subscriber.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{Attribute, Error, ImplItemFn, LitStr, Result};

use super::options::{Kind, Options, name_of};
use super::signature::{Cx, Lent, Signature, of_result, refuse_answer};
use super::{cfgs, place};
use crate::doc::doc;

/// A declared connection.
pub(super) struct Handler {
    pub(super) name: LitStr,
    pub(super) declaration: TokenStream,
}

/// Reads a method with `#[replyer]` or `#[subscriber]`.
pub(super) fn read(kind: Kind, attribute: &Attribute, method: &ImplItemFn) -> Result<Handler> {
    let options = Options::parse(kind, attribute)?;
    let what = format!("a {}", kind.name());
    let cx = if options.blocking.is_some() { Cx::BlockingContext } else { Cx::Context };
    let signature = Signature::read(&what, method, cx)?;
    let name = options.name.clone().unwrap_or_else(|| name_of(&method.sig.ident));
    let register = register(&options, method, &signature)?;
    let call = call(method, &signature);

    let args = signature.args.map_or_else(|| quote!(()), |ty| quote!(#ty));
    let opened = match kind {
        Kind::Subscriber => {
            refuse_answer(&what, signature.returns)?;
            quote!(service.subscriber(#name))
        }
        Kind::Replyer => {
            let returns = signature.returns;
            let answer = of_result(returns).map_or_else(
                || quote_spanned!(place(returns)=> <#returns as ::service_framework::__macro::Returned>::Ok),
                |answer| quote!(#answer),
            );
            quote_spanned!(place(returns)=> service.replyer::<#answer>(#name))
        }
    };
    let described = doc(&method.attrs);
    let described = (!described.is_empty()).then(|| quote!(.doc(#described)));
    let settings = &options.settings;
    let cfgs = cfgs(&method.attrs);
    let declaration = quote! {
        #(#cfgs)*
        { #opened #described #settings #register::<#args>(#call); }
    };
    Ok(Handler { name, declaration })
}

/// The method of `Handling` that takes the handler.
fn register(options: &Options, method: &ImplItemFn, signature: &Signature<'_>) -> Result<TokenStream> {
    if let Some(blocking) = options.blocking {
        if let Some(token) = &method.sig.asyncness {
            let text = "a blocking handler waits by blocking its thread: leave out `async`, or `blocking`";
            return Err(Error::new_spanned(token, text));
        }
        if signature.lent == Lent::Exclusive {
            let text = "a blocking handler runs beside others, on another thread: write `&self`, and put what changes into a \
                        `Mutex` or an atomic";
            return Err(Error::new_spanned(method.sig.receiver(), text));
        }
        let span = proc_macro2::Span::call_site().located_at(blocking);
        return Ok(quote_spanned!(span=> .handle_blocking));
    }
    let span = place(&method.sig.ident);
    Ok(match (method.sig.asyncness.is_some(), signature.lent) {
        (true, Lent::Shared) => quote_spanned!(span=> .handle),
        (true, Lent::Exclusive) => quote_spanned!(span=> .handle_mut),
        (false, Lent::Shared) => quote_spanned!(span=> .handle_inline),
        (false, Lent::Exclusive) => quote_spanned!(span=> .handle_inline_mut),
    })
}

/// A closure that calls the method.
fn call(method: &ImplItemFn, signature: &Signature<'_>) -> TokenStream {
    let ident = &method.sig.ident;
    let (args, pass_args) =
        if signature.args.is_some() { (quote!(args), quote!(args,)) } else { (quote!(_), quote!()) };
    let (cx, pass_cx) = if signature.cx { (quote!(cx), quote!(cx)) } else { (quote!(_), quote!()) };
    let call = quote_spanned!(place(signature.returns)=> Self::#ident(this, #pass_args #pass_cx));
    match method.sig.asyncness {
        Some(_) => quote!(async |this, #args, #cx| #call.await),
        None => quote!(|this, #args, #cx| #call),
    }
}
