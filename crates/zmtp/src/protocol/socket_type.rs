//! The types of sockets, and which talk to which.

use std::fmt;

/// The type of a socket, by RFC 28, 29 and 30.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum SocketType {
    /// Asks, and waits for the answer.
    Req,
    /// Answers.
    Rep,
    /// Asks and answers as it likes.
    Dealer,
    /// As a dealer, and knows each peer by its identity.
    Router,
    /// Publishes.
    Pub,
    /// Subscribes.
    Sub,
    /// Publishes, and sees who subscribes.
    XPub,
    /// Subscribes by messages.
    XSub,
    /// Sends work.
    Push,
    /// Takes work.
    Pull,
}

impl SocketType {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Req,
        Self::Rep,
        Self::Dealer,
        Self::Router,
        Self::Pub,
        Self::Sub,
        Self::XPub,
        Self::XSub,
        Self::Push,
        Self::Pull,
    ];

    /// Its name on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Req => "REQ",
            Self::Rep => "REP",
            Self::Dealer => "DEALER",
            Self::Router => "ROUTER",
            Self::Pub => "PUB",
            Self::Sub => "SUB",
            Self::XPub => "XPUB",
            Self::XSub => "XSUB",
            Self::Push => "PUSH",
            Self::Pull => "PULL",
        }
    }

    pub(super) fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|known| known.name().as_bytes() == name)
    }

    /// Whether the two may talk to one another.
    pub const fn talks_to(self, other: Self) -> bool {
        use SocketType::{Dealer, Pub, Pull, Push, Rep, Req, Router, Sub, XPub, XSub};
        matches!(
            (self, other),
            (Req, Rep | Router)
                | (Rep, Req | Dealer)
                | (Dealer, Rep | Dealer | Router)
                | (Router, Req | Dealer | Router)
                | (Pub | XPub, Sub | XSub)
                | (Sub | XSub, Pub | XPub)
                | (Push, Pull)
                | (Pull, Push)
        )
    }

    /// Whether what it sends goes to all of its peers that want it, and is lost to those that have no room.
    #[cfg(feature = "tokio")]
    pub(crate) const fn publishes(self) -> bool {
        matches!(self, Self::Pub | Self::XPub | Self::XSub)
    }

    /// Whether its peers subscribe to what it sends.
    pub(super) const fn is_published_by(self) -> bool {
        matches!(self, Self::Pub | Self::XPub)
    }
}

impl fmt::Display for SocketType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::SocketType;

    #[test]
    fn both_sides_agree_who_talks_to_whom() {
        for ours in SocketType::ALL {
            for theirs in SocketType::ALL {
                assert_eq!(ours.talks_to(theirs), theirs.talks_to(ours), "{ours} and {theirs}");
            }
            assert!(SocketType::ALL.into_iter().any(|theirs| ours.talks_to(theirs)));
            assert_eq!(SocketType::from_name(ours.name().as_bytes()), Some(ours));
        }
    }
}
