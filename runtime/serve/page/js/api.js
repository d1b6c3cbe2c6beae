// The device's calls: docs/guide/api.md.

/** Why a call was refused. `status` is 0 where the device did not answer. */
export class Refused extends Error {
  constructor(status, message, body, after) {
    super(message);
    Object.assign(this, { status, body, after });
  }
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(`api/${path}`, { cache: 'no-store', ...options });
  } catch {
    throw new Refused(0, 'The device does not answer.');
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  const after = Number(response.headers.get('Retry-After')) || 1;
  throw new Refused(response.status, body?.error || `The device refused it (${response.status}).`, body, after);
}

const json = async (path, options) => (await ask(path, options)).json();
const send = (method, path, body) =>
  json(path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

export const get = (path) => json(path);
export const post = (path, body = {}) => send('POST', path, body);
export const remove = (path) => json(path, { method: 'DELETE' });
export const blob = async (path) => (await ask(path)).blob();

/** What `path` has, or `none` where there is nothing yet. */
export async function getOr(path, none) {
  try {
    return await get(path);
  } catch (error) {
    if (error.status === 404 || error.status === 409) return none;
    throw error;
  }
}

/** Answers a picture. */
export const predict = (picture) =>
  json('predict', { method: 'POST', headers: { 'Content-Type': picture.type || 'application/octet-stream' }, body: picture });

/** Answers a picture with a class for each place: grey levels of a PNG. */
export async function mask(picture) {
  const headers = { 'Content-Type': picture.type || 'application/octet-stream', Accept: 'image/png' };
  return (await ask('predict', { method: 'POST', headers, body: picture })).blob();
}

/** Adds pictures, each `{ name, content }`, to a class. */
export function add(cls, pictures, wait = false) {
  const form = new FormData();
  for (const { name, content } of pictures) form.append(cls, content, name);
  return json(`samples${wait ? '?learn=no' : ''}`, { method: 'POST', body: form });
}

/** Learns what waits, and gives what it did, also where it was rejected or failed. */
export async function learn(options = {}) {
  try {
    return await post('learn', options);
  } catch (error) {
    if (error.body?.outcome) return error.body;
    throw error;
  }
}

export const restore = (file) =>
  json('state', { method: 'PUT', headers: { 'Content-Type': 'application/x-tar' }, body: file });
