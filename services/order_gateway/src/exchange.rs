//! An exchange on paper: each open order is a file in a folder, called as the order, and gone when it is cancelled.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use service_framework::{DateTime, Error, Result};

use crate::{CancelAtExchange, Cancelled};

pub(crate) fn cancel_order(args: CancelAtExchange) -> Result<Cancelled> {
    let CancelAtExchange { exchange, order_id } = args;
    // An id comes from whoever asks, and must not lead out of the folder.
    if order_id.is_empty() || !order_id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') {
        return Err(Error::named("bad_order_id", "an order's id has letters, digits and dashes"));
    }
    match fs::remove_file(Path::new(&exchange).join(&order_id)) {
        Ok(()) => Ok(Cancelled { order_id, at: DateTime::now() }),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(Error::named("unknown_order", format!("there is no open order `{order_id}`")))
        }
        Err(error) => Err(error.into()),
    }
}
