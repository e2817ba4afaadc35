//! `/live`: the parts of the first page, sent again as [server-sent events](https://html.spec.whatwg.org/multipage/server-sent-events.html)
//! when they have changed. One look at the database serves everybody who watches; while nobody does, nobody looks.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{Stream, StreamExt, stream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::access::Person;
use super::overview::Overview;
use super::{Pages, flow, home};

/// How often the database is looked at while somebody watches.
const EVERY: Duration = Duration::from_secs(2);
/// A watcher's session is asked for again after this time: the browser is told so, and comes back at once.
const TURN: Duration = Duration::from_mins(5);

/// The newest look, for everybody who watches.
pub(super) struct Board(watch::Sender<Option<Arc<Overview>>>);

impl Default for Board {
    fn default() -> Self {
        Self(watch::Sender::new(None))
    }
}

/// Looks for those who watch, until `stop`.
pub(super) async fn keep(pages: Arc<Pages>, stop: CancellationToken) {
    let mut counted = tokio::time::interval(flow::EVERY);
    let mut looked = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = counted.tick() => pages.flow.look(&pages.metrics, &pages.destinations),
            _ = looked.tick() => look(&pages).await,
            () = stop.cancelled() => return,
        }
    }
}

async fn look(pages: &Arc<Pages>) {
    if pages.board.0.receiver_count() == 0 {
        return;
    }
    let looked = async {
        let mut db = pages.pool.acquire().await?;
        Overview::look(pages, &mut db).await
    };
    match looked.await {
        Ok(overview) => {
            pages.board.0.send_replace(Some(Arc::new(overview)));
        }
        Err(error) => tracing::warn!(%error, "the live page could not be looked up"),
    }
}

/// Sends what changes.
pub(super) async fn watch(
    State(pages): State<Arc<Pages>>,
    Extension(person): Extension<Person>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let seen = pages.board.0.subscribe();
    let person = Arc::new(person);
    let looks = stream::unfold(seen, move |mut seen| {
        let person = Arc::clone(&person);
        async move {
            seen.changed().await.ok()?;
            let overview = seen.borrow_and_update().clone()?;
            // A carriage return would end the event.
            let text = home::parts(&overview, &person).into_string().replace(['\r', '\n'], " ");
            Some((Ok(Event::default().event("overview").data(text)), seen))
        }
    });
    let first = stream::iter([Ok(Event::default().retry(Duration::from_secs(1)).comment("hello"))]);
    let stop = pages.stopping.clone();
    let turn = turned(first.chain(looks), TURN).take_until(stop.cancelled_owned());
    Sse::new(turn).keep_alive(KeepAlive::default())
}

/// Ends what is sent after a turn, and says first that nothing is wrong. A gateway that stops says nothing.
fn turned<S>(looks: S, turn: Duration) -> impl Stream<Item = S::Item>
where
    S: Stream<Item = Result<Event, Infallible>>,
{
    let over = stream::once(async { Ok(Event::default().event("turn").data("over")) });
    looks.take_until(tokio::time::sleep(turn)).chain(over)
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::response::IntoResponse;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_turn_is_told_from_a_line_that_drops() {
        let looks = stream::iter([Ok(Event::default().event("overview").data("x"))]).chain(stream::pending());
        let sent = to_bytes(Sse::new(turned(looks, TURN)).into_response().into_body(), 1_000).await.unwrap();
        assert_eq!(str::from_utf8(&sent).unwrap(), "event: overview\ndata: x\n\nevent: turn\ndata: over\n\n");
    }
}
