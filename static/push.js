/* “Notify me here” on My messages: subscribes this browser and hands its keys to the product. */

const box = document.querySelector("[data-push]");
const button = box?.querySelector("[data-push-start]");
const said = box?.querySelector("[data-push-said]");
const isPossible = "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;

const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (one) => one.charCodeAt(0));
const same = (left, right) => left && left.byteLength === right.byteLength && new Uint8Array(left).every((one, at) => one === right[at]);

async function subscription(key) {
  const worker = await navigator.serviceWorker.register(box.dataset.workerUrl);
  await navigator.serviceWorker.ready;
  const found = await worker.pushManager.getSubscription();
  if (found && same(found.options.applicationServerKey, key)) return found;
  await found?.unsubscribe();
  return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

async function start() {
  button.disabled = true;
  said.textContent = "Asking the browser …";
  try {
    if ((await Notification.requestPermission()) !== "granted") {
      said.textContent = "This browser does not allow notifications from here. Allow them beside the address, then press again.";
      return;
    }
    const kept = await subscription(bytes(box.dataset.key));
    const headers = { "Content-Type": "application/json", ...JSON.parse(document.body.getAttribute("hx-headers")) };
    const answer = await fetch(box.dataset.subscribeUrl, { method: "POST", headers, body: JSON.stringify(kept) });
    const given = await answer.json();
    if (answer.ok) location.assign(given.url);
    else said.textContent = given.detail;
  } catch (error) {
    said.textContent = `The browser’s push service did not answer: ${error.message}`;
  } finally {
    button.disabled = false;
  }
}

if (box && isPossible) {
  button.hidden = false;
  button.addEventListener("click", start);
} else if (box) {
  said.textContent = window.isSecureContext
    ? "This browser cannot be notified. On an iPhone, add this page to the home screen first."
    : "Notifications need https: open this page by its https address.";
}
