//! What a test and the services in it share: notes of what happened, in order, and doors that the test opens.
#![allow(dead_code, reason = "no test binary uses all of it")]

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex};
use std::time::Instant;

use service_framework::prelude::*;
use tokio::sync::watch;

use crate::support::PATIENCE;

static SCENES: LazyLock<Mutex<HashMap<u64, Arc<Scene>>>> = LazyLock::new(Mutex::default);

/// A config that names the scene of a service.
#[derive(Model, Clone, Debug)]
pub(crate) struct At {
    pub(crate) scene: u64,
}

impl At {
    pub(crate) fn scene(&self) -> Arc<Scene> {
        Arc::clone(&SCENES.lock().unwrap()[&self.scene])
    }
}

#[derive(Debug)]
pub(crate) struct Scene {
    number: u64,
    state: Mutex<State>,
    /// Wakes threads when something is noted or opened.
    changed: Condvar,
    /// Wakes futures then.
    changes: watch::Sender<()>,
}

#[derive(Debug, Default)]
struct State {
    notes: Vec<(String, Instant)>,
    doors: HashSet<String>,
}

impl State {
    fn has(&self, text: &str) -> bool {
        self.notes.iter().any(|(note, _)| note == text)
    }
}

impl Scene {
    pub(crate) fn new() -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let scene = Arc::new(Self {
            number,
            state: Mutex::default(),
            changed: Condvar::new(),
            changes: watch::Sender::default(),
        });
        SCENES.lock().unwrap().insert(number, Arc::clone(&scene));
        scene
    }

    /// The config of a service in this scene.
    pub(crate) fn config(&self) -> Value {
        value!({"scene": (self.number as i64)})
    }

    pub(crate) fn note(&self, text: impl Into<String>) {
        self.change(|state| state.notes.push((text.into(), Instant::now())));
    }

    pub(crate) fn open(&self, door: &str) {
        self.change(|state| _ = state.doors.insert(door.to_owned()));
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
        self.changes.send_replace(());
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.timed().into_iter().map(|(text, _)| text).collect()
    }

    pub(crate) fn timed(&self) -> Vec<(String, Instant)> {
        self.state.lock().unwrap().notes.clone()
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.state.lock().unwrap().has(text)
    }

    /// Waits for a note, among the peers of a test or in a handler.
    pub(crate) async fn noted(&self, text: &str) {
        self.until(|state| state.has(text)).await;
    }

    /// Waits until the same was noted that often.
    pub(crate) async fn noted_times(&self, text: &str, times: usize) {
        self.until(|state| state.notes.iter().filter(|(note, _)| note == text).count() >= times).await;
    }

    /// Lets a thread wait for a note.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        self.hold_until(&format!("`{text}` is noted"), |state| state.has(text));
    }

    /// Lets an async handler wait at a door.
    pub(crate) async fn pass(&self, door: &str, cx: &Context) {
        let opened = cx.timeout(PATIENCE, self.until(|state| state.doors.contains(door))).await;
        opened.unwrap_or_else(|_| panic!("nobody opened `{door}`"));
    }

    /// Lets a thread wait at a door.
    #[track_caller]
    pub(crate) fn block(&self, door: &str) {
        self.hold_until(&format!("`{door}` is opened"), |state| state.doors.contains(door));
    }

    async fn until(&self, holds: impl Fn(&State) -> bool) {
        let mut changes = self.changes.subscribe();
        while !holds(&self.state.lock().unwrap()) {
            changes.changed().await.expect("the scene is still there");
        }
    }

    #[track_caller]
    fn hold_until(&self, what: &str, holds: impl Fn(&State) -> bool) {
        let state = self.state.lock().unwrap();
        let (state, late) = self.changed.wait_timeout_while(state, PATIENCE, |state| !holds(state)).unwrap();
        drop(state);
        assert!(!late.timed_out(), "waited too long until {what}");
    }
}
