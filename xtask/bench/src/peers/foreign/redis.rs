//! States in a Redis server: a hash, whose owner publishes each change of it.

use anyhow::Context as _;
use bytes::Bytes;
use futures::StreamExt as _;
use redis::{AsyncConnectionConfig, Client, aio::MultiplexedConnection};

use super::states::{BATCH, BOOK, Copy, Desk, KEY_BYTES, changed_key, key, text};
use crate::peers::print_endpoint;

/// Where changes are published.
const CHANGES: &str = "changes";

/// How many keys are written at a time before anybody follows.
const FIRST_BATCH: u32 = 1_000;

async fn connect(client: &Client) -> anyhow::Result<MultiplexedConnection> {
    // The whole of a large state takes longer than it waits by itself.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    client.get_multiplexed_async_connection_with_config(&config).await.context("cannot connect to the server")
}

pub(super) async fn own(server: &str, keys: u32, readers: u32) -> anyhow::Result<()> {
    let mut connection = connect(&Client::open(server)?).await?;
    for first in (0..keys).step_by(FIRST_BATCH as usize) {
        let mut pipeline = redis::pipe();
        for index in first..keys.min(first + FIRST_BATCH) {
            pipeline.hset(BOOK, key(index), text(index)).ignore();
        }
        pipeline.exec_async(&mut connection).await?;
    }
    print_endpoint(server)?;
    if readers == 0 {
        return std::future::pending().await;
    }
    for batch in 0_u32.. {
        let mut pipeline = redis::pipe();
        for change in 0..BATCH {
            let number = batch.wrapping_mul(BATCH) + change;
            let (key, text) = (changed_key(number, keys), text(number));
            let published = format!("{key}{text}");
            pipeline.hset(BOOK, key, text).ignore().publish(CHANGES, published).ignore();
        }
        pipeline.exec_async(&mut connection).await?;
    }
    Ok(())
}

pub(super) async fn follow(server: String, desk: Desk) -> anyhow::Result<()> {
    let client = Client::open(server)?;
    let mut changes = client.get_async_pubsub().await?;
    // What is published while the whole is got waits in the connection.
    changes.subscribe(CHANGES).await?;
    let mut connection = connect(&client).await?;
    let whole: Vec<(String, Bytes)> = redis::cmd("HGETALL").arg(BOOK).query_async(&mut connection).await?;
    drop(connection);
    let mut copy: Copy = whole.into_iter().collect();
    desk.is_live();
    let mut changes = changes.into_on_message();
    while let Some(change) = changes.next().await {
        let change: Vec<u8> = change.get_payload()?;
        let (key, text) = change.split_at_checked(KEY_BYTES).context("a change has no key")?;
        copy.insert(String::from_utf8(key.to_vec())?, Bytes::copy_from_slice(text));
        desk.has_changed();
    }
    anyhow::bail!("the server hung up")
}
