//! What a change does to a field that may be removed.

/// What a change does to a field that may be removed.
///
/// ```
/// use service_framework_core::state::Edit;
///
/// let note: Edit<String> = Edit::from("thin".to_owned());
/// assert_eq!(note, Edit::Set("thin".into()));
/// assert_eq!(Edit::<String>::default(), Edit::Keep);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Edit<T> {
    /// Leaves the field as it is, and stands for nothing in messages.
    #[default]
    Keep,
    /// Removes the field: it is `None`, or its default. Null in messages.
    Remove,
    /// Gives it a new value.
    Set(T),
}

impl<T> From<T> for Edit<T> {
    fn from(value: T) -> Self {
        Self::Set(value)
    }
}
