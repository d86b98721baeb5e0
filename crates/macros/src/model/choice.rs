//! An enum without data, or a struct without fields: one of a few texts on the wire.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::{DataEnum, DeriveInput, Error, Fields, Result, Variant};

use super::attributes::{Container, Inner};
use super::{Bodies, implementation, refuse_repeated};

/// An enum.
pub(super) fn implement(input: &DeriveInput, container: &Container, data: &DataEnum) -> Result<TokenStream> {
    if data.variants.is_empty() {
        return Err(Error::new_spanned(&input.ident, "an enum without variants has no value: give it some"));
    }
    let names = data.variants.iter().map(|variant| name(container, variant)).collect::<Result<Vec<_>>>()?;
    let idents: Vec<_> = data.variants.iter().map(|variant| &variant.ident).collect();
    refuse_repeated(names.iter().map(String::as_str).zip(&idents))?;
    let values: Vec<_> = idents.iter().map(|ident| quote!(Self::#ident)).collect();
    Ok(texts(input, container, &names, &values))
}

/// A struct without fields.
pub(super) fn implement_unit(input: &DeriveInput, container: &Container) -> Result<TokenStream> {
    Ok(texts(input, container, &[container.name_of(&input.ident)], &[quote!(Self)]))
}

fn name(container: &Container, variant: &Variant) -> Result<String> {
    if !matches!(variant.fields, Fields::Unit) {
        return Err(Error::new_spanned(
            &variant.fields,
            "a variant of a model holds no data, the wire has no form for it: write a struct with an enum that \
             says which, and an `Option` for what each of them needs",
        ));
    }
    let name = Inner::parse(&variant.attrs, "a variant", &["name"])?.name;
    Ok(name.unwrap_or_else(|| container.name_of(&variant.ident)))
}

fn texts(
    input: &DeriveInput,
    container: &Container,
    names: &[String],
    values: &[TokenStream],
) -> TokenStream {
    let Container { krate, doc, .. } = container;
    let type_name = input.ident.unraw().to_string();
    let bodies = Bodies {
        shape: quote!(shapes.choice(#type_name, #doc, &[#(#names),*])),
        decode: quote!(#krate::model::derive::choice(reader, &[#(#names),*])),
        encode: quote!(writer.text(&#krate::model::Key::to_text(self))),
        absent: quote!(),
    };
    let model = bodies.into_impl(input, krate);
    let body = quote! {
        fn to_text(&self) -> ::std::borrow::Cow<'_, str> {
            ::std::borrow::Cow::Borrowed(match self {
                #(#values => #names,)*
            })
        }
        fn from_text(text: &str) -> ::core::option::Option<Self> {
            match text {
                #(#names => ::core::option::Option::Some(#values),)*
                _ => ::core::option::Option::None,
            }
        }
    };
    let key = implementation(input, krate, &quote!(#krate::model::Key), &body);
    quote!(#model #key)
}
