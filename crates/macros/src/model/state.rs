//! Writes the change of a struct, and the implementation of `State` that makes it.

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt as _;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Data, DeriveInput, Error, Fields, GenericArgument, Ident, LitStr, Path, PathArguments, Result,
    Token, Type,
};

use super::attributes::Container;
use super::place;
use super::record::{Field, read_all};

/// The change and the implementation, or the errors that say why there are none.
pub(crate) fn derive(input: &DeriveInput) -> TokenStream {
    implement(input).unwrap_or_else(Error::into_compile_error)
}

fn implement(input: &DeriveInput) -> Result<TokenStream> {
    if let Some(parameter) = input.generics.params.first() {
        let text = "a state has no parameters, since its change has a type of its own: name the type that stands here, \
                    or implement `State` by hand";
        return Err(Error::new_spanned(parameter, text));
    }
    let named = match &input.data {
        Data::Struct(data) => match &data.fields {
            Fields::Named(fields) => Some(&fields.named),
            _ => None,
        },
        _ => None,
    };
    let fields = named.ok_or_else(|| {
        let text = "a state changes key by key, so it is a struct with named fields: put this into one, or take a \
                    `BTreeMap`, or share it whole, as a `FullUpdateOut` does";
        Error::new_spanned(&input.ident, text)
    })?;
    let options = Options::parse(&input.attrs)?;
    // What is wrong with these attributes, the model says.
    let Ok(container) = Container::parse(input) else { return Ok(TokenStream::new()) };
    let Ok(fields) = read_all(&container, fields) else { return Ok(TokenStream::new()) };
    let fields = fields.iter().map(Changed::of).collect::<Result<Vec<_>>>()?;
    let name = options.change.unwrap_or_else(|| format_ident!("{}Change", input.ident.unraw()));
    let change = change(input, &container, &name, &options.derives, &fields);
    let model = model(&container, &name, &fields);
    let state = state(input, &container.krate, &name, &fields);
    Ok(quote!(#change #model #state))
}

/// What stands in `#[state(..)]`.
#[derive(Default)]
struct Options {
    change: Option<Ident>,
    derives: Vec<Path>,
}

impl Options {
    fn parse(attributes: &[Attribute]) -> Result<Self> {
        let mut options = Self::default();
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("state")) {
            attribute.parse_nested_meta(|meta| {
                if meta.path.is_ident("change") {
                    let name: LitStr = meta.value()?.parse()?;
                    options.change = Some(name.parse()?);
                } else if meta.path.is_ident("derive") {
                    let inner;
                    syn::parenthesized!(inner in meta.input);
                    options.derives.extend(Punctuated::<Path, Token![,]>::parse_terminated(&inner)?);
                } else {
                    return Err(meta.error("a state takes `change = \"..\"` and `derive(..)` here"));
                }
                Ok(())
            })?;
        }
        Ok(options)
    }
}

/// A field, and what becomes of it in a change.
struct Changed<'a> {
    field: &'a Field<'a>,
    becomes: Becomes<'a>,
}

enum Becomes<'a> {
    /// A new value.
    Required,
    /// A new value of this type, or nothing.
    Optional(&'a Type),
    /// A new value, or its default.
    WithDefault(&'a TokenStream),
}

impl<'a> Changed<'a> {
    fn of(field: &'a Field<'a>) -> Result<Self> {
        let becomes = match (inside_option(field.ty), &field.default) {
            (Some(_), Some(_)) => {
                let text = "in a change null removes the field, which gives it its default, so that nothing would say `None`: \
                            leave out the default, or `Option`";
                return Err(Error::new_spanned(field.ty, text));
            }
            (Some(inner), None) => Becomes::Optional(inner),
            (None, Some(default)) => Becomes::WithDefault(default),
            (None, None) => Becomes::Required,
        };
        Ok(Self { field, becomes })
    }

    /// The type that the field has in the change.
    fn ty(&self, krate: &Path) -> TokenStream {
        let ty = self.field.ty;
        match self.becomes {
            Becomes::Required => quote!(::core::option::Option<#ty>),
            Becomes::Optional(inner) => quote!(#krate::state::Edit<#inner>),
            Becomes::WithDefault(_) => quote!(#krate::state::Edit<#ty>),
        }
    }

    /// The default as a function.
    fn default(&self) -> TokenStream {
        let Becomes::WithDefault(value) = self.becomes else { return TokenStream::new() };
        let ty = self.field.ty;
        quote_spanned!(place(value)=> || {
            let default: #ty = #value;
            default
        })
    }
}

/// What an `Option` holds, if the type is written as one.
fn inside_option(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Option")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(inner)) if arguments.args.len() == 1 => Some(inner),
        _ => None,
    }
}

/// The struct of the change.
fn change(
    input: &DeriveInput,
    container: &Container,
    name: &Ident,
    derives: &[Path],
    fields: &[Changed<'_>],
) -> TokenStream {
    let visibility = &input.vis;
    let doc = format!("A change of [`{}`]: what is not set here stays as it is.", input.ident);
    let doc = if container.doc.is_empty() { doc } else { format!("{doc}\n\n{}", container.doc) };
    let Data::Struct(data) = &input.data else { unreachable!("it was one above") };
    let fields = fields.iter().zip(&data.fields).map(|(changed, field)| {
        let (visibility, ident, ty) = (&field.vis, changed.field.ident, changed.ty(&container.krate));
        let doc = &changed.field.doc;
        let doc = (!doc.is_empty()).then(|| quote!(#[doc = #doc]));
        quote!(#doc #visibility #ident: #ty)
    });
    quote! {
        #[doc = #doc]
        #[derive(::core::clone::Clone, ::core::default::Default, #(#derives),*)]
        #visibility struct #name {
            #(#fields),*
        }
    }
}

/// The implementation of `Model` for the change.
fn model(container: &Container, name: &Ident, fields: &[Changed<'_>]) -> TokenStream {
    let Container { krate, doc, open, .. } = container;
    let type_name = name.unraw().to_string();
    let edit = quote!(#krate::state::Edit);
    let shapes = fields.iter().map(|Changed { field: Field { ty, name, doc, .. }, .. }| {
        let of = quote_spanned!(place(ty)=> <#ty as #krate::model::Model>);
        quote!(#krate::model::derive::field(shapes, #name, #doc, true, #of::shape, #of::absent))
    });
    let arms = fields.iter().map(|Changed { field: Field { ident, ty, name, .. }, becomes }| {
        let key = syn::LitByteStr::new(name.as_bytes(), Span::call_site());
        let read = match becomes {
            Becomes::Required => quote!(read_required),
            _ => quote!(read_edit),
        };
        let read = quote_spanned!(place(ty)=> #krate::state::derive::#read);
        quote!(#key => #read(reader, at, #name, &mut change.#ident)?,)
    });
    let names = fields.iter().map(|changed| &changed.field.name);
    let stray = if *open {
        quote!(#krate::model::derive::pass(reader, start, at, &key)?)
    } else {
        quote!(return ::core::result::Result::Err(#krate::model::derive::unknown(reader, start, at, &key, &[#(#names),*])))
    };
    let counts = fields.iter().map(|changed| {
        let ident = changed.field.ident;
        let is_kept = match changed.becomes {
            Becomes::Required => quote!(::core::option::Option::is_none(&self.#ident)),
            _ => quote!(::core::matches!(self.#ident, #edit::Keep)),
        };
        quote!(+ ::core::primitive::usize::from(!#is_kept))
    });
    let writes = fields.iter().map(|changed| {
        let Field { ident, ty, name, .. } = changed.field;
        let default = changed.default();
        let write = match changed.becomes {
            Becomes::Required => quote!(write_required(writer, #name, self.#ident.as_ref())),
            Becomes::Optional(_) => quote!(write_edit(writer, #name, &self.#ident)),
            Becomes::WithDefault(_) => quote!(write_with_default(writer, #name, &self.#ident, #default)),
        };
        quote_spanned!(place(ty)=> #krate::state::derive::#write;)
    });
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications, reason = "whole paths mean the same wherever the type stands")]
        impl #krate::model::Model for #name {
            fn shape(shapes: &mut #krate::model::Shapes) -> #krate::model::Shape {
                shapes.record::<Self>(#type_name, #doc, #open, |shapes| {
                    let _ = &shapes;
                    ::std::vec![#(#shapes),*]
                })
            }
            fn decode(reader: &mut #krate::wire::Reader<'_>) -> ::core::result::Result<Self, #krate::Fault> {
                let start = reader.offset();
                let mut entries = #krate::model::derive::map(reader)?;
                #[allow(unused_mut, reason = "there may be no fields")]
                let mut change = <Self as ::core::default::Default>::default();
                while let ::core::option::Option::Some((at, key)) = #krate::model::derive::key(&mut entries, reader)? {
                    match &*key {
                        #(#arms)*
                        _ => #stray,
                    }
                }
                ::core::result::Result::Ok(change)
            }
            fn encode(&self, writer: &mut #krate::wire::Writer) {
                if writer.has_failed() {
                    return;
                }
                writer.map(0 #(#counts)*);
                #(#writes)*
                writer.end_map();
            }
        }
    }
}

/// The implementation of `State` for the struct.
fn state(input: &DeriveInput, krate: &Path, change: &Ident, fields: &[Changed<'_>]) -> TokenStream {
    let name = &input.ident;
    let applies = fields.iter().map(|changed| {
        let Field { ident, ty, .. } = changed.field;
        let default = changed.default();
        match changed.becomes {
            Becomes::Required => quote! {
                if let ::core::option::Option::Some(value) = change.#ident {
                    self.#ident = value;
                }
            },
            Becomes::Optional(_) => {
                quote_spanned!(place(ty)=> #krate::state::derive::apply_edit(&mut self.#ident, change.#ident);)
            }
            Becomes::WithDefault(_) => quote_spanned! {place(ty)=>
                #krate::state::derive::apply_with_default(&mut self.#ident, change.#ident, #default);
            },
        }
    });
    quote! {
        #[automatically_derived]
        #[allow(unused_qualifications, reason = "whole paths mean the same wherever the type stands")]
        impl #krate::state::State for #name {
            type Change = #change;

            fn apply(&mut self, change: #change) {
                let _ = &change;
                #(#applies)*
            }
        }
    }
}
