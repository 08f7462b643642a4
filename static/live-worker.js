/* One stream for all open pages of this browser. Runs as a SharedWorker, or as a plain worker of one page.
   A page says which topics it shows; the worker fetches a signed ticket for all of them and listens.
   A nudge carries topic, sequence and kind only: pages fetch what they may see. */

const pages = new Map(); // port → its topics
const recent = new Map(); // topic → the newest nudge and when it came
const RECENT = 5000;
let ticketUrl = "";
let source = null;
let listening = "";
let attempts = 0;
let timer = null;
let wasLive = false;
let state = "connecting";

const tellAll = (message) => { for (const port of pages.keys()) port.postMessage(message); };
const wanted = () => [...new Set([...pages.values()].flat())].sort();

function setState(next) {
  state = next;
  tellAll({ type: "state", state });
}

function hear(event) {
  let nudge;
  try { nudge = JSON.parse(event.data); } catch { return; }
  recent.set(nudge.topic, { nudge, at: Date.now() });
  for (const [port, topics] of pages) if (topics.includes(nudge.topic)) port.postMessage({ type: "nudge", ...nudge });
}

function later() {
  source?.close();
  source = null;
  listening = "";
  clearTimeout(timer);
  if (!pages.size) return;
  const seconds = Math.min(2 ** attempts++, 15);
  timer = setTimeout(connect, seconds * 1000 * (0.75 + Math.random() / 2));
}

async function connect() {
  clearTimeout(timer);
  const topics = wanted();
  const key = topics.join(",");
  if (!topics.length) {
    source?.close();
    source = null;
    listening = "";
    return;
  }
  if (source && key === listening) return;
  listening = key;
  try {
    const answer = await fetch(`${ticketUrl}?topics=${encodeURIComponent(key)}`, { credentials: "same-origin", headers: { Accept: "application/json" } });
    if (answer.status === 401 || answer.status === 403) attempts = Math.max(attempts, 4); // asking sooner changes nothing
    if (!answer.ok || answer.redirected) throw new Error(`ticket: ${answer.status}`);
    const { ticket, url } = await answer.json();
    if (key !== wanted().join(",")) return connect(); // another page came meanwhile
    const address = new URL(url, self.location.origin);
    if (!address.searchParams.has("ticket")) address.searchParams.set("ticket", ticket);
    // After a break: look at everything again. Otherwise: what changed while the page was on its way.
    address.searchParams.set(wasLive && state !== "live" ? "last" : "loaded", "1");
    const next = new EventSource(address);
    const before = source;
    next.onopen = () => {
      attempts = 0;
      before?.close();
      if (wasLive && state !== "live") tellAll({ type: "resync" });
      wasLive = true;
      setState("live");
    };
    next.onmessage = hear;
    next.addEventListener("renew", () => { // the stream is old: a new one takes over before this one goes
      next.onerror = () => next.close();
      listening = "";
      connect();
    });
    next.onerror = () => {
      if (source !== next) return next.close();
      setState("stale");
      later(); // the ticket is short-lived: a fresh one for every attempt
    };
    source = next;
  } catch {
    setState("stale");
    later();
  }
}

function attach(port) {
  port.onmessage = ({ data }) => {
    if (data.type === "bye") {
      pages.delete(port);
      setTimeout(connect, 2000); // the next page of the same tab is usually on its way
      return;
    }
    ({ ticketUrl } = data);
    if (!pages.has(port)) { // it was on its way while others already listened
      for (const topic of data.topics) {
        const last = recent.get(topic);
        if (last && Date.now() - last.at < RECENT) port.postMessage({ type: "nudge", ...last.nudge });
      }
    }
    pages.set(port, data.topics);
    port.postMessage({ type: "state", state });
    connect();
  };
}

if ("onconnect" in self) self.onconnect = (event) => attach(event.ports[0]);
else attach(self);
