//! A publisher that writes each message to every subscriber, and waits for the slowest.

use tokio::{io::AsyncWriteExt as _, net::TcpStream};

use super::{BUFFER, FRAME, Received, put_frame};
use crate::{
    meter::Meter,
    options::Target,
    peers::{
        body::{Body as _, Raw, SIZE},
        on_tokio::{connect, listen},
        print_line,
    },
};

pub(super) async fn publish() -> anyhow::Result<()> {
    let listener = listen().await?;
    let mut subscribers: Vec<TcpStream> = Vec::new();
    let (mut message, mut batch, mut number) = (Vec::new(), Vec::with_capacity(BUFFER), 0);
    loop {
        tokio::select! {
            biased;
            accepted = listener.accept() => subscribers.push(accepted?.0),
            () = std::future::ready(()), if !subscribers.is_empty() => {
                batch.clear();
                while batch.len() + FRAME <= BUFFER {
                    number += 1;
                    put_frame(number, SIZE, &mut message, &mut batch)?;
                }
                let mut hung_up = Vec::new();
                for (index, subscriber) in subscribers.iter_mut().enumerate() {
                    if subscriber.write_all(&batch).await.is_err() {
                        hung_up.push(index);
                    }
                }
                for index in hung_up.into_iter().rev() {
                    subscribers.remove(index);
                }
            }
        }
    }
}

pub(super) async fn subscribe(target: &Target) -> anyhow::Result<()> {
    let mut stream = connect(&target.endpoint).await?;
    let (mut received, mut meter) = (Received::new(), Meter::new(target.window()));
    loop {
        anyhow::ensure!(received.more(&mut stream).await?, "the publisher hung up");
        let (mut count, mut last_number) = (0, 0);
        received.messages(|message| {
            count += 1;
            last_number = Raw::number(message)?;
            Ok(())
        })?;
        if count == 0 {
            continue;
        }
        if let Some(sample) = meter.add_numbered(count, last_number) {
            return print_line(&sample.line()?);
        }
    }
}
