//! Reads the parameters of a method: the arguments of a message, then the context.

use syn::{Error, FnArg, ImplItemFn, PatType, Result, Type};

use super::signature::Wanted;
use super::types::{refuse_no_map, written};

/// Which context a method gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cx {
    Context,
    BlockingContext,
}

/// What a method takes beside `self`.
pub(super) struct Parameters<'m> {
    pub(super) args: Option<&'m Type>,
    pub(super) cx: bool,
}

impl<'m> Parameters<'m> {
    pub(super) fn read(wanted: &Wanted<'_>, method: &'m ImplItemFn) -> Result<Self> {
        let mut models = typed(method).filter(|parameter| Cx::of(&parameter.ty).is_none());
        if let Some(second) = models.nth(1) {
            let text = format!(
                "{} takes one model: put the arguments into one struct with `#[derive(Model)]`",
                wanted.what
            );
            return Err(Error::new_spanned(second, text));
        }
        let mut parameters = Self { args: None, cx: false };
        for parameter in typed(method) {
            parameters.add(parameter, wanted.cx)?;
        }
        Ok(parameters)
    }

    fn add(&mut self, parameter: &'m PatType, cx: Cx) -> Result<()> {
        let expected = cx.name();
        let text = match (&*parameter.ty, Cx::of(&parameter.ty)) {
            (_, Some(Cx::BlockingContext)) if cx == Cx::Context => format!(
                "only what runs on a thread of its own has a `BlockingContext`: write `cx: &{expected}`, or, for a \
                 handler, `blocking` in its attribute"
            ),
            (_, Some(Cx::Context)) if cx == Cx::BlockingContext => {
                format!("this runs on a thread of its own, where nothing is awaited: write `cx: &{expected}`")
            }
            (_, Some(_)) if self.cx => "the context stands here twice".into(),
            (Type::Reference(lent), Some(_)) if lent.mutability.is_none() => {
                self.cx = true;
                return Ok(());
            }
            (_, Some(_)) => format!("the context is lent: write `cx: &{expected}`"),
            _ if self.cx => format!("the context comes last: write `cx: &{expected}` after the arguments"),
            (Type::Reference(lent), None) => {
                format!("arguments are given away: write `{}` without `&`", written(&lent.elem))
            }
            (Type::ImplTrait(_), None) => "name the type: the model is described from it".into(),
            (ty, None) => {
                refuse_no_map(ty)?;
                self.args = Some(ty);
                return Ok(());
            }
        };
        Err(Error::new_spanned(parameter, text))
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
