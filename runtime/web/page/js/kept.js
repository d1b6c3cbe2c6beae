// What stays when the page is closed: the pack and the state, in the browser's own store for this page.

const STORE = 'headstart-mine';

export async function keep(name, bytes) {
  const store = await caches.open(STORE);
  await store.put(`kept/${name}`, new Response(bytes));
}

/** The bytes; null where nothing was kept. */
export async function kept(name) {
  const store = await caches.open(STORE);
  const found = await store.match(`kept/${name}`);
  return found ? new Uint8Array(await found.arrayBuffer()) : null;
}

export async function drop(name) {
  const store = await caches.open(STORE);
  await store.delete(`kept/${name}`);
}
