//! Where the files of a new service go: into the workspace of the framework, or into a folder of their own.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use super::name;

/// Where the files of a new service go.
#[derive(Debug)]
pub(super) enum Layout {
    /// Into the workspace in this folder: `services/NAME`, `addresses/NAME.json`, `configs/NAME.json`.
    Joined(PathBuf),
    /// Into this folder, depending on the framework in that checkout.
    Own(PathBuf, Checkout),
}

/// The checkout that this command was built from.
#[derive(Debug)]
pub(super) struct Checkout {
    folder: String,
    /// Its lock file: what it was tested with, and what is there already when there is no network.
    lock: String,
}

const MEMBERS: &str = "\"services/*\"";

impl Layout {
    /// Finds out what a service made in the folder `here` belongs to.
    pub(super) fn find(here: &Path, name: &str) -> Result<Self> {
        let is_ours = |folder: &&Path| folder.join("crates/service-framework/Cargo.toml").is_file();
        let Some(root) = here.ancestors().find(is_ours) else {
            return Ok(Self::Own(here.join(name), Checkout::of_this_command()?));
        };
        let manifest = root.join("Cargo.toml");
        if !read(&manifest)?.contains(MEMBERS) {
            bail!("{} does not take services in: add {MEMBERS} to its `members`", manifest.display());
        }
        let lock = root.join("Cargo.lock");
        if read(&lock)?.contains(&format!("\nname = \"{name}\"\n")) {
            bail!("a package is called `{name}` already, as {} says", lock.display());
        }
        Ok(Self::Joined(root.to_owned()))
    }

    /// The folder of the crate.
    pub(super) fn folder(&self, name: &str) -> PathBuf {
        match self {
            Self::Joined(root) => root.join("services").join(name),
            Self::Own(folder, _) => folder.clone(),
        }
    }

    /// The file of the config.
    pub(super) fn config(&self, name: &str) -> PathBuf {
        self.shared().join("configs").join(name).with_extension("json")
    }

    /// The file of the address book.
    pub(super) fn addresses(&self, name: &str) -> PathBuf {
        self.shared().join("addresses").join(name).with_extension("json")
    }

    fn shared(&self) -> &Path {
        match self {
            Self::Joined(folder) | Self::Own(folder, _) => folder,
        }
    }

    /// What is made, and must not be there before.
    pub(super) fn roots(&self, name: &str) -> Vec<PathBuf> {
        match self {
            Self::Joined(_) => vec![self.folder(name), self.addresses(name), self.config(name)],
            Self::Own(folder, _) => vec![folder.clone()],
        }
    }

    /// All files, with what is in them.
    pub(super) fn files(&self, name: &str) -> Vec<(PathBuf, String)> {
        let named =
            |template: &str| template.replace("greeter", name).replace("Greeter", &name::of_type(name));
        let folder = self.folder(name);
        let addresses = include_str!("../../templates/addresses.json");
        let mut files = vec![
            (folder.join("src/lib.rs"), named(include_str!("../../templates/lib.rs"))),
            (self.addresses(name), addresses.replace("PORT", &name::port(name).to_string())),
            (self.config(name), include_str!("../../templates/config.json").to_owned()),
        ];
        match self {
            Self::Joined(_) => {
                files.push((folder.join("Cargo.toml"), named(include_str!("../../templates/joined.toml"))));
            }
            Self::Own(_, checkout) => {
                let manifest = named(include_str!("../../templates/own.toml"));
                files.push((folder.join("Cargo.toml"), manifest.replace("CHECKOUT", &checkout.folder)));
                files.push((folder.join("Cargo.lock"), checkout.lock.clone()));
                files.push((folder.join(".gitignore"), "/target\n".to_owned()));
            }
        }
        files
    }
}

impl Checkout {
    fn of_this_command() -> Result<Self> {
        let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let folder = built_from.canonicalize().with_context(|| {
            format!("the checkout that this command was built from is gone: {}", built_from.display())
        })?;
        let lock = read(&folder.join("Cargo.lock"))?;
        let text = folder.to_str().filter(|path| !path.contains(['"', '\\']));
        let Some(text) = text else { bail!("{} cannot be written into a Cargo.toml", folder.display()) };
        Ok(Self { folder: text.to_owned(), lock })
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
