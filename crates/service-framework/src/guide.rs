//! Runs the samples of the guide as documentation tests.

#[doc = include_str!("../../../guide/src/models.md")]
struct Models;

#[doc = include_str!("../../../guide/src/connections.md")]
struct Connections;

#[doc = include_str!("../../../guide/src/states.md")]
struct States;

#[doc = include_str!("../../../README.md")]
struct Readme;
