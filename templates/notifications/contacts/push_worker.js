/* Shows what the desk pushed. A click opens its link; nothing is answered before somebody presses the button there. */
self.addEventListener("install", () => self.skipWaiting());
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("push", (event) => {
  const said = event.data?.json() ?? {};
  const options = {
    body: said.text ?? "",
    tag: said.tag,
    renotify: Boolean(said.tag),
    requireInteraction: Boolean(said.is_page),
    icon: "/static/img/mark.svg",
    data: { url: said.url ?? "/" },
    actions: said.is_page ? [{ action: "acknowledge", title: "Acknowledge" }] : [],
  };
  event.waitUntil(self.registration.showNotification(said.title ?? "MIM", options));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(self.clients.openWindow(event.notification.data.url));
});
