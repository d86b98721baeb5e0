//! `new`: makes the crate of a service, with its address book and its config.

mod name;
mod layout;

use std::path::Path;
use std::{env, fs, io};

use anyhow::Context as _;

use crate::failure::Failure;
use crate::flags::New;
use crate::print;
use layout::Layout;

/// Makes the crate and says what to do next; gives the exit code.
pub(crate) fn new(asked: &New) -> Result<u8, Failure> {
    let refused = |error: anyhow::Error| Failure::Other(error, 2);
    let name = &asked.name;
    name::check(name)
        .map_err(|why| refused(anyhow::anyhow!("`{name}` cannot be the name of a service: {why}")))?;
    let here = env::current_dir().context("cannot tell the current folder").map_err(refused)?;
    let layout = Layout::find(&here, name).map_err(refused)?;
    let made = layout.roots(name);
    if let Some(taken) = made.iter().find(|path| path.symlink_metadata().is_ok()) {
        return Err(refused(anyhow::anyhow!("{} is there already", from(&here, taken).display())));
    }
    for (path, text) in layout.files(name) {
        write(&path, &text)
            .with_context(|| format!("cannot write {}", path.display()))
            .map_err(|error| Failure::Other(error, 1))?;
    }
    print::message(&next(&layout, &here, name));
    Ok(0)
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    fs::create_dir_all(path.parent().expect("it stands in a folder"))?;
    fs::write(path, text)
}

fn next(layout: &Layout, here: &Path, name: &str) -> String {
    let show = |path: &Path| from(here, path).display().to_string();
    let command = env::args().next().unwrap_or_else(|| "service_framework".into());
    format!(
        "made {}\n\nnext:\n  {}\n  {command} -s {} -c {} -a {}\n",
        layout.roots(name).iter().map(|path| show(path)).collect::<Vec<_>>().join(", "),
        match layout {
            Layout::Joined(_) => format!("cargo test -p {name}"),
            Layout::Own(..) =>
                format!("cargo test --manifest-path {}", show(&layout.folder(name).join("Cargo.toml"))),
        },
        show(&layout.folder(name)),
        show(&layout.config(name)),
        show(&layout.addresses(name)),
    )
}

/// A path as one would write it in the folder `here`.
fn from<'p>(here: &Path, path: &'p Path) -> &'p Path {
    path.strip_prefix(here).unwrap_or(path)
}
