//! The threads of a run: the same work on each of several items, side by side.
//!
//! A step of a small network takes some tens of microseconds and has two parallel halves, so handing work
//! over has to cost less than one. Waking a thread costs more than that (with a general pool, two threads
//! were slower than one), so these wait awake for a short while, and go to sleep only when nothing comes.
//!
//! Item `k` is for thread `k`, every time: what it works on stays in the caches of that thread's core. But nobody
//! waits for a thread that has not begun: who is done takes what is left, and on a machine that is busy
//! with something else the calling thread does it all.
//!
//! The work borrows from its caller's stack while threads that outlive the caller run it. No safe means
//! of the standard library allows that (its scoped threads end with the scope), hence the one unsafe
//! line of this crate.
#![allow(unsafe_code)]

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How long a thread looks for something to do before it goes to sleep.
///
/// Several parts of a step: a thread that slept through the beginning of one has nothing to do until the next, and with
/// less patience it would be asleep again by then. So it went, at half the speed of one thread.
const PATIENCE: Duration = Duration::from_millis(1);

/// Work that is on, and may be joined.
const OPEN: u64 = 1 << 31;
/// The caller sleeps until nobody is at work.
const CALLER_SLEEPS: u64 = 1 << 30;
/// The threads are to end.
const END: u64 = 1 << 29;
/// How many threads besides the caller are at work.
const AT_WORK: u64 = END - 1;
/// The number of the work, from bit 32 on.
const NUMBER: u64 = !((1 << 32) - 1);

type Work<'a> = &'a (dyn Fn(usize) + Sync);

/// Items handed out at a time.
const SLOTS: usize = 64;

/// An item until a thread takes it, on a cache line of its own.
#[repr(align(64))]
struct Slot<T>(Mutex<Option<T>>);

/// One or more threads that live as long as the run.
pub(crate) struct Team {
    shared: Arc<Shared>,
    others: Vec<JoinHandle<()>>,
}

struct Shared {
    /// `NUMBER`, `OPEN`, `CALLER_SLEEPS`, `END`, `AT_WORK`.
    state: AtomicU64,
    /// The work, valid while the state is open or anyone is at work.
    work: AtomicPtr<Work<'static>>,
    /// Threads that the work is for, the calling one included.
    wanted: AtomicUsize,
    /// Threads asleep, or about to be.
    asleep: AtomicUsize,
    caller: Mutex<Option<Thread>>,
    panic: Mutex<Option<Box<dyn Any + Send>>>,
}

impl Team {
    /// `threads` of them, the calling one included.
    pub(crate) fn new(threads: usize) -> Self {
        let shared = Arc::new(Shared {
            state: AtomicU64::new(0),
            work: AtomicPtr::default(),
            wanted: AtomicUsize::new(0),
            asleep: AtomicUsize::new(0),
            caller: Mutex::new(None),
            panic: Mutex::new(None),
        });
        let spawn = |number| {
            let shared = Arc::clone(&shared);
            thread::Builder::new().name("motenet".into()).spawn(move || shared.serve(number)).ok()
        };
        // A machine that refuses more threads still trains, with the same bits.
        let others = (1..threads).map_while(spawn).collect();
        Team { shared, others }
    }

    /// Does `work` with every item, each on one thread, and waits for all. A panic in one of them comes out
    /// here, after the others are done.
    pub(crate) fn each<T: Send>(
        &mut self,
        items: impl Iterator<Item = T>,
        work: impl Fn(usize, T) + Sync,
    ) {
        let mut items = items.enumerate();
        if self.others.is_empty() {
            return items.for_each(|(k, item)| work(k, item));
        }
        loop {
            let mut count = 0;
            let slots: [Slot<(usize, T)>; SLOTS] = std::array::from_fn(|_| {
                let item = items.next();
                count += usize::from(item.is_some());
                Slot(Mutex::new(item))
            });
            let slots = &slots[..count];
            self.together(count, &|thread| {
                let (before, from) = slots.split_at(thread.min(count));
                for slot in from.iter().chain(before) {
                    let item = lock(&slot.0).take();
                    if let Some((k, item)) = item {
                        work(k, item);
                    }
                }
            });
            if count < SLOTS {
                return;
            }
        }
    }

    /// Runs `work` here, as thread 0, and on those of the first `wanted` threads that come in time. `&mut`: one
    /// work at a time.
    fn together(&mut self, wanted: usize, work: Work<'_>) {
        let shared = &*self.shared;
        shared.work.store((&raw const work).cast_mut().cast(), SeqCst);
        shared.wanted.store(wanted, SeqCst);
        let number = shared.state.load(SeqCst) & NUMBER;
        shared.state.store(number.wrapping_add(1 << 32) | OPEN, SeqCst);
        if shared.asleep.load(SeqCst) > 0 {
            let wanted = self.others.iter().take(wanted.saturating_sub(1));
            wanted.for_each(|other| other.thread().unpark());
        }
        let own = catch_unwind(AssertUnwindSafe(|| work(0)));
        // From here on nobody joins, and below nobody is left: until then, not even a panic leaves.
        shared.state.fetch_and(!OPEN, SeqCst);
        shared.wait_for_others();
        let panic = lock(&shared.panic).take();
        if let Err(panic) = own.and_then(|()| panic.map_or(Ok(()), Err)) {
            resume_unwind(panic);
        }
    }
}

impl Shared {
    /// What thread `number` does all its life.
    fn serve(&self, number: usize) {
        let mut last = 0;
        let mut since = Instant::now();
        loop {
            let state = self.state.load(SeqCst);
            if state & END != 0 {
                return;
            }
            let is_new = state & OPEN != 0 && state & NUMBER != last;
            if is_new && number < self.wanted.load(SeqCst) {
                // Another thread joined or left, or the work was closed: look again.
                if self.state.compare_exchange(state, state + 1, SeqCst, SeqCst).is_ok() {
                    last = state & NUMBER;
                    self.join_in(number);
                    since = Instant::now();
                }
            } else if since.elapsed() < PATIENCE {
                std::hint::spin_loop();
            } else {
                self.asleep.fetch_add(1, SeqCst);
                // Either this sees the work that was opened before the caller looked at `asleep`, or the
                // caller sees this thread and wakes it.
                if self.state.load(SeqCst) == state {
                    thread::park();
                }
                self.asleep.fetch_sub(1, SeqCst);
                since = Instant::now();
            }
        }
    }

    /// Takes part in the work; `AT_WORK` already counts this thread.
    fn join_in(&self, number: usize) {
        // SAFETY: the pointer was stored before the state was opened, and points to a variable of
        // `together`. That function, which no panic leaves early, returns only after it has closed
        // the state and has seen that nobody is at work. This thread was counted as being at work by
        // a compare-exchange that found the state open, and is until the `fetch_sub` below, so the variable, and
        // what the work in it borrows, is still there. The work is `Sync`, so several threads may run it.
        let work: Work<'_> = unsafe { *self.work.load(SeqCst) };
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(number))) {
            lock(&self.panic).get_or_insert(panic);
        }
        let before = self.state.fetch_sub(1, SeqCst);
        if before & AT_WORK == 1
            && before & CALLER_SLEEPS != 0
            && let Some(caller) = &*lock(&self.caller)
        {
            caller.unpark();
        }
    }

    /// Waits until nobody is at work.
    fn wait_for_others(&self) {
        let since = Instant::now();
        while self.state.load(SeqCst) & AT_WORK > 0 {
            if since.elapsed() >= PATIENCE {
                return self.sleep_until_others_are_done();
            }
            std::hint::spin_loop();
        }
    }

    fn sleep_until_others_are_done(&self) {
        *lock(&self.caller) = Some(thread::current());
        self.state.fetch_or(CALLER_SLEEPS, SeqCst);
        while self.state.load(SeqCst) & AT_WORK > 0 {
            thread::park();
        }
        self.state.fetch_and(!CALLER_SLEEPS, SeqCst);
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.state.fetch_or(END, SeqCst);
        for other in self.others.drain(..) {
            other.thread().unpark();
            // Its panics were caught; there is nothing to learn from how it ended.
            let _ = other.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::atomic::AtomicU32;

    #[test]
    fn every_item_is_done_once() {
        for threads in [0, 1, 2, 3, 8] {
            let mut team = Team::new(threads);
            for round in 0..300_u32 {
                let mut items: Vec<u32> = (0..round % 12).collect();
                team.each(items.iter_mut(), |k, item| {
                    assert_eq!(k as u32, *item);
                    *item += round;
                });
                assert!(items.into_iter().eq((0..round % 12).map(|k| k + round)));
            }
        }
    }

    #[test]
    fn who_is_done_takes_what_nobody_has_begun() {
        // More items than threads, and than are handed out at a time.
        for (threads, items) in [(2, 9), (3, 64), (2, 65), (3, 200)] {
            let mut team = Team::new(threads);
            let seen = Mutex::new(BTreeSet::new());
            team.each(0..items, |k, item| {
                assert_eq!(k, item);
                assert!(lock(&seen).insert(k));
            });
            assert_eq!(lock(&seen).len(), items);
        }
    }

    #[test]
    fn the_others_take_part_and_wake_up() {
        let mut team = Team::new(3);
        for pause_ms in [0, 30, 0] {
            thread::sleep(Duration::from_millis(pause_ms)); // long enough for all to be asleep
            let seen = Mutex::new(BTreeSet::new());
            // Each item waits until three threads have one.
            team.each(0..3, |_, _| {
                lock(&seen).insert(format!("{:?}", thread::current().id()));
                while lock(&seen).len() < 3 {
                    thread::yield_now();
                }
            });
        }
    }

    #[test]
    fn the_caller_sleeps_while_others_work() {
        let mut team = Team::new(2);
        for _ in 0..3 {
            let caller = thread::current().id();
            let done = AtomicU32::new(0);
            let begun = AtomicU32::new(0);
            team.each(0..2, |_, _| {
                begun.fetch_add(1, SeqCst);
                while begun.load(SeqCst) < 2 {
                    thread::yield_now();
                }
                if thread::current().id() != caller {
                    thread::sleep(Duration::from_millis(20));
                }
                done.fetch_add(1, SeqCst);
            });
            assert_eq!(done.into_inner(), 2);
        }
    }

    #[test]
    fn a_panic_comes_out_after_all_are_done() {
        let mut team = Team::new(3);
        for bad in 0..6 {
            let done = AtomicU32::new(0);
            let result = catch_unwind(AssertUnwindSafe(|| {
                team.each(0..6, |k, _| {
                    thread::sleep(Duration::from_millis(1));
                    assert_ne!(k, bad, "on purpose");
                    done.fetch_add(1, SeqCst);
                });
            }));
            let panic = result.unwrap_err();
            assert!(panic.downcast_ref::<String>().unwrap().contains("on purpose"));
            let done = done.into_inner();
            assert!(done >= 3, "the threads that did not panic go on: {done}");
            let sum = AtomicU32::new(0);
            team.each(0..6, |_, k| {
                sum.fetch_add(k, SeqCst);
            });
            assert_eq!(sum.into_inner(), 15, "and the team is good for more");
        }
    }
}
