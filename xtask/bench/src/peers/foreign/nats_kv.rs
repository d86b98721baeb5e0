//! States in a NATS server: a bucket of keys and values, which is watched.

use anyhow::Context as _;
use async_nats::{
    ConnectOptions,
    jetstream::{
        self,
        kv::Store,
        stream::{self, DiscardPolicy, StorageType},
    },
};
use futures::{StreamExt as _, TryStreamExt as _, stream::iter};

use super::states::{BATCH, BOOK, Copy, Desk, changed_key, key, text};
use crate::peers::print_endpoint;

async fn connect(server: &str) -> anyhow::Result<jetstream::Context> {
    let client = ConnectOptions::new().connect(server).await;
    Ok(jetstream::new(client.with_context(|| format!("cannot connect to {server}"))?))
}

pub(super) async fn own(server: &str, keys: u32, readers: u32) -> anyhow::Result<()> {
    // A bucket by its stream, since `create_key_value` first asks for what servers of before 2.10 do not tell.
    let bucket = stream::Config {
        name: format!("KV_{BOOK}"),
        subjects: vec![format!("$KV.{BOOK}.>")],
        max_messages_per_subject: 1,
        storage: StorageType::Memory,
        discard: DiscardPolicy::New,
        allow_rollup: true,
        deny_delete: true,
        allow_direct: true,
        num_replicas: 1,
        ..stream::Config::default()
    };
    let context = connect(server).await?;
    context.create_stream(bucket).await?;
    let store = context.get_key_value(BOOK).await?;
    put(&store, (0..keys).map(|index| (key(index), text(index)))).await?;
    print_endpoint(server)?;
    if readers == 0 {
        return std::future::pending().await;
    }
    put(&store, (0_u32..).map(|number| (changed_key(number, keys), text(number)))).await
}

async fn put(store: &Store, entries: impl Iterator<Item = (String, String)>) -> anyhow::Result<()> {
    let puts = iter(entries).map(|(key, text)| async move { store.put(key, text.into()).await });
    puts.buffer_unordered(BATCH as usize).try_for_each(|_| async { Ok(()) }).await?;
    Ok(())
}

pub(super) async fn follow(server: String, keys: u32, desk: Desk) -> anyhow::Result<()> {
    let store = connect(&server).await?.get_key_value(BOOK).await?;
    // The last value of each key, then whatever is put.
    let mut entries = store.watch_with_history(">").await?;
    let (mut copy, mut missing) = (Copy::new(), keys);
    if missing == 0 {
        desk.is_live();
    }
    while let Some(entry) = entries.next().await {
        let entry = entry?;
        copy.insert(entry.key, entry.value);
        match missing {
            0 => desk.has_changed(),
            _ => {
                missing -= 1;
                if missing == 0 {
                    desk.is_live();
                }
            }
        }
    }
    anyhow::bail!("the server hung up")
}
