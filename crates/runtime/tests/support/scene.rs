//! What a test and the services in it share: notes of what happened, in order, and doors that the test opens.
#![allow(dead_code, reason = "no test binary uses all of it")]

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, LazyLock, Mutex};
use std::time::{Duration, Instant};

use service_framework::prelude::*;

use crate::support::{PATIENCE, until};

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
    notes: Mutex<Vec<(String, Instant)>>,
    doors: Mutex<HashSet<String>>,
    opened: Condvar,
}

impl Scene {
    pub(crate) fn new() -> Arc<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let scene = Arc::new(Self {
            number,
            notes: Mutex::default(),
            doors: Mutex::default(),
            opened: Condvar::new(),
        });
        SCENES.lock().unwrap().insert(number, Arc::clone(&scene));
        scene
    }

    /// The config of a service in this scene.
    pub(crate) fn config(&self) -> Value {
        value!({"scene": (self.number as i64)})
    }

    pub(crate) fn note(&self, text: impl Into<String>) {
        self.notes.lock().unwrap().push((text.into(), Instant::now()));
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.timed().into_iter().map(|(text, _)| text).collect()
    }

    pub(crate) fn timed(&self) -> Vec<(String, Instant)> {
        self.notes.lock().unwrap().clone()
    }

    pub(crate) fn has(&self, text: &str) -> bool {
        self.notes.lock().unwrap().iter().any(|(note, _)| note == text)
    }

    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) {
        until(&format!("`{text}` is noted"), || self.has(text));
    }

    /// Waits among the peers of a test.
    pub(crate) async fn noted(&self, text: &str) {
        crate::support::until_async(|| self.has(text)).await;
    }

    pub(crate) fn open(&self, door: &str) {
        self.doors.lock().unwrap().insert(door.to_owned());
        self.opened.notify_all();
    }

    /// Lets an async handler wait at a door.
    pub(crate) async fn pass(&self, door: &str, cx: &Context) {
        while !self.doors.lock().unwrap().contains(door) {
            cx.sleep(Duration::from_millis(1)).await;
        }
    }

    /// Lets a thread wait at a door.
    pub(crate) fn block(&self, door: &str) {
        let doors = self.doors.lock().unwrap();
        let (_doors, late) =
            self.opened.wait_timeout_while(doors, PATIENCE, |doors| !doors.contains(door)).unwrap();
        assert!(!late.timed_out(), "nobody opened `{door}`");
    }
}
