//! Where a service comes from.

use std::path::{Path, PathBuf};

use service_framework_core::declaration::Declaration;
use service_framework_core::plugin::host::{Linked, Plugin};
use service_framework_core::problem::Problem;

use crate::control::Control;
use crate::error::Error;
use crate::{build, load};

/// Where a service comes from.
#[derive(Clone, Debug)]
pub struct Source(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Linked(Plugin),
    Path(PathBuf),
}

impl Source {
    /// A service that is linked into this program.
    pub fn of<S: Linked>() -> Self {
        Self(Kind::Linked(Plugin::of::<S>()))
    }

    /// A shared library, or the folder of a service's crate, which is built when it is loaded.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        Self(Kind::Path(path.into()))
    }

    /// Gets the service, building and loading it if need be. A library that was loaded is never unloaded.
    ///
    /// # Errors
    ///
    /// If there is no such file, it does not build, or it is no plugin for this runtime.
    pub fn load(&self) -> Result<Plugin, Error> {
        match &self.0 {
            Kind::Linked(plugin) => Ok(*plugin),
            Kind::Path(path) if path.is_dir() => load::library(&build::library(path)?),
            Kind::Path(path) => load::library(path),
        }
    }

    /// As [`load`](Self::load), for a service that may be told to stop while it is built; nothing if it is.
    pub(crate) fn load_under(&self, control: &Control) -> Result<Option<Plugin>, Error> {
        match &self.0 {
            Kind::Path(path) if path.is_dir() => {
                let library = build::library_under(path, control)?;
                library.map(|library| load::library(&library)).transpose()
            }
            Kind::Linked(_) | Kind::Path(_) => self.load().map(Some),
        }
    }

    /// What the service says of itself, which needs neither config nor addresses.
    ///
    /// # Errors
    ///
    /// As [`load`](Self::load); and if it cannot describe itself.
    pub fn describe(&self) -> Result<Declaration, Error> {
        self.declaration_of(&self.load()?)
    }

    pub(crate) fn declaration_of(&self, plugin: &Plugin) -> Result<Declaration, Error> {
        plugin.describe().map_err(|failure| {
            let why = format!("it cannot describe itself: {failure}");
            match self.as_path() {
                Some(path) => Error::Plugin { path: path.to_owned(), why },
                None => Error::Refused(Problem::nowhere(format!("the service is refused: {why}")).into()),
            }
        })
    }

    /// The path, if it comes from one.
    pub fn as_path(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Linked(_) => None,
            Kind::Path(path) => Some(path),
        }
    }
}
