// A device in a browser, or in Node: one WebAssembly module, a pack, and a state folder in memory.

import { pack as packArchive, unpack } from './archive.js';

const STATE = 'state';
const DATA = 'data';
const [FILE, PIXELS, VALUES] = [0, 1, 2];

/** A call that was refused, in the device's words. */
export class HeadstartError extends Error {
  /** @param {string} message @param {string} fault */
  constructor(message, fault) {
    super(message);
    this.name = 'HeadstartError';
    this.fault = fault;
  }
}

export class Device {
  #exports;
  #step;

  constructor(exports, step) {
    this.#exports = exports;
    this.#step = step;
  }

  /** Loads the module and opens a pack in it. */
  static async open(pack, options = {}) {
    const step = { tell: options.onStep };
    const imports = { headstart: { now: () => performance.now(), step: (done, all) => step.tell?.(done, all) } };
    const exports = (await instantiate(options.module, imports)).exports;
    const device = new Device(exports, step);
    device.#put('model.hspk', bytesOf(pack));
    for (const [name, content] of Object.entries(options.state ?? {})) device.#put(`${STATE}/${name}`, content);
    device.#call({ call: 'open' });
    return device;
  }

  /** Who hears of long work. */
  set onStep(tell) {
    this.#step.tell = tell;
  }

  /** What the pack and the state are. */
  status() {
    return this.#call({ call: 'status' });
  }

  /**
   * Learns pictures: `{class: {name: content}}`. They are learned as the command line learns a folder of them, in the order of their names.
   */
  learn(samples, options = {}) {
    return this.#withFolder(samples, (folder) => this.#call({ call: 'learn', folder, options }));
  }

  /** Counts right answers to pictures, as {@link learn} takes them. */
  evaluate(samples) {
    return this.#withFolder(samples, (folder) => this.#call({ call: 'evaluate', folder }));
  }

  /** Answers the content of a picture or a `.npy` array. */
  predict(content) {
    return this.#predict(FILE, 0, 0, bytesOf(content));
  }

  /** Answers the pixels of a canvas: red, green, blue and alpha, which is left out. */
  predictPixels({ data, width, height }) {
    const room = this.#room(3 * width * height);
    for (let from = 0, to = 0; to < room.length; from += 4, to += 3) {
      room[to] = data[from];
      room[to + 1] = data[from + 1];
      room[to + 2] = data[from + 2];
    }
    return this.#json(this.#exports.predict(PIXELS, width, height));
  }

  /** Answers the model's own input values. */
  predictValues(values) {
    return this.#predict(VALUES, 0, 0, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  /** The int8 features of a picture or a `.npy` array. */
  features(content) {
    this.#fill(bytesOf(content));
    return new Int8Array(this.#done(this.#exports.features()).buffer);
  }

  /** Forgets classes and samples; without any, everything. */
  forget(what) {
    return this.#call(what ? { call: 'forget', ...what } : { call: 'forget', all: true });
  }

  rename(from, to) {
    return this.#call({ call: 'rename', class: from, to });
  }

  relabel(samples, to) {
    return this.#call({ call: 'relabel', samples, class: to });
  }

  /** Goes back to an earlier commit, or to the one before. */
  rollback(to = null) {
    return this.#call({ call: 'rollback', to });
  }

  samples(of = null, doubtful = false) {
    return this.#call({ call: 'samples', class: of, doubtful });
  }

  history() {
    return this.#call({ call: 'history' });
  }

  confusion() {
    return this.#call({ call: 'confusion' });
  }

  /** The files of the state, by their names in its folder. */
  state() {
    const names = this.#call({ call: 'list', folder: STATE });
    return Object.fromEntries(names.map((path) => [path.slice(STATE.length + 1), this.#take(path)]));
  }

  /** The state as one archive, which `headstart-edge serve` restores, and `tar -x` unpacks for `headstart-edge`. */
  archive() {
    const state = this.state();
    // What the server does not take: the training that was cut off, and the counter of signed packs.
    for (const name of ['training.hstp', 'counter.hsct']) delete state[name];
    return packArchive(state);
  }

  /** Puts the state of an archive in the place of this one; the old one stays where the new one is refused. */
  restore(archive) {
    const [before, next] = [this.state(), unpack(bytesOf(archive))];
    try {
      this.#replace(next);
      this.status();
      if (Object.keys(next).length === 0) return;
      this.samples();
      const { damaged } = this.history();
      if (damaged.length > 0) throw new HeadstartError(`the archive is no state of this device: ${damaged[0].problem}`, 'input');
    } catch (error) {
      this.#replace(before);
      throw error;
    }
  }

  #put(path, content) {
    const name = new TextEncoder().encode(path);
    const room = this.#room(name.length + content.length);
    room.set(name);
    room.set(content, name.length);
    this.#done(this.#exports.put(name.length));
  }

  #take(path) {
    this.#fill(new TextEncoder().encode(path));
    return this.#done(this.#exports.take());
  }

  #replace(state) {
    this.#call({ call: 'remove', path: STATE });
    for (const [name, content] of Object.entries(state)) this.#put(`${STATE}/${name}`, content);
  }

  #withFolder(samples, work) {
    try {
      for (const [name, files] of Object.entries(samples)) {
        if (!name || /^\.|[/\0]/.test(name)) throw new HeadstartError(`${JSON.stringify(name)} names no class: a name has no slash, and no dot in front`, 'caller');
        for (const [file, content] of Object.entries(files)) this.#put(`${DATA}/${name}/${file}`, bytesOf(content));
      }
      return work(DATA);
    } finally {
      this.#call({ call: 'remove', path: DATA });
    }
  }

  #predict(kind, width, height, bytes) {
    this.#fill(bytes);
    return this.#json(this.#exports.predict(kind, width, height));
  }

  #call(asked) {
    this.#fill(new TextEncoder().encode(JSON.stringify(asked)));
    return this.#json(this.#exports.call());
  }

  #room(bytes) {
    const at = this.#exports.room(bytes);
    return new Uint8Array(this.#exports.memory.buffer, at, bytes);
  }

  #fill(bytes) {
    this.#room(bytes.length).set(bytes);
  }

  /** A copy of the answer: the module's memory moves. */
  #done(refused) {
    const { memory, answer, answer_bytes } = this.#exports;
    const bytes = new Uint8Array(memory.buffer, answer(), answer_bytes()).slice();
    if (!refused) return bytes;
    const { error, fault } = JSON.parse(new TextDecoder().decode(bytes));
    throw new HeadstartError(error, fault);
  }

  #json(refused) {
    return JSON.parse(new TextDecoder().decode(this.#done(refused)));
  }
}

function bytesOf(content) {
  return content instanceof Uint8Array ? content : new Uint8Array(content);
}

/** The module: bytes, a compiled one, or a response; without, the file beside this one. */
async function instantiate(module, imports) {
  const source = await (module ?? fetch(new URL('headstart.wasm', import.meta.url)));
  if (source instanceof WebAssembly.Module) return WebAssembly.instantiate(source, imports);
  const bytes = typeof source.arrayBuffer === 'function' ? await source.arrayBuffer() : source;
  return (await WebAssembly.instantiate(bytes, imports)).instance;
}
