// Keeps the page's files, so that it works without a network after the first visit.
// The network comes first: a page that was built anew is never hidden by an old copy.

const KEPT = "kdnotes-live";
const PAGE = ["./", "style.css", "live.js", "icon.svg", "manifest.webmanifest", "student.json"];

async function keepAll() {
  const cache = await caches.open(KEPT);
  const about = await (await fetch("student.json")).json();
  await cache.addAll([...PAGE, ...about.offline]);
}

async function answer(request) {
  const cache = await caches.open(KEPT);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request, response.clone());
    return response;
  } catch (error) {
    const kept = await cache.match(request, {ignoreSearch: true, ignoreVary: true});
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("install", event => event.waitUntil(keepAll().then(() => self.skipWaiting())));
self.addEventListener("activate", event => event.waitUntil(self.clients.claim()));
self.addEventListener("fetch", event => {
  if (event.request.method === "GET") event.respondWith(answer(event.request));
});
