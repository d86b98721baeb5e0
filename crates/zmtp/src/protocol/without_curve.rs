//! What stands in the place of CURVE where the crate is built without it: types that nothing is of.

use bytes::{Bytes, BytesMut};

use super::handshake::{Done, Step};
use super::incoming::Frame;
use super::{Config, Output};
use crate::Error;

pub(super) const OVERHEAD: usize = 0;

#[derive(Debug)]
pub(super) enum Due {}

#[derive(Debug)]
pub(super) struct Session {
    pub(super) sealer: Sealer,
    pub(super) opener: Opener,
}

#[derive(Debug)]
pub(super) enum Asked {}

#[derive(Debug)]
pub(super) enum Sealer {}

#[derive(Debug)]
pub(super) enum Opener {}

pub(super) fn step(due: &Due, _: &[u8], _: &[u8], _: &mut Output, _: &Config) -> Result<Step, Error> {
    match *due {}
}

impl Asked {
    pub(super) fn ready(&self, _: &mut Output, _: &Config) -> Done {
        match *self {}
    }
}

impl Sealer {
    pub(super) fn message(&mut self, _: &mut Output, _: &[Bytes]) {
        match *self {}
    }

    pub(super) fn command(&mut self, _: &mut Output, _: &str, _: &[&[u8]]) {
        match *self {}
    }
}

impl Opener {
    pub(super) fn open(&mut self, _: BytesMut) -> Result<Frame, Error> {
        match *self {}
    }
}
