//! Reads `#[model(..)]` and doc comments.

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt as _;
use syn::meta::ParseNestedMeta;
use syn::{Attribute, Data, DeriveInput, Expr, Fields, Ident, LitStr, Path, Result};

use super::names::Style;
use crate::doc::doc;

/// Where authors find `service_framework_core`: they depend on `service-framework` alone.
pub(super) fn default_crate() -> Path {
    syn::parse_quote!(::service_framework::__core)
}

/// What stands on the type.
pub(super) struct Container {
    pub(super) krate: Path,
    pub(super) open: bool,
    pub(super) key: bool,
    pub(super) names: Option<Style>,
    pub(super) doc: String,
}

impl Container {
    pub(super) fn parse(input: &DeriveInput) -> Result<Self> {
        let (kind, legal): (_, &[_]) = match &input.data {
            Data::Struct(data) => match data.fields {
                Fields::Named(_) => ("a struct with fields", &["open", "names", "crate"]),
                Fields::Unnamed(_) => ("a struct of one unnamed field", &["key", "crate"]),
                Fields::Unit => ("a struct without fields", &["names", "crate"]),
            },
            Data::Enum(_) => ("an enum", &["names", "crate"]),
            Data::Union(_) => ("a union", &[]),
        };
        let doc = doc(&input.attrs);
        let mut container = Self { krate: default_crate(), open: false, key: false, names: None, doc };
        each(&input.attrs, kind, legal, |name, meta| {
            match name {
                "open" => container.open = true,
                "key" => container.key = true,
                "names" => container.names = Some(Style::parse(&text(meta)?)?),
                _ => container.krate = text(meta)?.parse()?,
            }
            Ok(())
        })?;
        Ok(container)
    }

    /// What messages call a field, a variant or a type that has no name of its own for them.
    pub(super) fn name_of(&self, ident: &Ident) -> String {
        let name = ident.unraw().to_string();
        self.names.map_or_else(|| name.clone(), |style| style.write(&name))
    }
}

/// What stands on a field or a variant.
#[derive(Default)]
pub(super) struct Inner {
    pub(super) name: Option<String>,
    /// The value when the message does not have the field.
    pub(super) default: Option<TokenStream>,
}

impl Inner {
    /// Reads what is legal on `kind`, such as "a field".
    pub(super) fn parse(attributes: &[Attribute], kind: &str, legal: &[&str]) -> Result<Self> {
        let mut inner = Self::default();
        each(attributes, kind, legal, |name, meta| {
            match name {
                "name" => inner.name = Some(text(meta)?.value()),
                _ if meta.input.peek(syn::Token![=]) => {
                    let value: Expr = meta.value()?.parse()?;
                    inner.default = Some(quote!(#value));
                }
                _ => inner.default = Some(quote!(::core::default::Default::default())),
            }
            Ok(())
        })?;
        Ok(inner)
    }
}

/// Keys that turn a map into something else on the wire.
const TAGS: [&str; 6] = ["__decimal__", "__uuid__", "__set__", "__numpy.ndarray__", "__bytes__", "__float__"];

/// Why a field cannot have this name in messages, if it cannot.
pub(super) fn refuse_tag(name: &str) -> Option<String> {
    TAGS.contains(&name).then(|| format!("`{name}` marks a type on the wire, so no field can have that name"))
}

/// Calls `read` for each entry of each `#[model(..)]`.
fn each(
    attributes: &[Attribute],
    kind: &str,
    legal: &[&str],
    mut read: impl FnMut(&str, &ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    let mut seen: Vec<String> = Vec::new();
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("model")) {
        attribute.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            if !legal.contains(&&*name) {
                let known = match legal {
                    [] => "nothing".to_owned(),
                    _ => legal.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
                };
                return Err(meta.error(format!("{kind} takes {known} here")));
            }
            if seen.contains(&name) {
                return Err(meta.error(format!("`{name}` stands here twice")));
            }
            read(&name, &meta)?;
            seen.push(name);
            Ok(())
        })?;
    }
    Ok(())
}

fn text(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    meta.value()?.parse()
}
