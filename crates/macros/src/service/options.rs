//! Reads what stands in `#[replyer(..)]` and `#[subscriber(..)]`.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::meta::ParseNestedMeta;
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Expr, Ident, LitStr, Meta, Result, Token};

use super::place;
use super::settings::{OF_REPLYERS, OF_SUBSCRIBERS, Setting};
use super::signature::Answers;

/// Which connection a handler is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Replyer,
    Subscriber,
}

impl Kind {
    /// The kind that an attribute says, if it is one of ours.
    pub(super) fn of(attribute: &Attribute) -> Option<Self> {
        let name = &attribute.path().segments.last()?.ident;
        [Self::Replyer, Self::Subscriber].into_iter().find(|kind| name == kind.name())
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Replyer => "replyer",
            Self::Subscriber => "subscriber",
        }
    }

    pub(super) fn answers(self) -> Answers {
        match self {
            Self::Replyer => Answers::Something,
            Self::Subscriber => Answers::Nothing,
        }
    }

    fn settings(self) -> &'static [Setting] {
        match self {
            Self::Replyer => OF_REPLYERS,
            Self::Subscriber => OF_SUBSCRIBERS,
        }
    }
}

/// What the author gave a connection.
pub(super) struct Options {
    /// Its name and where it is written, if it is not called as its method.
    pub(super) name: Option<LitStr>,
    /// Where `blocking` stands.
    pub(super) blocking: Option<Span>,
    /// Calls that set the rest, such as `.set("topic", "a")`.
    pub(super) settings: TokenStream,
}

impl Options {
    pub(super) fn parse(kind: Kind, attribute: &Attribute) -> Result<Self> {
        let mut options = Self { name: None, blocking: None, settings: TokenStream::new() };
        if matches!(attribute.meta, Meta::Path(_)) {
            return Ok(options);
        }
        let mut seen: Vec<String> = Vec::new();
        attribute.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string).unwrap_or_default();
            options.read(kind, &name, &meta)?;
            if seen.contains(&name) {
                return Err(meta.error(format!("`{name}` stands here twice")));
            }
            seen.push(name);
            Ok(())
        })?;
        Ok(options)
    }

    fn read(&mut self, kind: Kind, name: &str, meta: &ParseNestedMeta<'_>) -> Result<()> {
        match name {
            "name" => self.name = Some(read_name(meta)?),
            "blocking" if meta.input.peek(Token![=]) => {
                return Err(meta.error("write `blocking`, without a value"));
            }
            "blocking" => self.blocking = Some(meta.path.span()),
            _ => {
                let setting = kind.settings().iter().find(|setting| setting.name == name);
                let setting = setting.ok_or_else(|| meta.error(unknown(kind, name)))?;
                self.settings.extend(read_setting(setting, meta)?);
            }
        }
        Ok(())
    }
}

fn read_name(meta: &ParseNestedMeta<'_>) -> Result<LitStr> {
    let usage = "`name` is a text: write `name = \"..\"`";
    let value: Expr = meta.value().map_err(|_| meta.error(usage))?.parse()?;
    match &value {
        Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) if !name.value().is_empty() => {
            Ok(name.clone())
        }
        _ => Err(Error::new_spanned(value, usage)),
    }
}

fn read_setting(setting: &Setting, meta: &ParseNestedMeta<'_>) -> Result<TokenStream> {
    let name = setting.name;
    let is_flag = matches!(setting.takes, super::settings::Takes::Flag);
    if is_flag && !meta.input.peek(Token![=]) {
        return Ok(quote_spanned!(place(&meta.path)=> .set(#name, true)));
    }
    let value: Expr = meta.value().map_err(|_| meta.error(setting.usage()))?.parse()?;
    setting.check(&value)?;
    Ok(quote_spanned!(place(&value)=> .set(#name, #value)))
}

/// Says which options there are.
fn unknown(kind: Kind, name: &str) -> String {
    let known: Vec<_> =
        ["name", "blocking"].into_iter().chain(kind.settings().iter().map(|s| s.name)).collect();
    let known = known.join("`, `");
    let kind = kind.name();
    match name {
        "is_x_pub" | "wait_after_creation_s" | "encoding" => {
            format!(
                "`{name}` is for outgoing connections: set it where the port is made; `#[{kind}(..)]` takes `{known}`"
            )
        }
        _ => format!("`#[{kind}(..)]` takes `{known}`"),
    }
}

/// The name of a connection that is called as its method.
pub(super) fn name_of(method: &Ident) -> LitStr {
    use syn::ext::IdentExt as _;
    LitStr::new(&method.unraw().to_string(), method.span())
}
