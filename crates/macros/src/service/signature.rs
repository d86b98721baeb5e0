//! Reads the signature of a method, and says what to write instead of a wrong one.

use syn::{
    Error, FnArg, GenericParam, ImplItemFn, PatType, Receiver, ReceiverKind, Result, ReturnType, Type,
};

/// What `self` is lent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lent {
    Shared,
    Exclusive,
}

/// The signature of a method that the framework calls with an instance.
pub(super) struct Signature<'m> {
    pub(super) lent: Lent,
    pub(super) args: Option<&'m Type>,
    pub(super) cx: bool,
    pub(super) returns: &'m Type,
}

/// Which context a method gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cx {
    Context,
    BlockingContext,
}

impl<'m> Signature<'m> {
    /// Reads the signature of a method called `what` in messages, such as "a handler".
    pub(super) fn read(what: &str, method: &'m ImplItemFn, cx: Cx) -> Result<Self> {
        refuse_unusual(what, method)?;
        let receiver = method.sig.receiver().ok_or_else(|| {
            let text = format!("{what} is called with its service: write `&self` first");
            Error::new_spanned(&method.sig.ident, text)
        })?;
        let lent = lent(what, receiver)?;
        let mut parameters = Parameters { args: None, cx: false };
        for parameter in typed(method) {
            parameters.read(what, parameter, cx)?;
        }
        let Parameters { args, cx } = parameters;
        Ok(Self { lent, args, cx, returns: returned(what, method)? })
    }
}

struct Parameters<'m> {
    args: Option<&'m Type>,
    cx: bool,
}

impl<'m> Parameters<'m> {
    fn read(&mut self, what: &str, parameter: &'m PatType, cx: Cx) -> Result<()> {
        let wrong = |text: String| Err(Error::new_spanned(parameter, text));
        let expected = cx.name();
        match (&*parameter.ty, Cx::of(&parameter.ty)) {
            (Type::Reference(lent), Some(found)) if found == cx && lent.mutability.is_none() => {
                if self.cx {
                    return wrong("the context stands here twice".into());
                }
                self.cx = true;
            }
            (_, Some(Cx::BlockingContext)) if cx == Cx::Context => wrong(format!(
                "only what runs on a thread of its own has a `BlockingContext`: write `cx: &{expected}`, or, for a \
                 handler, `blocking` in its attribute"
            ))?,
            (_, Some(Cx::Context)) if cx == Cx::BlockingContext => {
                wrong(format!(
                    "this runs on a thread of its own, where nothing is awaited: write `cx: &{expected}`"
                ))?;
            }
            (_, Some(_)) => wrong(format!("the context is lent: write `cx: &{expected}`"))?,
            _ if self.cx => {
                wrong(format!("the context comes last: write it as `cx: &{expected}` after the arguments"))?
            }
            _ if self.args.is_some() => {
                wrong(format!(
                    "{what} takes one model: put the arguments into one struct with `#[derive(Model)]`"
                ))?;
            }
            (Type::Reference(lent), None) => {
                let inner = &lent.elem;
                wrong(format!("arguments are given away: write `{}` without `&`", quote::quote!(#inner)))?;
            }
            (Type::ImplTrait(_), None) => wrong("name the type: the model is described from it".into())?,
            (ty, None) => self.args = Some(ty),
        }
        Ok(())
    }
}

impl Cx {
    fn of(ty: &Type) -> Option<Self> {
        match ty {
            Type::Reference(lent) => Self::of(&lent.elem),
            Type::Path(path) => {
                let name = &path.path.segments.last()?.ident;
                [Self::Context, Self::BlockingContext].into_iter().find(|cx| name == cx.name())
            }
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Context => "Context",
            Self::BlockingContext => "BlockingContext",
        }
    }
}

/// The parameters but for `self`.
pub(super) fn typed(method: &ImplItemFn) -> impl Iterator<Item = &PatType> {
    method.sig.inputs.iter().filter_map(|parameter| match parameter {
        FnArg::Typed(typed) => Some(typed),
        FnArg::Receiver(_) => None,
    })
}

fn lent(what: &str, receiver: &Receiver) -> Result<Lent> {
    match &receiver.kind {
        ReceiverKind::Reference(_, _, None) => Ok(Lent::Shared),
        ReceiverKind::Reference(_, _, Some(_)) => Ok(Lent::Exclusive),
        _ => Err(Error::new_spanned(
            receiver,
            format!("{what} is lent its service, which goes on after it: write `&self` or `&mut self`"),
        )),
    }
}

/// What a method returns, if it says it.
fn returned<'m>(what: &str, method: &'m ImplItemFn) -> Result<&'m Type> {
    match &method.sig.output {
        ReturnType::Type(_, ty) => Ok(ty),
        ReturnType::Default => Err(Error::new_spanned(
            &method.sig,
            format!("{what} returns a `Result`: write `-> Result<()>` and end with `Ok(())`"),
        )),
    }
}

/// Refuses what no method that the framework calls can be.
pub(super) fn refuse_unusual(what: &str, method: &ImplItemFn) -> Result<()> {
    let generics = &method.sig.generics;
    let generic = generics.params.iter().find(|param| !matches!(param, GenericParam::Lifetime(_)));
    if let Some(generic) = generic {
        let text =
            format!("{what} is called by the framework, which knows no type to put here: name the type");
        return Err(Error::new_spanned(generic, text));
    }
    if let syn::Safety::Unsafe(token) = &method.sig.safety {
        return Err(Error::new_spanned(
            token,
            format!("{what} is called by the framework: it cannot be unsafe"),
        ));
    }
    Ok(())
}

/// The `T` of `Result<T>`, if the type is written so.
pub(super) fn of_result(ty: &Type) -> Option<&Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first()? {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    }
}

/// Refuses a return type that is written as `Result` of something.
pub(super) fn refuse_answer(what: &str, returns: &Type) -> Result<()> {
    let is_nothing = |ty: &Type| match ty {
        Type::Tuple(tuple) => tuple.elems.is_empty(),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| last.ident == "Empty"),
        _ => false,
    };
    match of_result(returns) {
        Some(answer) if !is_nothing(answer) => {
            Err(Error::new_spanned(answer, format!("{what} answers nothing: write `-> Result<()>`")))
        }
        _ => Ok(()),
    }
}
