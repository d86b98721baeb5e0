//! A struct with named fields: a map on the wire.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Error, Ident, Result, Token};

use super::attributes::{Container, Inner, refuse_tag};
use super::{Bodies, place, refuse_repeated};
use crate::doc::doc;

struct Field<'a> {
    ident: &'a Ident,
    ty: &'a syn::Type,
    name: String,
    doc: String,
    default: Option<TokenStream>,
    slot: Ident,
}

pub(super) fn implement(
    input: &DeriveInput,
    container: &Container,
    fields: &Punctuated<syn::Field, Token![,]>,
) -> Result<TokenStream> {
    let fields =
        fields.iter().enumerate().map(|(i, field)| read(container, i, field)).collect::<Result<Vec<_>>>()?;
    refuse_repeated(fields.iter().map(|field| (&*field.name, field.ident)))?;
    let krate = &container.krate;
    let bodies = Bodies {
        shape: shape(input, container, &fields),
        decode: decode(container, &fields),
        encode: encode(container, &fields),
        absent: quote!(),
    };
    Ok(bodies.into_impl(input, krate))
}

fn read<'a>(container: &Container, index: usize, field: &'a syn::Field) -> Result<Field<'a>> {
    let Inner { name, default } = Inner::parse(&field.attrs, "a field", &["name", "default"])?;
    let ident = field.ident.as_ref().expect("the fields are named");
    let name = name.unwrap_or_else(|| container.name_of(ident));
    if let Some(refusal) = refuse_tag(&name) {
        return Err(Error::new_spanned(ident, refusal));
    }
    let slot = format_ident!("slot_{index}");
    Ok(Field { ident, ty: &field.ty, name, doc: doc(&field.attrs), default, slot })
}

fn shape(input: &DeriveInput, container: &Container, fields: &[Field<'_>]) -> TokenStream {
    let Container { doc, open, .. } = container;
    let type_name = container_name(input);
    let fields = fields.iter().map(|Field { ty, name, doc, default, .. }| {
        let add = if default.is_some() { quote!(field_with_default) } else { quote!(field) };
        quote_spanned!(place(ty)=> shapes.#add::<#ty>(#name, #doc))
    });
    quote! {
        shapes.record::<Self>(#type_name, #doc, #open, |shapes| {
            let _ = &shapes;
            ::std::vec![#(#fields),*]
        })
    }
}

fn container_name(input: &DeriveInput) -> String {
    use syn::ext::IdentExt as _;
    input.ident.unraw().to_string()
}

fn decode(container: &Container, fields: &[Field<'_>]) -> TokenStream {
    let krate = &container.krate;
    let slots = fields.iter().map(|Field { ty, slot, .. }| {
        quote!(let mut #slot: ::core::option::Option<#ty> = ::core::option::Option::None;)
    });
    let arms = fields.iter().map(|field @ Field { ty, name, slot, .. }| {
        let absent = absent(krate, field);
        let key = syn::LitByteStr::new(name.as_bytes(), ty.span());
        quote_spanned!(place(ty)=>
            #key => #krate::model::derive::read(reader, at, #name, &mut #slot, #absent)?,)
    });
    let values = fields.iter().map(|field @ Field { ident, name, slot, ty, .. }| {
        let absent = absent(krate, field);
        quote_spanned!(place(ty)=> #ident: #krate::model::derive::take(#slot, start, #name, #absent)?,)
    });
    let names = fields.iter().map(|field| &field.name);
    let stray = if container.open {
        quote!(#krate::model::derive::pass(reader, start, at, &key)?)
    } else {
        quote!(return ::core::result::Result::Err(#krate::model::derive::unknown(reader, start, at, &key, &[#(#names),*])))
    };
    quote! {
        let start = reader.offset();
        let mut entries = #krate::model::derive::map(reader)?;
        #(#slots)*
        while let ::core::option::Option::Some((at, key)) = #krate::model::derive::key(&mut entries, reader)? {
            match &*key {
                #(#arms)*
                _ => #stray,
            }
        }
        ::core::result::Result::Ok(Self { #(#values)* })
    }
}

/// A function that gives the value of a field that the message does not have, if it may be missing.
fn absent(krate: &syn::Path, Field { ty, default, .. }: &Field<'_>) -> TokenStream {
    match default {
        // A call with its type tells the compiler what an expression without a type of its own is.
        Some(value) => quote_spanned! {place(value)=>
            || ::core::option::Option::Some::<#ty>(#value)
        },
        None => quote_spanned!(place(ty)=> <#ty as #krate::model::Model>::absent),
    }
}

fn encode(container: &Container, fields: &[Field<'_>]) -> TokenStream {
    let krate = &container.krate;
    let is_written = |Field { ident, ty, default, .. }: &Field<'_>| {
        let call = if default.is_some() { quote!(is_written_with_default) } else { quote!(is_written) };
        quote_spanned!(place(ty)=> #krate::model::derive::#call(&self.#ident, writer))
    };
    let counts = fields.iter().map(|field| {
        let is_written = is_written(field);
        quote!(+ ::core::primitive::usize::from(#is_written))
    });
    let writes = fields.iter().map(|field @ Field { ident, ty, name, .. }| {
        let is_written = is_written(field);
        quote_spanned! {place(ty)=>
            if #is_written {
                writer.key(#name);
                #krate::model::Model::encode(&self.#ident, writer);
            }
        }
    });
    quote! {
        // Ends what would go on without end: a record may hold itself.
        if writer.has_failed() {
            return;
        }
        writer.map(0 #(#counts)*);
        #(#writes)*
        writer.end_map();
    }
}
