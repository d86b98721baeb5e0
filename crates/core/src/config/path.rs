//! Follows paths through a model, and writes them.

use crate::fault::Step;
use crate::model::{Record, Shape};

/// The shape of what `path` leads to, if the model has a shape for it.
pub(super) fn shape_at<'s>(model: &'s Shape, path: &[Step]) -> Option<&'s Shape> {
    let mut around = Vec::new();
    path.iter().try_fold(model, |shape, step| inside(shape, step, &mut around))
}

fn inside<'s>(shape: &'s Shape, step: &Step, around: &mut Vec<&'s Record>) -> Option<&'s Shape> {
    match (shape, step) {
        (Shape::Nullable(inner), _) => inside(inner, step, around),
        (Shape::List(item) | Shape::Set(item), Step::Index(_)) => Some(item),
        (Shape::Tuple(shapes), Step::Index(index)) => shapes.get(*index),
        (Shape::Map(_, value), Step::Field(_)) => Some(value),
        (Shape::Record(record), Step::Field(name)) => {
            around.push(record);
            field(record, name)
        }
        (Shape::Outer(name), Step::Field(field_name)) => {
            let record = around.iter().rev().find(|record| *record.name == **name).copied()?;
            around.push(record);
            field(record, field_name)
        }
        _ => None,
    }
}

fn field<'s>(record: &'s Record, name: &str) -> Option<&'s Shape> {
    record.fields.iter().find(|field| field.name == name).map(|field| &field.shape)
}

/// The path that a key of the command line means: `a.b` leads into maps, and `-` stands for `_` where only that is there.
/// A key that the model does not have means itself.
pub(super) fn of_key(model: &Shape, key: &str) -> Vec<Step> {
    let mut around = Vec::new();
    let mut path = Vec::new();
    let (mut shape, mut rest) = (model, key);
    loop {
        let whole = known(shape, rest, &mut around);
        if let Some((name, _)) = whole {
            path.push(Step::Field(name));
            return path;
        }
        let split =
            rest.split_once('.').and_then(|(first, rest)| Some((known(shape, first, &mut around)?, rest)));
        let Some(((name, inner), after)) = split else {
            let is_inside = matches!(shape, Shape::Record(_) | Shape::Outer(_)) && !path.is_empty();
            if !is_inside {
                return vec![Step::Field(key.to_owned())];
            }
            path.push(Step::Field(rest.to_owned()));
            return path;
        };
        path.push(Step::Field(name));
        (shape, rest) = (inner, after);
    }
}

fn known<'s>(shape: &'s Shape, name: &str, around: &mut Vec<&'s Record>) -> Option<(String, &'s Shape)> {
    // A map has every key; as a step of a dotted key it would swallow the rest.
    let takes_all = matches!(shape, Shape::Map(..));
    [name.to_owned(), name.replace('-', "_")].into_iter().find_map(|name| {
        if takes_all && name.contains('.') {
            return None;
        }
        let depth = around.len();
        let shape = inside(shape, &Step::Field(name.clone()), around);
        if shape.is_none() {
            around.truncate(depth);
        }
        Some((name, shape?))
    })
}

/// A path as people read it: `order.asks[3].price`.
pub(super) fn text<'a>(path: impl Iterator<Item = &'a Step>) -> String {
    let mut text = String::new();
    crate::fault::write_path(&mut text, path).expect("a string takes any text");
    text
}
