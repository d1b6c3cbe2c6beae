// A device in a worker, so that a page goes on while it learns: `{id, call, given}` comes in, `{id, result}` or `{id, error, fault}` goes out,
// and `{step: [done, all]}` meanwhile.

import { Device } from './headstart.js';

let device;

const calls = {
  async open(pack, state) {
    device = await Device.open(pack, { state, onStep: (done, all) => postMessage({ step: [done, all] }) });
    return device.status();
  },
};

onmessage = async ({ data: { id, call, given } }) => {
  try {
    const result = call in calls ? await calls[call](...given) : device[call](...given);
    postMessage({ id, result });
  } catch (error) {
    postMessage({ id, error: error.message, fault: error.fault ?? 'machine' });
  }
};
