//! Models, validation, envelope, codecs, address book, settings, and the plugin boundary.

pub mod address;
