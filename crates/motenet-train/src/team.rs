//! The threads of a run: the same work on each of several items, side by side.

use rayon::{ThreadPool, ThreadPoolBuilder};

/// One or more threads that live as long as the run.
pub(crate) struct Team(Option<ThreadPool>);

impl Team {
    /// `threads` of them, the calling one included.
    pub(crate) fn new(threads: usize) -> Self {
        let pool = |extra| ThreadPoolBuilder::new().num_threads(extra).build();
        // A machine that refuses more threads still trains, with the same bits.
        Team((threads > 1).then(|| pool(threads - 1).ok()).flatten())
    }

    /// Does `work` with every item, each on one thread, and waits for all.
    pub(crate) fn each<T: Send>(
        &self,
        items: impl Iterator<Item = T>,
        work: impl Fn(usize, T) + Sync,
    ) {
        let Some(pool) = &self.0 else {
            return items.enumerate().for_each(|(k, item)| work(k, item));
        };
        let work = &work;
        pool.in_place_scope(|scope| {
            let mut items = items.enumerate();
            let own = items.next();
            for (k, item) in items {
                scope.spawn(move |_| work(k, item));
            }
            if let Some((k, item)) = own {
                work(k, item);
            }
        });
    }
}
