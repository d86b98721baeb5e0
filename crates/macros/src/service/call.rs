//! Writes the call of a method from the closure that is declared for it.

use proc_macro2::TokenStream;
use quote::{ToTokens as _, quote, quote_spanned};
use syn::{Ident, ImplItemFn};

use super::place;
use super::signature::Signature;

/// The call, and how the parameters beside `this` are named that the closure has for it.
pub(super) struct Call {
    pub(super) args: TokenStream,
    pub(super) cx: TokenStream,
    pub(super) call: TokenStream,
}

impl Call {
    pub(super) fn of(method: &ImplItemFn, signature: &Signature<'_>) -> Self {
        // All of it points at the return type, since nothing else in it can be wrong.
        let span = place(signature.returns);
        let mut ident = method.sig.ident.clone();
        ident.set_span(span);
        let parameter = |is_taken: bool, name: &str| is_taken.then(|| Ident::new(name, span));
        let args = parameter(signature.args.is_some(), "args");
        let cx = parameter(signature.cx, "cx");
        let passed = args.iter().chain(&cx);
        let wait = method.sig.asyncness.map(|_| quote_spanned!(span=> .await));
        let call = quote_spanned! {span=>
            ::service_framework::__macro::returned(Self::#ident(this #(, #passed)*) #wait)
        };
        let pattern =
            |name: &Option<Ident>| name.as_ref().map_or_else(|| quote!(_), |name| name.to_token_stream());
        Self { args: pattern(&args), cx: pattern(&cx), call }
    }
}
