//! A struct with named fields: a map on the wire.

use proc_macro2::{Span, TokenStream, TokenTree};
use quote::{ToTokens as _, format_ident, quote, quote_spanned};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{DeriveInput, Error, Ident, Path, Result, Token, Type};

use super::attributes::{Container, Inner, refuse_tag};
use super::{Bodies, place, refuse_repeated};
use crate::doc::doc;

pub(super) struct Field<'a> {
    pub(super) ident: &'a Ident,
    pub(super) ty: &'a Type,
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) default: Option<TokenStream>,
    slot: Ident,
}

pub(super) fn implement(
    input: &DeriveInput,
    container: &Container,
    fields: &Punctuated<syn::Field, Token![,]>,
) -> Result<TokenStream> {
    let fields = read_all(container, fields)?;
    let krate = &container.krate;
    let bodies = Bodies {
        shape: shape(input, container, &fields),
        decode: decode(container, &fields),
        encode: encode(container, &fields),
        absent: quote!(),
    };
    Ok(bodies.into_impl(input, krate))
}

/// Reads the fields, and refuses those that messages could not tell apart.
pub(super) fn read_all<'a>(
    container: &Container,
    fields: &'a Punctuated<syn::Field, Token![,]>,
) -> Result<Vec<Field<'a>>> {
    let fields =
        fields.iter().enumerate().map(|(i, field)| read(container, i, field)).collect::<Result<Vec<_>>>()?;
    refuse_repeated(fields.iter().map(|field| (&*field.name, field.ident)))?;
    Ok(fields)
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
    let krate = &container.krate;
    let fields = fields.iter().map(|Field { ty, name, doc, default, .. }| {
        let has_default = default.is_some();
        let [shape, absent] = ["shape", "absent"].map(|function| of_model(krate, ty, function));
        let field = helper(krate, ty, "field");
        quote!(#field(shapes, #name, #doc, #has_default, #shape, #absent))
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
    let arms = fields.iter().map(|Field { ty, name, slot, default, .. }| {
        let key = syn::LitByteStr::new(name.as_bytes(), Span::call_site());
        let [decode, absent] = ["decode", "absent"].map(|function| of_model(krate, ty, function));
        let default = or_default(ty, default.as_ref());
        let read = helper(krate, ty, "read");
        let absent =
            if default.is_empty() { absent } else { quote_spanned!(place(ty)=> || #absent() #default) };
        quote! {
            #key => {
                #read(reader, at, #name, &mut #slot, #decode, #absent)?
            }
        }
    });
    let values = fields.iter().map(|Field { ident, name, slot, ty, default, .. }| {
        let absent = match default {
            // What the message does not have is the default, even where null would be something else.
            Some(_) => {
                let default = or_default(ty, default.as_ref());
                quote!(|| ::core::option::Option::None #default)
            }
            None => of_model(krate, ty, "absent"),
        };
        let take = helper(krate, ty, "take");
        quote!(#ident: #take(#slot, start, #name, #absent)?,)
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

/// A function of the type as a model.
fn of_model(krate: &Path, ty: &Type, function: &str) -> TokenStream {
    let (krate, function) = (at_type(krate, ty), Ident::new(function, ty.span()));
    quote_spanned!(ty.span()=> <#ty as #krate::model::Model>::#function)
}

/// A function that is given one of those.
fn helper(krate: &Path, ty: &Type, function: &str) -> TokenStream {
    let (krate, function) = (at_type(krate, ty), Ident::new(function, ty.span()));
    quote_spanned!(ty.span()=> #krate::model::derive::#function)
}

/// The path as if it had been written where the type is: when all that asks something of a type stands at one place, the compiler
/// says once that the type is no model, and otherwise again and again.
fn at_type(path: &Path, ty: &Type) -> TokenStream {
    let respan = |mut token: TokenTree| {
        token.set_span(ty.span());
        token
    };
    path.to_token_stream().into_iter().map(respan).collect()
}

/// What follows an optional value to make it the default, if there is one.
fn or_default(ty: &Type, default: Option<&TokenStream>) -> TokenStream {
    default.map_or_else(TokenStream::new, |value| {
        quote_spanned!(place(value)=> .or_else(|| {
            let default: #ty = #value;
            ::core::option::Option::Some(default)
        }))
    })
}

fn encode(container: &Container, fields: &[Field<'_>]) -> TokenStream {
    let krate = &container.krate;
    let is_written = |Field { ident, ty, default, .. }: &Field<'_>| {
        let is_absent = of_model(krate, ty, "is_absent");
        let is_absent = quote_spanned!(place(ty)=> #is_absent(&self.#ident));
        match default {
            Some(_) => quote!(#krate::model::derive::is_written(#is_absent, writer)),
            None => quote!(!#is_absent),
        }
    };
    let counts = fields.iter().map(|field| {
        let is_written = is_written(field);
        quote!(+ ::core::primitive::usize::from(#is_written))
    });
    let writes = fields.iter().map(|field @ Field { ident, ty, name, .. }| {
        let is_written = is_written(field);
        let encode = of_model(krate, ty, "encode");
        let encode = quote_spanned!(place(ty)=> #encode(&self.#ident, writer));
        quote! {
            if #is_written {
                writer.key(#name);
                #encode;
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
