// Keeps the page's files, so that it works without a network after the first visit.
// The network comes first: a page that was built anew is never hidden by an old copy. Each build has
// a cache of its own, and each place on a server, too.

const BUILD = "@BUILD@", OURS = `kdnotes-live ${self.registration.scope} `;
const PAGE = @PAGE@;

async function keepWhatIsNeeded() {
  const cache = await caches.open(OURS + BUILD);
  const about = await (await fetch("student.json", {cache: "no-cache"})).json();
  await cache.addAll([...PAGE, ...about.offline]);
}

async function forgetOthers() {
  const old = (await caches.keys()).filter(name => name.startsWith(OURS) && name !== OURS + BUILD);
  await Promise.all(old.map(name => caches.delete(name)));
}

async function keep(request, response) {
  if (response.status !== 200) return;
  const cache = await caches.open(OURS + BUILD);
  await cache.put(request, response);
}

async function answer(event) {
  const {request} = event;
  try {
    const response = await fetch(request);
    event.waitUntil(keep(request, response.clone()).catch(() => {})); // no space: then not kept
    return response;
  } catch (error) {
    const kept = await caches.match(request, {ignoreSearch: true, ignoreVary: true});
    if (kept) return kept;
    throw error;
  }
}

self.addEventListener("install", event => event.waitUntil(keepWhatIsNeeded().then(() => self.skipWaiting())));
self.addEventListener("activate", event => event.waitUntil(forgetOthers().then(() => self.clients.claim())));
self.addEventListener("fetch", event => {
  if (event.request.method === "GET") event.respondWith(answer(event));
});
