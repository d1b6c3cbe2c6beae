// The device in its worker: calls are answered one after another, and the page goes on meanwhile.

const worker = new Worker(new URL('../worker.js', import.meta.url), { type: 'module' });
const waiting = new Map();
let next = 0;
let hears = () => {};

worker.onmessage = ({ data: { id, result, error, step } }) => {
  if (step) return hears(...step);
  const { done, failed } = waiting.get(id);
  waiting.delete(id);
  if (error === undefined) done(result);
  else failed(new Error(error));
};
worker.onerror = ({ message }) => {
  const lost = [...waiting.values()];
  waiting.clear();
  for (const { failed } of lost) failed(new Error(`the device stopped (${message}): load the page again`));
};

/** Calls a method of the device. */
export function ask(call, ...given) {
  return new Promise((done, failed) => {
    next += 1;
    waiting.set(next, { done, failed });
    worker.postMessage({ id: next, call, given });
  });
}

/** Who hears of long work: steps done, and of how many. */
export function onStep(tell) {
  hears = tell;
}
