// After one load the page works without a network: its files are kept, and asked for again only to replace them.

const STORE = 'headstart-page';
const FILES = ['./', 'index.html', 'style.css', 'icon.svg', 'js/main.js', 'js/answers.js', 'js/camera.js', 'js/device.js', 'js/dom.js',
  'js/kept.js', 'worker.js', 'headstart.js', 'archive.js', 'headstart.wasm'];
/** Where the site brings one along. */
const MAYBE = 'model.hspk';

addEventListener('install', (event) => {
  event.waitUntil((async () => {
    const store = await caches.open(STORE);
    await store.addAll(FILES);
    await store.add(MAYBE).catch(() => null);
    await skipWaiting();
  })());
});

addEventListener('activate', (event) => event.waitUntil(clients.claim()));

addEventListener('fetch', (event) => {
  if (event.request.method !== 'GET' || new URL(event.request.url).origin !== location.origin) return;
  event.respondWith((async () => {
    const store = await caches.open(STORE);
    try {
      const fresh = await fetch(event.request);
      if (fresh.ok) await store.put(event.request, fresh.clone());
      return fresh;
    } catch (error) {
      const found = await store.match(event.request, { ignoreSearch: true });
      if (found) return found;
      throw error;
    }
  })());
});
