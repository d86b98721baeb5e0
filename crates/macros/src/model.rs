//! Writes the implementation of `Model` for a type.

mod attributes;
mod choice;
mod names;
mod record;
mod transparent;
pub(crate) mod state;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, Path, Result};

use attributes::Container;

/// The implementation, or the errors that say why there is none.
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    let mut krate = attributes::default_crate();
    implement(input, &mut krate).unwrap_or_else(|error| {
        let errors = error.into_compile_error();
        // With this the compiler does not complain again wherever the type is used.
        let unreached = quote!(::core::unreachable!("the model has errors"));
        let bodies = Bodies {
            shape: unreached.clone(),
            decode: unreached.clone(),
            encode: unreached,
            absent: quote!(),
        };
        let implementation = bodies.into_impl(input, &krate);
        quote!(#errors #implementation)
    })
}

fn implement(input: &DeriveInput, krate: &mut Path) -> Result<TokenStream> {
    let container = Container::parse(input)?;
    krate.clone_from(&container.krate);
    if let Some(lifetime) = input.generics.lifetimes().next() {
        let text = "a model owns what it holds: write `String` for `&str`, `Vec<T>` for `&[T]`";
        return Err(Error::new_spanned(lifetime, text));
    }
    match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => record::implement(input, &container, &fields.named),
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => {
                transparent::implement(input, &container, &fields.unnamed[0])
            }
            Fields::Unnamed(fields) => Err(Error::new_spanned(
                fields,
                "a model has named fields, or one unnamed field that stands for it: name these, \
                 or wrap one tuple, as in `struct Point((f64, f64));`",
            )),
            Fields::Unit => choice::implement_unit(input, &container),
        },
        Data::Enum(data) => choice::implement(input, &container, data),
        Data::Union(data) => Err(Error::new_spanned(
            data.union_token,
            "a union cannot be a model: write a struct, with `Option` for the fields that may be missing",
        )),
    }
}

/// The bodies of the trait's functions.
struct Bodies {
    shape: TokenStream,
    decode: TokenStream,
    encode: TokenStream,
    /// Whole functions, if the type may be absent.
    absent: TokenStream,
}

impl Bodies {
    fn into_impl(self, input: &DeriveInput, krate: &Path) -> TokenStream {
        let Self { shape, decode, encode, absent } = self;
        implementation(
            input,
            krate,
            &quote!(#krate::model::Model),
            &quote! {
                fn shape(shapes: &mut #krate::model::Shapes) -> #krate::model::Shape {
                    #shape
                }
                fn decode(reader: &mut #krate::wire::Reader<'_>) -> ::core::result::Result<Self, #krate::Fault> {
                    #decode
                }
                fn encode(&self, writer: &mut #krate::wire::Writer) {
                    #encode
                }
                #absent
            },
        )
    }
}

/// An implementation of a trait for the type, whose type parameters must be models.
fn implementation(
    input: &DeriveInput,
    krate: &Path,
    implemented: &TokenStream,
    body: &TokenStream,
) -> TokenStream {
    let mut generics = input.generics.clone();
    for parameter in generics.type_params_mut() {
        parameter.bounds.push(syn::parse_quote!(#krate::model::Model));
    }
    let (parameters, arguments, bounds) = generics.split_for_impl();
    let name = &input.ident;
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications, reason = "whole paths mean the same wherever the type stands")]
        impl #parameters #implemented for #name #arguments #bounds {
            #body
        }
    }
}

/// Refuses two fields or variants of one name in messages; `named` are the names with what they belong to.
fn refuse_repeated<'a, T: ToTokens + 'a>(named: impl Iterator<Item = (&'a str, T)>) -> Result<()> {
    let mut seen = std::collections::HashSet::new();
    for (name, tokens) in named {
        if !seen.insert(name) {
            let text = format!(
                "`{name}` stands twice in the messages of this model: give one of the two another name"
            );
            return Err(Error::new_spanned(tokens, text));
        }
    }
    Ok(())
}

/// Where the compiler points when generated code that concerns `tokens` is wrong, seeing the names of generated code.
fn place(tokens: &impl Spanned) -> Span {
    Span::call_site().located_at(tokens.span())
}
