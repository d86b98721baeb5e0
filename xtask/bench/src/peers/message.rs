//! The messages of the framework's wire, as typed structs: what a careful author would write by hand.

use rmp_serde::{Serializer, from_slice};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::body::{Body, SIZE};

/// Text that makes the arguments [`SIZE`] bytes long.
const TEXT: &str = "thirty bytes of text, no more.";

/// Arguments of 64 bytes or so: a number, a float, and text.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Args {
    number: u64,
    price: f64,
    text: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct WorkflowId {
    #[serde(rename = "__uuid__")]
    uuid: bool,
    as_str: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Request {
    args: Args,
    workflow_id: WorkflowId,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Reply {
    return_args: Args,
    workflow_id: WorkflowId,
}

/// Envelope, arguments and workflow id in MessagePack, checked on both sides.
#[derive(Debug)]
pub(crate) enum Typed {}

impl Body for Typed {
    fn make(number: u64, bytes: usize, into: &mut Vec<u8>) -> anyhow::Result<()> {
        // A counter instead of randomness: the peer shall not wait for the kernel's random numbers.
        let id = Uuid::from_u128(0x5eed_0000_0000_4000_8000_0000_0000_0000 | u128::from(number));
        let request = Request {
            args: Args { number, price: number as f64 + 0.5, text: text(bytes) },
            workflow_id: WorkflowId { uuid: true, as_str: id.to_string() },
        };
        encode(&request, into)
    }

    fn answer(request: &[u8], into: &mut Vec<u8>) -> anyhow::Result<()> {
        let Request { args, workflow_id } = from_slice(request)?;
        encode(&Reply { return_args: args, workflow_id }, into)
    }

    fn reply_number(reply: &[u8]) -> anyhow::Result<u64> {
        let reply: Reply = from_slice(reply)?;
        Ok(reply.return_args.number)
    }

    fn number(publication: &[u8]) -> anyhow::Result<u64> {
        let publication: Request = from_slice(publication)?;
        Ok(publication.args.number)
    }
}

/// Text that makes the arguments so many bytes long; a few more, once its length takes more bytes to say.
fn text(bytes: usize) -> String {
    let mut text = TEXT.to_owned();
    text.extend(std::iter::repeat_n('.', bytes.saturating_sub(SIZE)));
    text
}

fn encode(message: &impl Serialize, into: &mut Vec<u8>) -> anyhow::Result<()> {
    into.clear();
    Ok(message.serialize(&mut Serializer::new(into).with_struct_map())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_are_64_bytes() {
        let args = Args { number: 70_000, price: 0.5, text: text(SIZE) };
        assert_eq!(rmp_serde::to_vec_named(&args).unwrap().len(), 64);
    }

    #[test]
    fn a_reply_carries_what_was_asked() {
        let (mut request, mut reply) = (Vec::new(), Vec::new());
        Typed::make(7, SIZE, &mut request).unwrap();
        Typed::answer(&request, &mut reply).unwrap();
        assert_eq!(Typed::number(&request).unwrap(), 7);
        assert_eq!(Typed::reply_number(&reply).unwrap(), 7);
        let (asked, answered): (Request, Reply) =
            (from_slice(&request).unwrap(), from_slice(&reply).unwrap());
        assert_eq!(asked.args, answered.return_args);
        assert_eq!(asked.workflow_id, answered.workflow_id);
    }
}
