//! What a writer takes at once. Alone it takes what is queued; while another is committing it waits a moment for more: a
//! commit costs nearly as much for one message as for ten, and what came a moment later would wait for the end of both.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Mutex, Notify, mpsc};

/// The longest wait for more, and never beyond the end of the other's commit.
const MOMENT: Duration = Duration::from_millis(1);

/// How many writers are committing.
#[derive(Default)]
pub(super) struct AtWork {
    count: AtomicUsize,
    ended: Notify,
}

/// A commit under way; it ends when this is dropped.
pub(super) struct Work<'w>(&'w AtWork);

impl AtWork {
    pub(super) fn begin(&self) -> Work<'_> {
        self.count.fetch_add(1, Ordering::Relaxed);
        Work(self)
    }

    /// What is written next, at most `most`; nothing when the queue is closed and empty.
    pub(super) async fn gather<T>(&self, queue: &Mutex<mpsc::Receiver<T>>, most: usize) -> Vec<T> {
        let mut batch = Vec::new();
        let mut queue = queue.lock().await;
        queue.recv_many(&mut batch, most).await;
        let ended = self.ended.notified();
        if !batch.is_empty() && batch.len() < most && self.count.load(Ordering::Relaxed) > 0 {
            let _ = tokio::time::timeout(MOMENT, ended).await;
            while batch.len() < most
                && let Ok(more) = queue.try_recv()
            {
                batch.push(more);
            }
        }
        batch
    }
}

impl Drop for Work<'_> {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
        self.0.ended.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_writer_that_is_alone_takes_what_is_queued_at_once() {
        let (sender, queue) = mpsc::channel(8);
        let (queue, at_work) = (Mutex::new(queue), AtWork::default());
        let begun = tokio::time::Instant::now();
        for number in 1..=3 {
            sender.send(number).await.unwrap();
        }
        assert_eq!(at_work.gather(&queue, 2).await, [1, 2]);
        assert_eq!(at_work.gather(&queue, 2).await, [3]);
        assert_eq!(begun.elapsed(), Duration::ZERO);
        drop(sender);
        assert!(at_work.gather(&queue, 2).await.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn beside_another_it_takes_what_comes_in_the_next_moment_too() {
        let (sender, queue) = mpsc::channel(8);
        let (queue, at_work) = (Mutex::new(queue), AtWork::default());
        let _work = at_work.begin();
        sender.send(1).await.unwrap();
        let later = async {
            tokio::time::sleep(MOMENT / 2).await;
            sender.send(2).await.unwrap();
            sender.send(3).await.unwrap();
            tokio::time::sleep(MOMENT * 2).await;
            sender.send(4).await.unwrap();
        };
        let (batch, ()) = tokio::join!(at_work.gather(&queue, 10), later);
        assert_eq!(batch, [1, 2, 3]);
    }

    #[tokio::test(start_paused = true)]
    async fn when_the_other_has_ended_it_waits_no_longer() {
        let (sender, queue) = mpsc::channel(8);
        let (queue, at_work) = (Arc::new(Mutex::new(queue)), Arc::new(AtWork::default()));
        let work = at_work.begin();
        sender.send(1).await.unwrap();
        let begun = tokio::time::Instant::now();
        let end = async {
            tokio::task::yield_now().await;
            drop(work);
        };
        let (batch, ()) = tokio::join!(at_work.gather(&queue, 10), end);
        assert_eq!((batch, begun.elapsed()), (vec![1], Duration::ZERO));
    }
}
