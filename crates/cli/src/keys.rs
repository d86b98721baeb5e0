//! `keys`: makes the key pair of a service, or says the public key of one.

use crate::failure::Failure;
use crate::flags::Keys;
use crate::print;

/// Makes the file, unless it is there, and prints its public key; gives the exit code.
pub(crate) fn keys(asked: &Keys) -> Result<u8, Failure> {
    let is_new = !asked.file.exists();
    let public = match is_new {
        true => service_framework_runtime::keys::create(&asked.file)?,
        false => service_framework_runtime::keys::public(&asked.file)?,
    };
    if is_new {
        let file = asked.file.display();
        print::message(&format!("made {file}, which nobody else should read; this is the public key:\n"));
    }
    print::data(&format!("{public}\n")).map_err(|error| Failure::Other(error.into(), 1))?;
    Ok(0)
}
