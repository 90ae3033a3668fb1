//! The same work on many things, on several threads where that pays.

use std::thread;

/// Does the same to each, in order, on at most so many threads.
pub(super) fn each<T: Send, R: Send>(
    mut all: Vec<T>,
    most: usize,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let threads = threads(most.min(all.len()));
    if threads < 2 {
        return all.into_iter().map(work).collect();
    }
    let (work, share) = (&work, all.len().div_ceil(threads));
    thread::scope(|scope| {
        let mut started = Vec::with_capacity(threads);
        while all.len() > share {
            let part = all.split_off(all.len() - share);
            started.push(scope.spawn(move || part.into_iter().map(work).collect::<Vec<R>>()));
        }
        let mut done: Vec<R> = all.into_iter().map(work).collect();
        for thread in started.into_iter().rev() {
            // A panic goes on where it would have without threads.
            let part = thread.join();
            done.extend(part.unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    })
}

/// How many threads work, the one that asks counted in. What is small does not ask the system, which takes longer than that.
pub(super) fn threads(most: usize) -> usize {
    if most < 2 {
        return 1;
    }
    thread::available_parallelism().map_or(1, |threads| threads.get().min(most))
}
