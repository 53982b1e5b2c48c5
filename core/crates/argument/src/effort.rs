//! How much of the machine a call may take, and who hears how far it is.
//!
//! Work is shared among threads in one way only, [`Crew::share`]: the same function for every item, results in their
//! order. So a call gives the same result for every number of threads, and with one thread starts none.

use std::cell::Cell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::error::{ArgumentError, Code};

/// More threads than this gain nothing, and each number of them keeps a pool.
const MAX_THREADS: usize = 64;

thread_local! {
    /// Whether an observer is being called on this thread.
    static OBSERVING: Cell<bool> = const { Cell::new(false) };
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Steps that are done: rises with every report.
    pub done: usize,
    /// All steps; the same in every report of a call.
    pub total: usize,
}

/// Hears of progress, from one thread at a time but not always the same; `Break` ends the call with `CANCELLED`. What it
/// calls itself takes one thread: a thread that waited here for others could be given a step of the call it reports on.
pub type Observer<'a> = dyn Fn(Progress) -> ControlFlow<()> + Sync + 'a;

/// What a call may take.
#[derive(Clone, Copy, Default)]
pub struct Effort<'a> {
    /// At most so many threads, and never more than 64. Where nothing is said, large work (n ≥ 1024, batches of 32 claims and more) takes all
    /// that the machine has and other work one.
    pub threads: Option<NonZeroUsize>,
    /// Hears how far the call is.
    pub observer: Option<&'a Observer<'a>>,
}

impl<'a> Effort<'a> {
    /// On exactly so many threads, unobserved.
    pub fn on_threads(threads: NonZeroUsize) -> Self {
        Self { threads: Some(threads), observer: None }
    }

    /// The crew for a piece of work of so many steps.
    pub(crate) fn crew(&self, large: bool, total: usize) -> Crew<'a> {
        let available = || std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = self.threads.map_or_else(|| if large { available() } else { 1 }, NonZeroUsize::get);
        let threads = if OBSERVING.get() { 1 } else { threads.min(MAX_THREADS) };
        let pool = (threads > 1).then(|| pool(threads)).flatten();
        Crew { pool, observer: self.observer, total, done: Some(0).into() }
    }
}

/// Threads at work on one call, and the steps they have done.
pub(crate) struct Crew<'a> {
    pool: Option<Arc<ThreadPool>>,
    observer: Option<&'a Observer<'a>>,
    total: usize,
    /// Locked while the observer is called, so that it hears of one step after the other. Nothing once it has ended the
    /// call.
    done: Mutex<Option<usize>>,
}

impl Crew<'_> {
    /// How many threads there are.
    pub(crate) fn size(&self) -> usize {
        self.pool.as_ref().map_or(1, |pool| pool.current_num_threads())
    }

    /// The results of a function for all items, each of which is one step.
    ///
    /// # Errors
    /// `CANCELLED`, or the error of the first item in order that has one.
    pub(crate) fn each<T, R>(
        &self,
        items: Vec<T>,
        work: impl Fn(T) -> Result<R, ArgumentError> + Sync,
    ) -> Result<Vec<R>, ArgumentError>
    where
        T: Send,
        R: Send,
    {
        let step = |item| {
            self.go_on()?;
            let result = work(item)?;
            self.report()?;
            Ok(result)
        };
        if self.pool.is_none() {
            return items.into_iter().map(step).collect(); // which ends with the first error
        }
        self.share(items, step).into_iter().collect()
    }

    /// The results of a function for all items, in the midst of one step.
    pub(crate) fn share<T: Send, R: Send>(&self, items: Vec<T>, work: impl Fn(T) -> R + Sync) -> Vec<R> {
        match &self.pool {
            Some(pool) => pool.install(|| items.into_par_iter().map(&work).collect()),
            None => items.into_iter().map(work).collect(),
        }
    }

    /// As [`Crew::each`], for work that is cheaper on several items at once: each thread is given one share of them.
    ///
    /// # Errors
    /// `CANCELLED`, or the error of the first share in order that has one.
    pub(crate) fn each_share<T, R>(
        &self,
        items: &[T],
        work: impl Fn(&[T]) -> Result<Vec<R>, ArgumentError> + Sync,
    ) -> Result<Vec<R>, ArgumentError>
    where
        T: Sync,
        R: Send,
    {
        let shares = items.chunks(items.len().div_ceil(self.size()).max(1)).collect();
        let results = self.share(shares, |share| -> Result<Vec<R>, ArgumentError> {
            self.go_on()?;
            let results = work(share)?;
            share.iter().try_for_each(|_| self.report())?;
            Ok(results)
        });
        Ok(results.into_iter().collect::<Result<Vec<Vec<R>>, ArgumentError>>()?.into_iter().flatten().collect())
    }

    /// One step that is done by the caller.
    ///
    /// # Errors
    /// `CANCELLED`, or that of the work.
    pub(crate) fn one<R>(&self, work: impl FnOnce() -> Result<R, ArgumentError>) -> Result<R, ArgumentError> {
        let result = work()?;
        self.report()?;
        Ok(result)
    }

    fn report(&self) -> Result<(), ArgumentError> {
        let Some(observer) = self.observer else { return Ok(()) };
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = *done {
            // An attempt that is started again does its steps twice.
            let now = (before + 1).min(self.total);
            let outer = OBSERVING.replace(true);
            *done = observer(Progress { done: now, total: self.total }).is_continue().then_some(now);
            OBSERVING.set(outer);
        }
        continued(*done)
    }

    /// Steps that wait in line are not begun once the call is ended.
    fn go_on(&self) -> Result<(), ArgumentError> {
        if self.observer.is_none() {
            return Ok(());
        }
        continued(*self.done.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn continued(done: Option<usize>) -> Result<(), ArgumentError> {
    done.map(drop).ok_or_else(|| {
        ArgumentError::new(Code::Cancelled, "whoever asked for progress ended the call; nothing was made")
    })
}

/// By process and number of threads.
type Pools = HashMap<(u32, usize), Arc<ThreadPool>>;

/// The pool of so many threads, built once in every process: a forked child has none of its parent's threads, so it
/// builds its own. Nothing if the system gives no threads; the work is then done by the caller.
fn pool(threads: usize) -> Option<Arc<ThreadPool>> {
    static POOLS: Mutex<Option<Pools>> = Mutex::new(None);
    let mut pools = POOLS.lock().unwrap_or_else(PoisonError::into_inner);
    let pools = pools.get_or_insert_default();
    match pools.entry((std::process::id(), threads)) {
        Entry::Occupied(pool) => Some(pool.get().clone()),
        Entry::Vacant(place) => {
            let name = |number| format!("marginproof-{number}");
            let built = ThreadPoolBuilder::new().num_threads(threads).thread_name(name).build().ok()?;
            Some(place.insert(Arc::new(built)).clone())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn threads(count: usize) -> Option<NonZeroUsize> {
        NonZeroUsize::new(count)
    }

    #[test]
    fn results_keep_their_order_and_threads_their_limit() {
        for count in [1, 2, 3] {
            let crew = Effort { threads: threads(count), observer: None }.crew(false, 100);
            assert_eq!(crew.size(), count);
            let names = Mutex::new(std::collections::BTreeSet::new());
            let work = |item: usize| {
                names.lock().unwrap().insert(format!("{:?}", std::thread::current().id()));
                std::thread::sleep(std::time::Duration::from_micros(100));
                Ok(2 * item)
            };
            assert_eq!(crew.each((0..100).collect(), work).unwrap(), (0..200).step_by(2).collect::<Vec<_>>());
            let used = names.into_inner().unwrap();
            assert!(used.len() <= count);
            if count == 1 {
                assert!(used.contains(&format!("{:?}", std::thread::current().id())), "one thread is the caller's");
            }
        }
    }

    #[test]
    fn small_work_takes_one_thread_and_large_work_all() {
        assert_eq!(Effort::default().crew(false, 1).size(), 1);
        let all = std::thread::available_parallelism().unwrap().get();
        assert_eq!(Effort::default().crew(true, 1).size(), all);
        assert_eq!(Effort::on_threads(threads(1).unwrap()).crew(true, 1).size(), 1);
    }

    #[test]
    fn progress_rises_step_by_step_and_may_end_the_call() {
        for count in [1, 2] {
            let heard = Mutex::new(Vec::new());
            let observer = |progress: Progress| {
                heard.lock().unwrap().push((progress.done, progress.total));
                if progress.done < 5 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            };
            let crew = Effort { threads: threads(count), observer: Some(&observer) }.crew(false, 7);
            assert_eq!(crew.each(vec![(); 3], Ok).unwrap().len(), 3);
            assert_eq!(crew.one(|| Ok(4)), Ok(4));
            let after = AtomicUsize::new(0);
            let refused = crew.each(vec![(); 3], |()| {
                after.fetch_add(1, Ordering::Relaxed);
                Ok(())
            });
            assert_eq!(refused.unwrap_err().code, Code::Cancelled);
            // Whoever has ended the call is not called again.
            assert_eq!(*heard.lock().unwrap(), [(1, 7), (2, 7), (3, 7), (4, 7), (5, 7)]);
            assert!(count == 2 || after.load(Ordering::Relaxed) == 1, "nothing more is begun");
        }
    }

    #[test]
    fn what_an_observer_calls_takes_one_thread() {
        let sizes = Mutex::new(Vec::new());
        let observer = |_| {
            sizes.lock().unwrap().push(Effort::on_threads(threads(2).unwrap()).crew(true, 1).size());
            ControlFlow::Continue(())
        };
        let crew = Effort { threads: threads(2), observer: Some(&observer) }.crew(false, 4);
        crew.each(vec![(); 4], Ok).unwrap();
        assert_eq!(sizes.into_inner().unwrap(), [1; 4]);
        assert_eq!(Effort::on_threads(threads(2).unwrap()).crew(true, 1).size(), 2);
    }

    #[test]
    fn threads_have_a_limit_of_their_own() {
        assert_eq!(Effort::on_threads(threads(100_000).unwrap()).crew(false, 1).size(), MAX_THREADS);
    }

    #[test]
    fn the_first_error_in_order_is_the_one_that_is_told() {
        for count in [1, 2] {
            let crew = Effort { threads: threads(count), observer: None }.crew(false, 9);
            let refuse = |item: usize| Err::<(), _>(ArgumentError::in_row(Code::RowNotSatisfied, item, "false"));
            assert_eq!(crew.each(vec![4, 2, 9], refuse).unwrap_err().row, Some(4));
        }
    }
}
