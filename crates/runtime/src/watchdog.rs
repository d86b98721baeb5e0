//! Names handlers that hold the thread of their service.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use service_framework_core::declaration::{Declaration, Hook};
use service_framework_core::plugin::Target;

use crate::log::{Level, Recorder};

/// What the thread of one service is at, readable by the watchdog.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// Counts the steps begun and ended: odd while one runs.
    steps: AtomicU64,
    target: AtomicU32,
    /// The names of connections, then of states, to name their handlers.
    names: Vec<String>,
    /// How many of them are those of connections.
    connections: usize,
}

const FIRST_STATE: u32 = 1 << 30;
const FIRST_HOOK: u32 = 1 << 31;
const DROP: u32 = u32::MAX;
const BACKGROUND: u32 = u32::MAX - 1;

/// What work beside the handlers is called, where it is told of.
pub(crate) const BACKGROUND_WORK: &str = "background work";

impl Watched {
    pub(crate) fn new(declaration: &Declaration) -> Self {
        let connections = declaration.connections.iter().map(|model| model.name.clone());
        let states = declaration.states.iter().map(|model| model.name.clone());
        let names = connections.chain(states).collect();
        Self { names, connections: declaration.connections.len(), ..Self::default() }
    }

    /// Runs a step of the service on its thread.
    pub(crate) fn during<T>(&self, target: Target, step: impl FnOnce() -> T) -> T {
        self.run(number_of(target), step)
    }

    /// Runs a step of its background work on its thread.
    pub(crate) fn working<T>(&self, step: impl FnOnce() -> T) -> T {
        self.run(BACKGROUND, step)
    }

    /// Whether its thread is at this.
    pub(crate) fn is_at(&self, target: Target) -> bool {
        self.target.load(Ordering::Relaxed) == number_of(target)
    }

    /// Drops what is the author's, at the end of the service.
    pub(crate) fn dropping(&self, drop: impl FnOnce()) {
        self.run(DROP, drop);
    }

    fn run<T>(&self, number: u32, step: impl FnOnce() -> T) -> T {
        // Nobody but the service's thread writes, so that neither needs to be locked for it.
        let before = self.target.load(Ordering::Relaxed);
        self.target.store(number, Ordering::Relaxed);
        let steps = self.steps.load(Ordering::Relaxed);
        let is_outermost = steps.is_multiple_of(2);
        if is_outermost {
            self.steps.store(steps + 1, Ordering::Release);
        }
        let done = step();
        if is_outermost {
            self.steps.store(steps + 2, Ordering::Release);
        }
        self.target.store(before, Ordering::Relaxed);
        done
    }

    /// The step that runs, by a number of its own.
    pub(crate) fn step(&self) -> Option<u64> {
        let step = self.steps.load(Ordering::Acquire);
        (step % 2 == 1).then_some(step)
    }

    /// What runs, or did last: a connection by its name, a method, background work, or the end of it all.
    pub(crate) fn name(&self) -> String {
        let number = self.target.load(Ordering::Relaxed);
        match number.checked_sub(FIRST_HOOK) {
            _ if number == DROP => "drop".into(),
            _ if number == BACKGROUND => BACKGROUND_WORK.into(),
            Some(hook) => Hook::ALL.get(hook as usize).map_or(String::new(), |hook| hook.name().to_owned()),
            None => {
                let handler = number.checked_sub(FIRST_STATE).map(|state| self.connections + state as usize);
                self.names.get(handler.unwrap_or(number as usize)).cloned().unwrap_or_default()
            }
        }
    }
}

fn number_of(target: Target) -> u32 {
    match target {
        Target::Connection(number) => number,
        Target::State(state) => FIRST_STATE + state,
        Target::Hook(hook) => {
            FIRST_HOOK + Hook::ALL.iter().position(|known| *known == hook).unwrap_or(0) as u32
        }
    }
}

/// One service under watch.
struct Post {
    service: String,
    watched: Weak<Watched>,
    limit: Duration,
    recorder: Recorder,
    /// The step seen last, and since when it runs; whether it was named.
    seen: (u64, Instant, bool),
}

/// The services under watch, and whether there is a thread that watches them.
struct Posts {
    posts: Vec<Post>,
    is_patrolled: bool,
}

static POSTS: Mutex<Posts> = Mutex::new(Posts { posts: Vec::new(), is_patrolled: false });
static CHANGED: Condvar = Condvar::new();

/// While it is there, the service is watched.
pub(crate) struct Watch(Arc<Watched>);

impl Drop for Watch {
    fn drop(&mut self) {
        POSTS.lock().posts.retain(|post| !std::ptr::eq(post.watched.as_ptr(), Arc::as_ptr(&self.0)));
    }
}

/// Puts a service under the watch of the one thread that watches all services of this process, unless its limit is zero. The thread ends
/// with the last of them.
pub(crate) fn watch(
    service: &str,
    watched: &Arc<Watched>,
    limit: Duration,
    recorder: &Recorder,
) -> Option<Watch> {
    if limit.is_zero() {
        return None;
    }
    let mut posts = POSTS.lock();
    posts.posts.push(Post {
        service: service.to_owned(),
        watched: Arc::downgrade(watched),
        limit,
        recorder: recorder.clone(),
        seen: (0, Instant::now(), false),
    });
    if !posts.is_patrolled {
        // Without the thread nothing is named; the service runs all the same.
        posts.is_patrolled = std::thread::Builder::new().name("watchdog".into()).spawn(patrol).is_ok();
    }
    drop(posts);
    CHANGED.notify_all();
    Some(Watch(Arc::clone(watched)))
}

fn patrol() {
    let mut posts = POSTS.lock();
    loop {
        let Some(limit) = posts.posts.iter().map(|post| post.limit).min() else {
            posts.is_patrolled = false;
            return;
        };
        // Waking a few times within the limit finds a stuck handler soon enough, and costs an idle machine nothing to speak of.
        CHANGED.wait_for(&mut posts, (limit / 4).max(Duration::from_millis(10)));
        let now = Instant::now();
        for post in &mut posts.posts {
            let Some(watched) = post.watched.upgrade() else { continue };
            let step = watched.steps.load(Ordering::Acquire);
            if step != post.seen.0 {
                post.seen = (step, now, false);
            } else if step % 2 == 1 && !post.seen.2 && now - post.seen.1 >= post.limit {
                post.seen.2 = true;
                let text = format!(
                    "the handler of `{}` has held the thread of service `{}` for more than {:?}: nothing else of the service runs; \
                     make it async, or blocking if it has to wait",
                    watched.name(),
                    post.service,
                    post.limit,
                );
                post.recorder.record(Level::Error, "service_framework", &text, None);
            }
        }
    }
}
