//! Addresses: what one prints is what it is read from.

use service_framework_core::address::Address;

pub(crate) fn run(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else { return };
    match text.parse::<Address>() {
        Ok(address) => {
            for printed in [address.to_string(), address.url()] {
                assert_eq!(printed.parse().as_ref(), Ok(&address), "{printed}");
            }
            assert!(address.with_port(0).is_ephemeral() || address.with_port(0) == address);
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
