//! States of services under test: copies that the test feeds, and own ones that the service publishes.

mod desk;

mod copies;
mod owned;
mod untyped;
