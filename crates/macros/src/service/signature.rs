//! Reads the signature of a method, and says what to write instead of a wrong one.

use syn::{Error, GenericParam, ImplItemFn, Receiver, ReceiverKind, Result, ReturnType, Type};

use super::parameters::{Cx, Parameters};
use super::types::{is_nothing, of_result, refuse_no_map, written};

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
    /// The type that it returns, and what that is the `Result` of.
    pub(super) returns: &'m Type,
    pub(super) answer: &'m Type,
}

/// What a method should be like.
pub(super) struct Wanted<'w> {
    /// What it is called in messages, such as "a replyer".
    pub(super) what: &'w str,
    pub(super) cx: Cx,
    pub(super) answers: Answers,
}

/// Whether what a method returns goes anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answers {
    Something,
    Nothing,
}

impl<'m> Signature<'m> {
    /// Reads the signature of a method.
    pub(super) fn read(wanted: &Wanted<'_>, method: &'m ImplItemFn) -> Result<Self> {
        let what = wanted.what;
        refuse_unusual(what, method)?;
        let receiver = method.sig.receiver().ok_or_else(|| {
            let text = format!("{what} is called with its service: write `&self` first");
            Error::new_spanned(&method.sig.ident, text)
        })?;
        let lent = lent(what, receiver)?;
        let Parameters { args, cx } = Parameters::read(wanted, method)?;
        let (returns, answer) = returned(wanted, method)?;
        Ok(Self { lent, args, cx, returns, answer })
    }
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

/// What a method returns, and what that is the `Result` of.
fn returned<'m>(wanted: &Wanted<'_>, method: &'m ImplItemFn) -> Result<(&'m Type, &'m Type)> {
    let what = wanted.what;
    let ty = match &method.sig.output {
        ReturnType::Type(_, ty) => &**ty,
        ReturnType::Default => {
            let text = format!("{what} returns a `Result`: write `-> Result<()>` and end with `Ok(())`");
            return Err(Error::new_spanned(&method.sig, text));
        }
    };
    let answers = wanted.answers == Answers::Something;
    let text = match (of_result(ty).as_deref(), ty) {
        (Some([answer]), _) if !answers && !is_nothing(answer) => {
            return Err(Error::new_spanned(answer, format!("{what} answers nothing: write `-> Result<()>`")));
        }
        (Some([answer]), _) => {
            refuse_no_map(answer)?;
            return Ok((ty, answer));
        }
        (Some([answer, ..]), _) => format!(
            "{what} returns the `Result` of `service_framework`, whose error `?` turns every standard one into: write \
             `-> Result<{}>`",
            written(answer)
        ),
        (None, Type::ImplTrait(_)) => format!("{what} that waits is an `async fn`, and returns a `Result`"),
        (None, _) if answers => format!("{what} returns a `Result`: write `-> Result<{}>`", written(ty)),
        _ => format!("{what} returns a `Result`: write `-> Result<()>`"),
    };
    Err(Error::new_spanned(ty, text))
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
