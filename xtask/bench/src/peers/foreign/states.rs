//! What the peers that keep states have in common: what stands in them, and how copies of them are waited for and counted.

use std::{
    cell::Cell,
    collections::HashMap,
    rc::Rc,
    time::{Duration, Instant},
};

use bytes::Bytes;

use crate::{
    options::Target,
    peers::{on_tokio::Clients, print_line},
    sample::Sample,
};

/// How many changes are on their way at a time.
pub(super) const BATCH: u32 = 64;

/// What the state is called.
pub(super) const BOOK: &str = "book";

/// The bytes of a key.
pub(super) const KEY_BYTES: usize = 12;

/// A copy, which nobody looks at.
pub(super) type Copy = HashMap<String, Bytes>;

/// A key, as in the services of the framework.
pub(super) fn key(index: u32) -> String {
    format!("key-{index:08}")
}

/// A value, as in the services of the framework.
pub(super) fn text(number: u32) -> String {
    format!("{number:0>100}")
}

/// The key that a change with this number is of: keys far from each other.
pub(super) fn changed_key(number: u32, keys: u32) -> String {
    key(number.wrapping_mul(2_654_435_761) % keys)
}

/// Where readers tell how far they are.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    changes: Rc<Cell<u64>>,
    live: Rc<Cell<u32>>,
}

impl Desk {
    /// A copy is whole.
    pub(super) fn is_live(&self) {
        self.live.set(self.live.get() + 1);
    }

    /// A change was made to a copy.
    pub(super) fn has_changed(&self) {
        self.changes.set(self.changes.get() + 1);
    }
}

/// Runs so many readers; prints what they have counted, or when all are live, and stays.
pub(super) async fn follow<F>(target: &Target, copies: u32, reader: impl Fn(Desk) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<()>> + 'static,
{
    let since = Instant::now();
    let mut clients = Clients::new();
    let desk = Desk { changes: clients.replies(), live: Rc::default() };
    for _ in 0..copies {
        clients.spawn(reader(desk.clone()));
    }
    if !target.seconds.is_zero() {
        return clients.measure(target.window()).await;
    }
    let all_live = async {
        while desk.live.get() < copies {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let seconds = since.elapsed().as_secs_f64();
        print_line(&Sample { messages: u64::from(copies), lost: 0, seconds }.line()?)?;
        std::future::pending().await
    };
    clients.beside(all_live).await
}
