//! A service that passes on what becomes of its call to a peer, which may answer or not.
#![allow(dead_code, reason = "some of the tests that use it are for Linux alone")]

use std::path::Path;

use service_framework::prelude::*;

#[derive(Model)]
pub(crate) struct Question {
    pub(crate) is_answered: bool,
}

#[derive(Model)]
pub(crate) struct Told {
    /// The code of what went wrong, if anything did.
    pub(crate) code: Option<String>,
}

const PEER: Requester<Question, Empty> = Requester::new("peer");

pub(crate) struct Asker;

#[service(uses(PEER))]
impl Asker {
    fn new() -> Result<Self> {
        Ok(Self)
    }

    #[replyer]
    async fn ask(&self, args: Question, cx: &Context) -> Result<Told> {
        let asked = cx.request(&PEER, &args).await;
        Ok(Told { code: asked.err().map(|failure| failure.code().to_owned()) })
    }
}

service_framework::link!(Asker);

/// Where the peer listens whose folder this is.
pub(crate) fn socket(folder: &Path) -> String {
    format!("ipc://{}", folder.join("peer.sock").display())
}
