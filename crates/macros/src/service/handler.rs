//! Writes the declaration of a replyer or a subscriber.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Error, ImplItemFn, LitStr, Result};

use super::call::Call;
use super::options::{Kind, Options, name_of};
use super::parameters::Cx;
use super::signature::{Lent, Signature, Wanted};
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
    let wanted = Wanted {
        what: &format!("a {}", kind.name()),
        cx: if options.blocking.is_some() { Cx::BlockingContext } else { Cx::Context },
        answers: kind.answers(),
    };
    let signature = Signature::read(&wanted, method)?;
    let name = options.name.clone().unwrap_or_else(|| name_of(&method.sig.ident));
    let answer = signature.answer;
    let opened = match kind {
        Kind::Subscriber => quote!(service.subscriber(#name)),
        Kind::Replyer => quote!(service.replyer::<#answer>(#name)),
    };
    let register = register(options.blocking, method, &signature)?;
    let taken = signature.args.map_or_else(|| quote!(()), |ty| quote!(#ty));
    let Call { args, cx, call } = Call::of(method, &signature);
    let wait = method.sig.asyncness;
    let closure = quote!(#wait |this, #args, #cx| #call);
    let described = doc(&method.attrs);
    let described = (!described.is_empty()).then(|| quote!(.doc(#described)));
    let settings = &options.settings;
    let cfgs = cfgs(&method.attrs);
    let declaration = quote! {
        #(#cfgs)*
        { #opened #described #settings #register::<#taken>(#closure); }
    };
    Ok(Handler { name, declaration })
}

/// The method of `Handling` or `Updating` that takes the handler; `blocking` is where that stands.
pub(super) fn register(
    blocking: Option<Span>,
    method: &ImplItemFn,
    signature: &Signature<'_>,
) -> Result<TokenStream> {
    if let Some(blocking) = blocking {
        if let Some(token) = &method.sig.asyncness {
            let text = "a blocking handler waits by blocking its thread: leave out `async`, or `blocking`";
            return Err(Error::new_spanned(token, text));
        }
        if signature.lent == Lent::Exclusive {
            let text = "a blocking handler runs beside others, on another thread: write `&self`, and put what changes into a \
                        `Mutex` or an atomic";
            return Err(Error::new_spanned(method.sig.receiver(), text));
        }
        let span = Span::call_site().located_at(blocking);
        return Ok(quote_spanned!(span=> .handle_blocking));
    }
    // What this method demands of its own is that the answer is a model.
    let span = place(signature.answer);
    Ok(match (method.sig.asyncness.is_some(), signature.lent) {
        (true, Lent::Shared) => quote_spanned!(span=> .handle),
        (true, Lent::Exclusive) => quote_spanned!(span=> .handle_mut),
        (false, Lent::Shared) => quote_spanned!(span=> .handle_inline),
        (false, Lent::Exclusive) => quote_spanned!(span=> .handle_inline_mut),
    })
}
