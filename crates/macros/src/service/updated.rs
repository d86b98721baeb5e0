//! Writes the declaration of a handler that is called after each update of a copy.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens as _, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned as _;
use syn::{Attribute, Error, Ident, ImplItemFn, Path, Result, Token};

use super::call::Call;
use super::parameters::Cx;
use super::signature::{Answers, Signature, Wanted};
use super::{cfgs, place};

/// A handler of the updates of a state.
pub(super) struct Updated {
    /// The constant that holds the port.
    pub(super) port: Path,
    /// Whether it is compiled in any case.
    pub(super) is_certain: bool,
    pub(super) declaration: TokenStream,
}

/// Whether an attribute marks one.
pub(super) fn is_one(attribute: &Attribute) -> bool {
    attribute.path().segments.last().is_some_and(|last| last.ident == "updated")
}

/// What stands in `#[updated(..)]`.
struct Options {
    port: Path,
    /// Where `blocking` stands.
    blocking: Option<Span>,
}

const USAGE: &str =
    "`#[updated(..)]` takes the port of the copy: write `#[updated(BOOK)]`, or `#[updated(BOOK, blocking)]`";

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let port: Path = input.parse().map_err(|error| Error::new(error.span(), USAGE))?;
        let mut blocking = None;
        if input.parse::<Option<Token![,]>>()?.is_some() && !input.is_empty() {
            let word: Ident = input.parse().map_err(|error| Error::new(error.span(), USAGE))?;
            if word != "blocking" {
                return Err(Error::new_spanned(word, USAGE));
            }
            blocking = Some(word.span());
            let _: Option<Token![,]> = input.parse()?;
        }
        if input.is_empty() { Ok(Self { port, blocking }) } else { Err(input.error(USAGE)) }
    }
}

/// Reads a method with `#[updated(..)]`.
pub(super) fn read(attribute: &Attribute, method: &ImplItemFn) -> Result<Updated> {
    let Options { port, blocking } = match &attribute.meta {
        syn::Meta::List(_) => attribute.parse_args()?,
        _ => return Err(Error::new_spanned(attribute, USAGE)),
    };
    let wanted = Wanted {
        what: "a handler of updates",
        cx: if blocking.is_some() { Cx::BlockingContext } else { Cx::Context },
        answers: Answers::Nothing,
    };
    let signature = Signature::read(&wanted, method)?;
    let register = super::handler::register(blocking, method, &signature)?;
    let opened = quote_spanned!(place(&port)=> service.updated(&#port));
    let taken = match signature.args {
        Some(ty) => quote_spanned!(place(ty)=> .taking::<#ty>()),
        None => quote!(.unread()),
    };
    let Call { args, cx, call } = Call::of(method, &signature);
    let wait = method.sig.asyncness;
    let closure = quote!(#wait |this, #args, #cx| #call);
    let cfgs = cfgs(&method.attrs);
    let declaration = quote! {
        #(#cfgs)*
        { #opened #taken #register(#closure); }
    };
    Ok(Updated { port, is_certain: cfgs.is_empty(), declaration })
}

/// Refuses handlers of states that the service does not use, and second ones of a state.
pub(super) fn check(updated: &[Updated], uses: &Punctuated<Path, Token![,]>) -> Vec<Error> {
    let written = |path: &Path| path.to_token_stream().to_string();
    let mut seen = std::collections::HashSet::new();
    let mut errors = Vec::new();
    for Updated { port, is_certain, .. } in updated {
        let name = written(port);
        if !uses.iter().any(|used| written(used) == name) {
            let text = format!("the service does not use this state: write `#[service(uses({name}))]`");
            errors.push(Error::new(port.span(), text));
        }
        if *is_certain && !seen.insert(name) {
            errors.push(Error::new(
                port.span(),
                "another method handles the updates of this state: leave out one of the two",
            ));
        }
    }
    errors
}
