//! What can be said of a type from how it is written.

use syn::{Error, Result, Type};

/// The types between the brackets, if a type is written as a `Result`.
pub(super) fn of_result(ty: &Type) -> Option<Vec<&Type>> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == "Result")?;
    let syn::PathArguments::AngleBracketed(arguments) = &last.arguments else { return Some(Vec::new()) };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    });
    Some(types.collect())
}

/// Whether a type is written as a path that ends with a name.
pub(super) fn is_called(ty: &Type, name: &str) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == name))
}

/// Whether a type is written as the one without values to tell apart.
pub(super) fn is_nothing(ty: &Type) -> bool {
    matches!(ty, Type::Tuple(tuple) if tuple.elems.is_empty()) || is_called(ty, "Empty")
}

/// Types of values that are no maps.
const NO_MAPS: [&str; 22] = [
    "bool", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "f32", "f64", "char", "str", "String",
    "Vec", "Option", "Decimal", "Uuid", "DateTime", "Array", "BTreeSet", "HashSet",
];

/// Refuses what cannot be a message. What is not seen here is refused when the service is loaded.
pub(super) fn refuse_no_map(ty: &Type) -> Result<()> {
    let is_one = match ty {
        Type::Tuple(tuple) => !tuple.elems.is_empty(),
        Type::Array(_) | Type::Slice(_) | Type::Reference(_) => true,
        Type::Path(path) if path.path.segments.len() == 1 => NO_MAPS.iter().any(|name| is_called(ty, name)),
        _ => false,
    };
    let text = "a message has named fields: put this into a struct with `#[derive(Model)]`";
    if is_one { Err(Error::new_spanned(ty, text)) } else { Ok(()) }
}

/// A type as an author would write it, nearly.
pub(super) fn written(ty: &Type) -> String {
    let text = quote::quote!(#ty).to_string();
    text.replace(" :: ", "::").replace(" < ", "<").replace(" >", ">").replace(" ,", ",").replace("& ", "&")
}
