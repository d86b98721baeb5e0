//! Why connections end or are never made, told apart for those who count.

use super::Ended;
use crate::Error;

/// Why a connection ended, was never made, or came to nothing in its handshake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// The peer closed it.
    ByPeer,
    /// This side closed it.
    ByUs,
    /// The peer took too little of what was sent to it.
    Slow,
    /// The peer gave no sign of life.
    Silent,
    /// A frame or a message beyond the limit of bytes.
    TooLarge,
    /// A message of more frames than the limit.
    TooManyFrames,
    /// More subscriptions than one peer may have.
    TooManySubscriptions,
    /// Bytes that no peer may send there, or that had come before.
    Malformed,
    /// What was encrypted does not open: it was made with other keys, or changed on the way.
    WrongKey,
    /// A client that was not let in.
    NotAdmitted,
    /// The other side does not speak ZMTP, or one from before 3.0.
    NotZmtp,
    /// Both sides want to tell who they are in different ways, or from the same side.
    Mechanism,
    /// Sockets of these types do not talk to one another.
    WrongType,
    /// Another peer is called the same.
    IdentityInUse,
    /// The other side broke off, and said why.
    Refused,
    /// The handshake, or the connection itself, was not done in time.
    Timeout,
    /// The system lost the connection, or could not make it.
    Network,
    /// Anything else, and what nobody says.
    Other,
}

impl Cause {
    /// All of them, in the order in which they are counted.
    pub const ALL: [Self; 18] = [
        Self::ByPeer,
        Self::ByUs,
        Self::Slow,
        Self::Silent,
        Self::TooLarge,
        Self::TooManyFrames,
        Self::TooManySubscriptions,
        Self::Malformed,
        Self::WrongKey,
        Self::NotAdmitted,
        Self::NotZmtp,
        Self::Mechanism,
        Self::WrongType,
        Self::IdentityInUse,
        Self::Refused,
        Self::Timeout,
        Self::Network,
        Self::Other,
    ];

    /// Its name in reports, which never changes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ByPeer => "by_peer",
            Self::ByUs => "by_us",
            Self::Slow => "slow",
            Self::Silent => "silent",
            Self::TooLarge => "too_large",
            Self::TooManyFrames => "too_many_frames",
            Self::TooManySubscriptions => "too_many_subscriptions",
            Self::Malformed => "malformed",
            Self::WrongKey => "wrong_key",
            Self::NotAdmitted => "not_admitted",
            Self::NotZmtp => "not_zmtp",
            Self::Mechanism => "mechanism",
            Self::WrongType => "wrong_type",
            Self::IdentityInUse => "identity_in_use",
            Self::Refused => "refused",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::Other => "other",
        }
    }
}

impl Ended {
    /// Which of the causes that are counted it is.
    pub fn cause(&self) -> Cause {
        match self {
            Self::ByPeer => Cause::ByPeer,
            Self::ByUs => Cause::ByUs,
            Self::QueueFull => Cause::Slow,
            Self::NotAdmitted => Cause::NotAdmitted,
            Self::System(_) => Cause::Network,
            Self::Protocol(error) => match error {
                Error::NotZmtp | Error::Version { .. } => Cause::NotZmtp,
                Error::Mechanism { .. } | Error::SameSide { .. } => Cause::Mechanism,
                Error::Incompatible { .. } => Cause::WrongType,
                Error::Refused { .. } => Cause::Refused,
                Error::Unopened(_) => Cause::WrongKey,
                Error::Replayed | Error::Malformed(_) => Cause::Malformed,
                Error::NoRandomness => Cause::Other,
                Error::HandshakeTimeout => Cause::Timeout,
                Error::Silent => Cause::Silent,
                Error::FrameTooLarge { .. } | Error::MessageTooLarge { .. } => Cause::TooLarge,
                Error::TooManyFrames { .. } => Cause::TooManyFrames,
                Error::TooManySubscriptions => Cause::TooManySubscriptions,
                Error::IdentityInUse => Cause::IdentityInUse,
            },
        }
    }
}

/// How often something happened, by its cause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ByCause([u64; Cause::ALL.len()]);

impl ByCause {
    /// How often by this cause.
    pub fn of(&self, cause: Cause) -> u64 {
        self.0[cause as usize]
    }

    /// How often, whatever the cause.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The causes that there were, and how often each.
    pub fn each(&self) -> impl Iterator<Item = (Cause, u64)> {
        Cause::ALL.into_iter().map(|cause| (cause, self.of(cause))).filter(|(_, times)| *times > 0)
    }

    /// It has happened so many times more.
    pub fn add(&mut self, cause: Cause, times: u64) {
        self.0[cause as usize] += times;
    }
}

impl FromIterator<(Cause, u64)> for ByCause {
    fn from_iter<I: IntoIterator<Item = (Cause, u64)>>(times: I) -> Self {
        let mut counted = Self::default();
        times.into_iter().for_each(|(cause, times)| counted.add(cause, times));
        counted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_counts_in_its_own_place_under_its_own_name() {
        let times: Vec<_> = Cause::ALL.into_iter().zip(0..).collect();
        let mut counted: ByCause = times.iter().copied().collect();
        assert_eq!(counted.each().collect::<Vec<_>>(), times[1..]);
        assert_eq!(counted.total(), (0..18).sum());
        counted.add(Cause::ByUs, 2);
        assert_eq!(counted.of(Cause::ByUs), 3);
        let names: std::collections::HashSet<_> = Cause::ALL.map(Cause::name).into();
        assert_eq!(names.len(), Cause::ALL.len());
    }

    #[test]
    fn what_this_side_lacks_is_not_held_against_the_peer() {
        assert_eq!(Ended::Protocol(Error::NoRandomness).cause(), Cause::Other);
        assert_eq!(Ended::Protocol(Error::Unopened("HELLO")).cause(), Cause::WrongKey);
    }
}
