//! Writes the implementation of `Serve` from an `impl` block.

mod settings;
mod options;
mod types;
mod parameters;
mod signature;
mod constructor;
mod call;
mod handler;
mod updated;
mod hooks;

use std::collections::HashSet;

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, Ident, ImplItem, ImplItemFn, ItemImpl, Path, Receiver, ReceiverKind, Result, Token,
};

use crate::doc::doc;
use options::Kind;
use updated::Updated;

/// The block without our attributes, and the implementation of the trait, or the errors that say why it is empty.
pub(crate) fn expand(attribute: TokenStream, input: &TokenStream) -> TokenStream {
    let uses = syn::parse2::<Uses>(attribute);
    let mut block = match syn::parse2::<ItemImpl>(input.clone()) {
        Ok(block) if block.trait_.is_none() => block,
        _ => {
            let text =
                "`#[service]` stands above the `impl` block that holds the handlers: `impl Gateway { .. }`";
            let error = Error::new(Span::call_site(), text).into_compile_error();
            return quote!(#error #input);
        }
    };
    let mut parts = Parts::read(&mut block);
    let uses = uses.unwrap_or_else(|error| {
        parts.errors.push(error);
        Uses::default()
    });
    let implementation = parts.write(&block, &uses);
    quote!(#block #implementation)
}

/// The error of a handler's attribute that no `#[service]` has taken away.
pub(crate) fn stray(name: &str, input: &TokenStream) -> TokenStream {
    let text = format!(
        "`#[{name}]` marks a handler of a service: write `#[service]` above the `impl` block that this method is in"
    );
    let error = Error::new(Span::call_site(), text).into_compile_error();
    quote!(#error #input)
}

/// What stands in `#[service(..)]`.
#[derive(Default)]
struct Uses(Punctuated<Path, Token![,]>);

impl Parse for Uses {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.is_empty() {
            return Ok(Self::default());
        }
        let usage = "`#[service(..)]` takes the ports of the service: write `uses(AUDIT, PRICES)`";
        let name: Ident = input.parse().map_err(|error| Error::new(error.span(), usage))?;
        if name != "uses" || !input.peek(syn::token::Paren) {
            return Err(Error::new_spanned(name, usage));
        }
        let inner;
        syn::parenthesized!(inner in input);
        let paths = Punctuated::parse_terminated(&inner).map_err(|error| {
            Error::new(
                error.span(),
                "name the constant that holds the port: `const AUDIT: Requester<..> = ..`",
            )
        })?;
        let _: Option<Token![,]> = input.parse()?;
        if input.is_empty() { Ok(Self(paths)) } else { Err(input.error(usage)) }
    }
}

/// What was found in the block.
#[derive(Default)]
struct Parts {
    constructors: Vec<TokenStream>,
    has_constructor: bool,
    declarations: Vec<TokenStream>,
    updated: Vec<Updated>,
    /// The connections whose methods are compiled in any case.
    names: HashSet<String>,
    has_main: bool,
    /// `&mut self` of handlers.
    exclusive: Vec<Receiver>,
    errors: Vec<Error>,
}

impl Parts {
    /// Reads the methods, and takes our attributes off them.
    fn read(block: &mut ItemImpl) -> Self {
        let mut parts = Self::default();
        for item in &mut block.items {
            if let ImplItem::Fn(method) = item
                && let Err(error) = parts.method(method)
            {
                parts.errors.push(error);
            }
        }
        if !parts.has_constructor {
            parts.errors.push(constructor::missing(&block.self_ty));
        }
        if parts.has_main {
            parts.errors.extend(parts.exclusive.iter().map(|receiver| {
                let text = "`main` has the service lent for as long as it runs, so that this handler would never have it to \
                            itself: write `&self`, and put what changes into a `Cell`, an atomic or a `Mutex`";
                Error::new_spanned(receiver, text)
            }));
        }
        parts
    }

    fn method(&mut self, method: &mut ImplItemFn) -> Result<()> {
        let is_ours = |attribute: &mut Attribute| Kind::of(attribute).is_some() || updated::is_one(attribute);
        let ours: Vec<Attribute> = method.attrs.extract_if(.., is_ours).collect();
        match &ours[..] {
            [] if method.sig.ident == "new" => {
                self.has_constructor = true;
                self.constructors.push(constructor::read(method)?);
                method.attrs.push(given_away());
            }
            [] => {
                self.has_main |= method.sig.ident == "main" && cfgs(&method.attrs).is_empty();
                if let Some(declaration) = hooks::read(method) {
                    self.declarations.push(declaration?);
                    method.attrs.push(given_away());
                }
            }
            [attribute] => {
                match Kind::of(attribute) {
                    Some(kind) => self.handler(kind, attribute, method)?,
                    None => self.updated.push(updated::read(attribute, method)?),
                }
                if cfgs(&method.attrs).is_empty() {
                    let exclusive = method.sig.receiver().filter(|receiver| is_exclusive(receiver));
                    self.exclusive.extend(exclusive.cloned());
                }
                method.attrs.push(given_away());
            }
            [_, second, ..] => {
                return Err(Error::new_spanned(
                    second,
                    "a method is the handler of one connection or state: leave out one of the two",
                ));
            }
        }
        Ok(())
    }

    fn handler(&mut self, kind: Kind, attribute: &Attribute, method: &ImplItemFn) -> Result<()> {
        let handler = handler::read(kind, attribute, method)?;
        self.declarations.push(handler.declaration);
        if cfgs(&method.attrs).is_empty() && !self.names.insert(handler.name.value()) {
            let text = format!(
                "another handler has the name `{}`: give this connection one of its own, as in `#[{}(name = \"..\")]`",
                handler.name.value(),
                kind.name()
            );
            return Err(Error::new_spanned(&handler.name, text));
        }
        Ok(())
    }

    fn write(self, block: &ItemImpl, uses: &Uses) -> TokenStream {
        let Self { mut constructors, mut declarations, updated, mut errors, .. } = self;
        errors.extend(updated::check(&updated, &uses.0));
        declarations.extend(uses.0.iter().map(|port| quote_spanned!(place(port)=> service.uses(&#port);)));
        declarations.extend(updated.into_iter().map(|updated| updated.declaration));
        let errors = errors.into_iter().reduce(|mut all, error| {
            all.combine(error);
            all
        });
        if errors.is_some() {
            declarations.clear();
            constructors = vec![constructor::stand_in()];
        }
        let errors = errors.map(Error::into_compile_error);
        let service = &block.self_ty;
        let (generics, _, bounds) = block.generics.split_for_impl();
        let doc = doc(&block.attrs);
        let cfgs = cfgs(&block.attrs);
        quote! {
            #errors
            #(#cfgs)*
            #[automatically_derived]
            impl #generics ::service_framework::Serve for #service #bounds {
                const NAME: &'static str = ::core::env!("CARGO_PKG_NAME");
                const VERSION: &'static str = ::core::env!("CARGO_PKG_VERSION");
                const DOC: &'static str = #doc;

                #(#constructors)*

                fn declare(service: &mut ::service_framework::Declare<Self>) {
                    let _ = &service;
                    #(#declarations)*
                }
            }
        }
    }
}

/// Handlers are called with what they take by value, whether they consume it or not.
fn given_away() -> Attribute {
    syn::parse_quote!(#[allow(clippy::needless_pass_by_value, reason = "the framework gives the arguments away")])
}

fn is_exclusive(receiver: &Receiver) -> bool {
    matches!(receiver.kind, ReceiverKind::Reference(_, _, Some(_)))
}

/// The conditions under which something is compiled.
fn cfgs(attributes: &[Attribute]) -> Vec<&Attribute> {
    attributes.iter().filter(|attribute| attribute.path().is_ident("cfg")).collect()
}

/// Where the compiler points when generated code that concerns `tokens` is wrong, seeing the names of generated code.
fn place(tokens: &impl Spanned) -> Span {
    Span::call_site().located_at(tokens.span())
}
