//! A struct of one unnamed field: that field on the wire.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::{DeriveInput, Field, Result};

use super::attributes::{Container, Inner};
use super::{Bodies, implementation, place};

pub(super) fn implement(input: &DeriveInput, container: &Container, field: &Field) -> Result<TokenStream> {
    Inner::parse(&field.attrs, "an unnamed field", &[])?;
    let krate = &container.krate;
    let ty = &field.ty;
    let inner = quote_spanned!(place(ty)=> <#ty as #krate::model::Model>);
    let bodies = Bodies {
        shape: quote!(#inner::shape(shapes)),
        decode: quote!(#inner::decode(reader).map(Self)),
        encode: quote!(#inner::encode(&self.0, writer)),
        absent: quote! {
            fn absent() -> ::core::option::Option<Self> {
                #inner::absent().map(Self)
            }
            fn is_absent(&self) -> bool {
                #inner::is_absent(&self.0)
            }
        },
    };
    let model = bodies.into_impl(input, krate);
    if !container.key {
        return Ok(model);
    }
    let inner = quote_spanned!(place(ty)=> <#ty as #krate::model::Key>);
    let body = quote! {
        fn to_text(&self) -> ::std::borrow::Cow<'_, str> {
            #inner::to_text(&self.0)
        }
        fn from_text(text: &str) -> ::core::option::Option<Self> {
            #inner::from_text(text).map(Self)
        }
    };
    let key = implementation(input, krate, &quote!(#krate::model::Key), &body);
    Ok(quote!(#model #key))
}
