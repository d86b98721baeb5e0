//! Connections over sockets.
