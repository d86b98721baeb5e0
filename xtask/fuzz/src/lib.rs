//! The readers of what strangers and operators write, each with the laws that hold for all that it may be given.

mod address;
mod envelope;
mod files;
mod peer;
mod wire;
mod zmtp;

/// Tries one input, and panics if a law does not hold for it.
pub type Try = fn(&[u8]);

/// All targets by their names, which are those of their folders in the corpus.
pub const TARGETS: &[(&str, Try)] = &[
    ("zmtp", zmtp::run),
    ("peer", peer::run),
    ("envelope", envelope::run),
    ("wire", wire::run),
    ("address", address::run),
    ("files", files::run),
];

/// The environment variable by which the fuzzer is told its target.
pub const VARIABLE: &str = "SERVICE_FRAMEWORK_FUZZ";
