/* Open pages follow what happens elsewhere: a nudge from the stream makes each element with that topic fetch itself again.
   <section id="…" data-live="MI-12" hx-get="…" hx-trigger="live" hx-swap="outerHTML">
   At most once a second an element, never while somebody is typing in it; polling when there is no stream. */

const body = document.body;
const PAUSE = 1000;
const POLL = 10000;
const SLOW_START = 3000;
const fetched = new WeakMap(); // element → when it was last asked for
const waiting = new Map(); // element → timer
const held = new Set();
let state = "connecting";
let isFirst = true;
let port = null;
let worker = null;

const all = () => [...document.querySelectorAll("[data-live]")];
const topicsOf = (element) => element.dataset.live.split(/\s+/).filter(Boolean);
const topics = () => [...new Set(all().flatMap(topicsOf))].sort();

/* ---------- Typing is never disturbed ---------- */
function isTyping(element) {
  const active = document.activeElement;
  const controls = [...element.querySelectorAll("textarea, input:not([type=hidden], [type=checkbox], [type=radio]), select")];
  return controls.some((control) => {
    if (control.closest("[data-keep]")) return false;
    const dirty = "defaultValue" in control && control.value !== control.defaultValue;
    return dirty || control === active;
  }) || element.querySelector("dialog[open], :popover-open") !== null;
}

/* A button is not taken away between pressing and letting go, nor a form while its answer is on the way. */
let pressed = null;
document.addEventListener("pointerdown", (event) => { pressed = event.target; }, true);
for (const name of ["pointerup", "pointercancel"]) {
  document.addEventListener(name, () => setTimeout(() => { pressed = null; release(); }, 50), true);
}
const isActing = (element) => (pressed && element.contains(pressed)) || element.querySelector("form[data-sent]") !== null;

/* Elements are replaced by what they fetch, and a request that waits behind another is forgotten with its element. So
   what was nudged after its last request left is fetched again once that request is over, whatever element shows it now. */
const nudged = new Map(); // id → when it was last said to be old
const left = new Map(); // id → when its last request left
const flying = new Set(); // ids of parts that are being fetched
const present = (element) => (element.isConnected ? element : element.id && document.getElementById(element.id));
const partOf = (event) => (event.detail.target?.dataset?.live && event.detail.target.id) || null;
body.addEventListener("htmx:beforeRequest", (event) => {
  const id = partOf(event);
  if (!id || event.detail.requestConfig?.verb !== "get") return;
  left.set(id, performance.now());
  flying.add(id);
});
body.addEventListener("htmx:afterRequest", (event) => {
  const id = partOf(event);
  if (!id || event.detail.requestConfig?.verb !== "get") return;
  flying.delete(id);
  setTimeout(() => {
    const fresh = document.getElementById(id);
    if (fresh && (nudged.get(id) ?? -1) > (left.get(id) ?? 0)) schedule(fresh);
  }, 0);
});

function refetch(old) {
  const element = present(old);
  if (!element) return;
  if (flying.has(element.id)) return void nudged.set(element.id, performance.now());
  if (document.hidden || isTyping(element) || isActing(element)) return void held.add(element);
  held.delete(element);
  fetched.set(element, performance.now());
  element.dispatchEvent(new CustomEvent("live", { bubbles: false }));
}

function schedule(element) {
  if (waiting.has(element)) return;
  const since = performance.now() - (fetched.get(element) ?? -PAUSE);
  const delay = Math.max(since >= PAUSE ? 25 : PAUSE - since, 25);
  waiting.set(element, setTimeout(() => {
    waiting.delete(element);
    refetch(element);
  }, delay));
}

function release() {
  for (const gone of [...held]) {
    const element = present(gone);
    if (element !== gone) held.delete(gone);
    if (!element) continue;
    if (element !== gone) held.add(element);
    if (!document.hidden && !isTyping(element) && !isActing(element)) schedule(element);
  }
}
document.addEventListener("focusout", () => setTimeout(release, 50));
document.addEventListener("visibilitychange", release);
body.addEventListener("htmx:afterRequest", () => setTimeout(release, 50));

/* data-keep with an id: this very part, with what is typed in it, stands in the new fragment too. */
let kept = [];
let opened = [];
let picked = []; // boxes that were ticked or cleared by hand: the selection outlives the fragment
let focused = null; // so that j and k go on from the same row
const sameAs = (one) => (other) => ["name", "value", "type"].every((key) => other[key] === one[key]) && other.getAttribute("href") === one.getAttribute("href") && other.textContent === one.textContent;
function restore(root) {
  for (const one of picked) {
    const fresh = [...root.querySelectorAll(`input[type=${one.type}]`)].find(sameAs(one));
    if (fresh) fresh.checked = one.checked;
  }
  if (focused && !root.contains(document.activeElement)) [...root.querySelectorAll(focused.tagName)].find(sameAs(focused))?.focus({ preventScroll: true });
  picked = [];
  focused = null;
}
body.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.requestConfig?.triggeringEvent?.type !== "live" || !event.detail.shouldSwap) return;
  if (isTyping(event.detail.target) || isActing(event.detail.target)) { // begun, or a menu opened, after the request had left
    event.detail.shouldSwap = false;
    return void held.add(event.detail.target);
  }
  const active = document.activeElement;
  kept = [...event.detail.target.querySelectorAll("[data-keep][id]")].map((node) => ({
    node, focus: node.contains(active) ? active : null, from: active?.selectionStart, to: active?.selectionEnd,
  }));
  picked = [...event.detail.target.querySelectorAll("input[type=checkbox][name], input[type=radio][name]")].filter((one) => one.checked !== one.defaultChecked);
  focused = event.detail.target.contains(active) && !active.closest("[data-keep]") ? active : null;
  opened = [...event.detail.target.querySelectorAll("details[id][open]")].map((one) => one.id);
});
body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.requestConfig?.triggeringEvent?.type !== "live") return;
  for (const { node, focus, from, to } of kept) {
    const fresh = document.getElementById(node.id);
    if (!fresh || fresh === node) continue;
    fresh.replaceWith(node);
    window.htmx.process(node);
    focus?.focus({ preventScroll: true });
    if (focus && from != null) focus.setSelectionRange?.(from, to);
  }
  for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
  kept = [];
  const fresh = event.detail.elt;
  restore(document.getElementById(fresh?.id) ?? fresh ?? document);
  if (fresh?.dataset?.live) fetched.set(fresh, performance.now());
});

/* ---------- Live or stale, in words ---------- */
/* A part that could not be fetched is old, however well the stream listens: said so, and tried again until it is new. */
const failed = new Set();
const RETRY = 3000;
const PATIENCE = 15000; // a request into a dead network never ends by itself, and the next would wait for it
const isLive = (event) => event.detail.requestConfig?.triggeringEvent?.type === "live";

function missed(element) {
  failed.add(element);
  show(state);
  // Without a network the browser says when there is one again.
  setTimeout(() => { if (failed.has(element) && navigator.onLine) refetch(element); }, RETRY);
}
body.addEventListener("htmx:configRequest", (event) => { if (event.detail.triggeringEvent?.type === "live") event.detail.timeout = PATIENCE; });
for (const name of ["htmx:sendError", "htmx:timeout"]) body.addEventListener(name, (event) => { if (isLive(event)) missed(event.detail.target); });
body.addEventListener("htmx:responseError", (event) => {
  if (isLive(event) && (event.detail.xhr.status >= 500 || event.detail.xhr.status === 429)) missed(event.detail.target);
});
body.addEventListener("htmx:afterRequest", (event) => {
  if (!isLive(event) || !event.detail.successful) return;
  failed.delete(event.detail.target);
  show(state);
});
window.addEventListener("offline", () => show(state));
window.addEventListener("online", () => {
  show(state);
  for (const element of all()) {
    element.dispatchEvent(new CustomEvent("htmx:abort")); // what left into the void before
    schedule(element);
  }
});

function show(next) {
  const words = { live: "Live", stale: "Reconnecting", polling: "Every 10 s", connecting: "Connecting" };
  state = next;
  for (const element of failed) if (!element.isConnected) failed.delete(element);
  const shown = state === "live" && (failed.size || !navigator.onLine) ? "stale" : state;
  for (const chip of document.querySelectorAll("[data-live-chip]")) {
    chip.classList.toggle("is-live", shown === "live");
    chip.classList.toggle("is-stale", shown === "stale" || shown === "polling");
    const label = chip.querySelector("[data-live-words]") ?? chip;
    if (label.textContent !== words[shown]) label.textContent = words[shown];
  }
}

setInterval(() => {
  if (state === "live" || !all().length) return;
  if (state !== "stale") show("polling");
  all().forEach(schedule);
}, POLL);

/* ---------- The worker ---------- */
function hear({ data }) {
  if (data.type === "state") {
    if (data.state === "live" && isFirst && performance.now() > SLOW_START) all().forEach(schedule); // it took long: something may have been missed
    if (data.state === "live") isFirst = false;
    show(data.state);
  }
  if (data.type === "resync") all().forEach(schedule);
  if (data.type !== "nudge") return;
  for (const element of all()) {
    if (!topicsOf(element).includes(data.topic)) continue;
    const shown = Number(element.dataset.sequence ?? 0);
    if (data.seq && shown >= data.seq) continue;
    if (element.id) nudged.set(element.id, performance.now());
    schedule(element);
  }
  document.dispatchEvent(new CustomEvent("mim:nudge", { detail: data }));
}

/* What somebody did here shows here, even when its nudge went by before the stream was open. */
body.addEventListener("htmx:afterRequest", (event) => {
  if (!event.detail.successful || (event.detail.requestConfig?.verb ?? "get") === "get") return;
  if ("quiet" in (event.detail.elt.dataset ?? {})) return; // saves or looks over what is being typed: nothing was done yet
  const doneAt = performance.now();
  setTimeout(() => {
    for (const element of all()) if ((fetched.get(element) ?? 0) < doneAt) schedule(element);
  }, PAUSE + 500);
});

let said = "";
function listen() {
  const wanted = topics();
  const ticketUrl = body.dataset.ticketUrl;
  if (!ticketUrl || (!wanted.length && !port)) return;
  try {
    if (!port) {
      if ("SharedWorker" in window) {
        worker = new SharedWorker(body.dataset.worker);
        ({ port } = worker);
      } else {
        worker = new Worker(body.dataset.worker);
        port = worker;
      }
      worker.onerror = () => show("polling");
      port.onmessage = hear;
    }
    if (said === wanted.join()) return;
    said = wanted.join();
    port.postMessage({ type: "listen", ticketUrl: new URL(ticketUrl, location.href).pathname, topics: wanted });
  } catch {
    show("polling");
  }
}

window.addEventListener("pagehide", () => {
  port?.postMessage({ type: "bye" });
  said = "";
});
window.addEventListener("pageshow", (event) => {
  listen();
  if (event.persisted) all().forEach(schedule);
});
body.addEventListener("htmx:afterSettle", () => {
  listen();
  show(state);
});
