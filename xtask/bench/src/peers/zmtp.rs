//! The framework's transport engine without the framework, on both sides.

mod publish;
mod request;

use super::on_tokio;
use crate::options::Role;

/// Runs one process, on one thread.
pub(crate) fn run(role: &Role) -> anyhow::Result<()> {
    on_tokio::run(async {
        match role {
            Role::Reply { .. } => request::reply().await,
            Role::Request { target, load } => request::request(target, load).await,
            Role::Publish { .. } => publish::publish().await,
            Role::Subscribe { target } => publish::subscribe(target).await,
            Role::Own { .. } | Role::Follow { .. } => anyhow::bail!("it keeps no states"),
        }
    })
}
