// Keeps the first page up to date. The server sends the parts of the page, rendered; this swaps those that changed and
// leaves alone whatever a person is using. Without this script the page is as true, and is reloaded by hand.
"use strict";

(() => {
  const live = document.getElementById("live");
  if (!live || !window.EventSource) {
    return;
  }
  const address = live.dataset.live;
  // Silence for longer than this is a line that is down: the server speaks every two seconds.
  const PATIENCE = 10000;
  const FIRST = 1000;
  const LONGEST = 15000;
  let source = null;
  let wait = FIRST;
  let heard = Date.now();
  let pending = 0;

  const say = (text, down) => {
    const line = document.getElementById("line");
    if (line && line.textContent !== text) {
      line.textContent = text;
    }
    document.body.classList.toggle("line-down", down);
  };

  // A part that somebody has opened or is typing in stays as it is.
  const inUse = (part) => part.contains(document.activeElement) && document.activeElement !== document.body
    || part.querySelector("details[open]") !== null;

  const swap = (before, after) => {
    if (!inUse(before) && before.outerHTML !== after.outerHTML) {
      before.replaceWith(after);
    }
  };

  const parts = (root) => new Map([...root.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));

  const update = (text) => {
    const fresh = new DOMParser().parseFromString(text, "text/html").body;
    const list = live.querySelector("[data-list]");
    const wanted = fresh.querySelector("[data-list]");
    const busy = list && [...list.children].some(inUse);
    const before = parts(live);
    const order = wanted ? [...wanted.children].map((part) => part.dataset.part) : [];
    for (const [name, part] of parts(fresh)) {
      const old = before.get(name);
      if (old) {
        swap(old, part);
      } else if (list && order.includes(name)) {
        list.append(part);
      }
    }
    if (!list) {
      return;
    }
    for (const part of [...list.children]) {
      if (!order.includes(part.dataset.part) && !inUse(part)) {
        part.remove();
      }
    }
    // The order changes only while nobody is at the list.
    if (!busy) {
      const now = parts(list);
      const moved = order.some((name, at) => list.children[at] !== now.get(name));
      if (moved) {
        order.forEach((name) => now.has(name) && list.append(now.get(name)));
      }
    }
  };

  const close = () => {
    if (source) {
      source.close();
      source = null;
    }
    clearTimeout(pending);
  };

  const open = () => {
    close();
    heard = Date.now();
    source = new EventSource(address);
    source.addEventListener("overview", (event) => {
      heard = Date.now();
      wait = FIRST;
      update(event.data);
      say("Live, as of", false);
    });
    // The server ends the line now and then, to ask anew who is there: nothing is wrong, and nobody is told.
    source.addEventListener("turn", () => {
      close();
      wait = 0;
      again();
    });
    source.addEventListener("error", () => {
      // A browser comes back by itself from a line that broke, and not from an answer that was no stream.
      say("Not live: the line is down. As of", true);
      close();
      again();
    });
  };

  const again = () => {
    pending = setTimeout(async () => {
      const answer = await fetch(address, { method: "HEAD", redirect: "manual" }).catch(() => null);
      if (answer && answer.status === 401) {
        window.location.reload();
        return;
      }
      open();
    }, wait);
    wait = Math.max(FIRST, Math.min(wait * 2, LONGEST));
  };

  setInterval(() => {
    if (source && Date.now() - heard > PATIENCE) {
      say("Not live: the line is down. As of", true);
      close();
      again();
    }
  }, 1000);

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      close();
    } else if (!source) {
      wait = FIRST;
      open();
    }
  });

  open();
})();
