//! The files that key pairs are kept in, for connections that are encrypted.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::rc::Rc;

use service_framework_connections::Security;
use service_framework_connections::security::{Allow, KeyPair, PublicKey, SecretKey};
use service_framework_core::settings::ANYBODY;
use service_framework_core::wiring::Wired;
use zeroize::Zeroizing;

use crate::error::Error;

/// Makes a key pair and keeps it in a new file, which its owner alone may read; gives the public key.
///
/// The file is a map in JSON, `public` and `secret`, both in Z85 as libzmq has them.
///
/// # Errors
///
/// If the file is there already or cannot be written, or the system has no random bytes.
pub fn create(path: &Path) -> Result<String, Error> {
    let failed = |why: String| Error::System { what: format!("make keys in {}", path.display()), why };
    let pair = KeyPair::generate().map_err(|error| failed(error.to_string()))?;
    let public = pair.public().to_string();
    let secret = pair.secret().to_text();
    // With room for all of it, as a text that grows leaves its former place as it was.
    let mut text = Zeroizing::new(String::with_capacity(256));
    _ = writeln!(text, "{{\"public\": {public:?}, \"secret\": {:?}}}", &**secret);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path).map_err(|error| failed(error.to_string()))?;
    file.write_all(text.as_bytes()).map_err(|error| {
        // Half a file would stand in the way of the next attempt.
        _ = std::fs::remove_file(path);
        failed(error.to_string())
    })?;
    Ok(public)
}

/// The public key of a file that [`create`] has made.
///
/// # Errors
///
/// If the file cannot be read or has no key pair.
pub fn public(path: &Path) -> Result<String, Error> {
    let pair = read(path).map_err(|why| Error::System { what: format!("read {}", path.display()), why })?;
    Ok(pair.public().to_string())
}

/// A file of keys, as it is read: its texts are parts of it, so that no copy of the secret is left.
#[derive(serde::Deserialize)]
struct File<'a> {
    public: &'a str,
    secret: &'a str,
}

/// What is wrong with it is said without a word of what stands in it.
fn read(path: &Path) -> Result<KeyPair, String> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new).map_err(|error| error.to_string())?;
    let File { public, secret } = serde_json::from_str(&text)
        .map_err(|_| "it has no `public` and `secret`: `service_framework keys` makes such files")?;
    let secret: SecretKey = secret.parse().map_err(|error| format!("its `secret`: {error}"))?;
    let public: PublicKey = public.parse().map_err(|error| format!("its `public`: {error}"))?;
    let pair = KeyPair::from(secret);
    if *pair.public() == public { Ok(pair) } else { Err("its two keys do not belong to each other".into()) }
}

fn own(name: &str, path: &str) -> Result<KeyPair, String> {
    read(Path::new(path)).map_err(|why| format!("`curve_keys` of `{name}`, {path}: {why}"))
}

fn key(setting: &str, name: &str, text: &str) -> Result<PublicKey, String> {
    text.parse().map_err(|why| format!("`{setting}` of `{name}`, `{text}`: {why}"))
}

/// How a connection is secured.
///
/// # Errors
///
/// What is wrong with its keys.
pub(crate) fn security(wired: &Wired) -> Result<Security, String> {
    let (name, settings) = (&wired.name, &wired.settings);
    let Some(path) = &settings.curve_keys else { return Ok(Security::Open) };
    if wired.listens {
        return server(name, path, settings.curve_allow.as_deref().unwrap_or_default());
    }
    let server = key("curve_server", name, settings.curve_server.as_deref().unwrap_or_default())?;
    Ok(Security::Client { own: own(name, path)?, server })
}

/// How what listens is secured, by its file of keys and whom it lets in: public keys with spaces between them, or [`ANYBODY`].
pub(crate) fn server(name: &str, path: &str, allow: &str) -> Result<Security, String> {
    let allow = match allow {
        ANYBODY => Allow::Anybody,
        keys => Allow::These(
            keys.split_whitespace().map(|text| key("curve_allow", name, text)).collect::<Result<_, _>>()?,
        ),
    };
    Ok(Security::Server { own: own(name, path)?, allow: Rc::new(allow) })
}
