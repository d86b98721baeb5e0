//! The address books of the demo: as they are, or with ports that are free.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde_json::Value;

/// The address books of several services that talk to one another.
#[derive(Debug)]
pub(crate) struct Books {
    folder: PathBuf,
    free: Option<Free>,
}

/// What is needed to listen on free ports.
#[derive(Debug)]
struct Free {
    /// Where the books with these ports are written.
    folder: PathBuf,
    /// Addresses in the books that are listened on, with the ones that these turned out to be.
    found: HashMap<String, String>,
}

impl Books {
    /// The books in a folder.
    pub(crate) fn as_they_are(folder: PathBuf) -> Self {
        Self { folder, free: None }
    }

    /// The books in a folder, rewritten into another one.
    pub(crate) fn on_free_ports(folder: PathBuf, into: PathBuf) -> Self {
        Self { folder, free: Some(Free { folder: into, found: HashMap::new() }) }
    }

    /// Fails if a service cannot listen where its book says, because somebody else does.
    pub(crate) fn check(&self, service: &str) -> anyhow::Result<()> {
        if self.free.is_some() {
            return Ok(());
        }
        let mut book = self.read(service)?;
        for (connection, socket, address) in addresses(&mut book) {
            let is_taken = || {
                let bound = TcpListener::bind(address.replace('*', "0.0.0.0"));
                bound.is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
            };
            if listens(&socket) && is_taken() {
                bail!(
                    "cannot listen on {address}, which {} gives to `{connection}`: stop what listens there (another demo?), or add --any-ports",
                    self.source(service).display()
                );
            }
        }
        Ok(())
    }

    /// The book of a service, whose peers have been learned. A service that has been learned itself listens where it did.
    pub(crate) fn path(&self, service: &str) -> anyhow::Result<PathBuf> {
        let Some(free) = &self.free else { return Ok(self.source(service)) };
        let mut book = self.read(service)?;
        for (_, socket, address) in addresses(&mut book) {
            if let Some(found) = free.found.get(address) {
                found.clone_into(address);
            } else if listens(&socket) {
                *address = any_port(address);
            }
        }
        let path = free.folder.join(format!("{service}.addresses.json"));
        fs::write(&path, book.to_string()).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    /// Learns where a service listens, from the URLs of its connections and of the sockets of its states.
    pub(crate) fn learn(
        &mut self,
        service: &str,
        endpoints: &BTreeMap<String, String>,
    ) -> anyhow::Result<()> {
        let mut book = self.read(service)?;
        let Some(free) = &mut self.free else { return Ok(()) };
        for (connection, socket, address) in addresses(&mut book) {
            let url = endpoints.get(&connection).or_else(|| endpoints.get(&format!("{connection}.{socket}")));
            if let Some(url) = url.filter(|_| listens(&socket)) {
                free.found.insert(address.clone(), url.trim_start_matches("tcp://").to_owned());
            }
        }
        Ok(())
    }

    fn source(&self, service: &str) -> PathBuf {
        self.folder.join(format!("{service}.json"))
    }

    fn read(&self, service: &str) -> anyhow::Result<Value> {
        let path: &Path = &self.source(service);
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is no JSON", path.display()))
    }
}

/// Whether a service listens by such a socket; the books of the demo have no proxies.
fn listens(socket: &str) -> bool {
    matches!(socket, "replyer" | "publisher")
}

fn any_port(address: &str) -> String {
    address.rsplit_once(':').map_or_else(|| address.to_owned(), |(host, _)| format!("{host}:0"))
}

/// Connection or state, socket and address of all endpoints in a book of either shape.
fn addresses(book: &mut Value) -> impl Iterator<Item = (String, String, &mut String)> {
    let is_whole = book.get("connections").is_some() || book.get("states").is_some();
    let groups: Vec<&mut Value> =
        if is_whole { entries(book).map(|(_, group)| group).collect() } else { vec![book] };
    let sides =
        groups.into_iter().flat_map(entries).filter(|(side, _)| matches!(side.as_str(), "in" | "out"));
    let sockets = sides.flat_map(|(_, side)| entries(side)).flat_map(|(name, sockets)| {
        entries(sockets).map(move |(socket, endpoint)| (name.clone(), socket.clone(), endpoint))
    });
    sockets.filter_map(|(name, socket, endpoint)| {
        let endpoint = if endpoint.is_object() { &mut endpoint["address"] } else { endpoint };
        match endpoint {
            Value::String(address) => Some((name, socket, address)),
            _ => None,
        }
    })
}

fn entries(map: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    map.as_object_mut().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn books(probe: &Value, board: &Value) -> (tempfile::TempDir, PathBuf) {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("addresses");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("probe.json"), probe.to_string()).unwrap();
        fs::write(folder.join("board.json"), board.to_string()).unwrap();
        (root, folder)
    }

    #[test]
    fn free_ports_are_handed_on_to_those_who_connect() {
        let (root, folder) = books(
            &json!({"out": {"samples": {"publisher": "127.0.0.1:7101"}}}),
            &json!({"in": {
                "samples": {"subscriber": {"address": "127.0.0.1:7101", "topic": "cpu"}},
                "current": {"replyer": "127.0.0.1:7102"},
            }}),
        );
        let mut books = Books::on_free_ports(folder, root.path().to_owned());
        let read = |path: PathBuf| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
        let probe = read(books.path("probe").unwrap());
        assert_eq!(probe, json!({"out": {"samples": {"publisher": "127.0.0.1:0"}}}));
        let endpoints = [("samples".to_owned(), "tcp://127.0.0.1:4000".to_owned())].into();
        books.learn("probe", &endpoints).unwrap();
        assert_eq!(
            read(books.path("board").unwrap()),
            json!({"in": {
                "samples": {"subscriber": {"address": "127.0.0.1:4000", "topic": "cpu"}},
                "current": {"replyer": "127.0.0.1:0"},
            }})
        );
    }

    #[test]
    fn ports_of_states_are_handed_on_and_kept_by_an_owner_that_starts_again() {
        let (root, folder) = books(
            &json!({"states": {"in": {
                "readings": {"subscriber": "127.0.0.1:7104", "requester": "127.0.0.1:7105"},
            }}}),
            &json!({
                "connections": {"in": {"current": {"replyer": "127.0.0.1:7102"}}},
                "states": {"out": {"readings": {"publisher": "127.0.0.1:7104", "replyer": "127.0.0.1:7105"}}},
            }),
        );
        let mut books = Books::on_free_ports(folder, root.path().to_owned());
        let read = |path: PathBuf| -> Value { serde_json::from_slice(&fs::read(path).unwrap()).unwrap() };
        let board = |current, publisher, replyer| {
            let at = |port: u16| format!("127.0.0.1:{port}");
            json!({
                "connections": {"in": {"current": {"replyer": at(current)}}},
                "states": {"out": {"readings": {"publisher": at(publisher), "replyer": at(replyer)}}},
            })
        };
        assert_eq!(read(books.path("board").unwrap()), board(0, 0, 0));
        let endpoints = [("current", 4000), ("readings.publisher", 4001), ("readings.replyer", 4002)];
        let endpoints = endpoints.map(|(name, port)| (name.to_owned(), format!("tcp://127.0.0.1:{port}")));
        books.learn("board", &endpoints.into()).unwrap();
        assert_eq!(
            read(books.path("probe").unwrap()),
            json!({"states": {"in": {
                "readings": {"subscriber": "127.0.0.1:4001", "requester": "127.0.0.1:4002"},
            }}})
        );
        assert_eq!(read(books.path("board").unwrap()), board(4000, 4001, 4002));
    }

    #[test]
    fn a_port_that_is_taken_is_named_with_its_book() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap().to_string();
        let (_root, folder) = books(&json!({"out": {"samples": {"publisher": &address}}}), &json!({}));
        let said = Books::as_they_are(folder.clone()).check("probe").unwrap_err().to_string();
        let book = folder.join("probe.json");
        assert_eq!(
            said,
            format!(
                "cannot listen on {address}, which {} gives to `samples`: stop what listens there (another demo?), or add --any-ports",
                book.display()
            )
        );
    }
}
