// A device that is served, and the programs around it.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const programs = process.env.HEADSTART_TOOLS;
const root = join(import.meta.dirname, '..', '..');

/** A file of the golden ones. */
export const golden = (...names) => join(root, 'tests', 'golden', '0.1.0', ...names);

/** A program's output; it throws where the program fails. */
export function run(program, ...args) {
  return execFileSync(join(programs, program), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

/** What the tests are made of: a pack of the carried model, drawn pictures, and a film of three classes. */
export class Scene {
  constructor(classes, frames = 10) {
    this.folder = mkdtempSync(join(tmpdir(), 'headstart-page-'));
    this.pack = this.at('model.hspk');
    this.film = this.at('film.mjpeg');
    const model = join(root, 'tests', 'carried-model', 'shapes.onnx');
    run('draw-figures', 'icons', '12', '7', this.at('icons'));
    run('draw-figures', 'figures', '2', '3', this.at('calib'));
    run('headstart', 'pack', model, '--calib', this.at('calib'), '--preprocess', 'tf', '-o', this.pack);
    run('film', String(frames), this.film, ...classes.map((cls) => this.at('icons', cls)));
    this.shown = JSON.parse(readFileSync(this.at('film.json'), 'utf8'));
    this.model = model;
  }

  at(...names) {
    return join(this.folder, ...names);
  }

  /** Some pictures of a class that the film does not show. */
  others(cls, number, seed = 11) {
    const folder = this.at(`others-${seed}`);
    if (!existsSync(folder)) run('draw-figures', 'icons', String(Math.max(number, 12)), String(seed), folder);
    return readdirSync(join(folder, cls)).sort().slice(0, number).map((name) => join(folder, cls, name));
  }

  clear() {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** `headstart-edge serve`, running. */
export class Served {
  static async start(scene, state, ...options) {
    const served = new Served();
    const link = scene.at(`${state}.link`);
    rmSync(link, { force: true });
    served.state = scene.at(state);
    const args = ['serve', scene.pack, '--state', served.state, '--port', '0', '--link', link, ...options];
    served.process = spawn(join(programs, 'headstart-edge'), args, { stdio: ['ignore', 'ignore', 'inherit'] });
    served.ended = new Promise((done) => served.process.once('exit', done));
    await until(() => existsSync(link), 'the server listens');
    served.url = readFileSync(link, 'utf8').split('\n')[0];
    return served;
  }

  /** From now on it has one core. */
  onOneCore() {
    execFileSync('taskset', ['-a', '-c', '-p', '0', String(this.process.pid)], { stdio: 'ignore' });
  }

  async get(path) {
    const response = await fetch(`${this.url}api/${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async post(path, body) {
    const options = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${this.url}api/${path}`, options);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  /** Adds files to a class, and learns them where asked to. */
  async teach(files, learn = true) {
    const form = new FormData();
    for (const [cls, path] of files) form.append(cls, new Blob([readFileSync(path)]), path.split('/').pop());
    const response = await fetch(`${this.url}api/samples?learn=no`, { method: 'POST', body: form });
    if (!response.ok) throw new Error(await response.text());
    return learn ? this.post('learn', {}) : null;
  }

  async end() {
    this.process.kill('SIGTERM');
    await this.ended;
  }
}

/** The digest of each file of a state. Those whose names begin with a dot are no part of what was learned. */
export function digests(folder, below = '') {
  const found = {};
  for (const name of readdirSync(join(folder, below)).sort()) {
    const path = join(below, name);
    if (name.startsWith('.')) continue;
    if (statSync(join(folder, path)).isDirectory()) Object.assign(found, digests(folder, path));
    else found[path] = createHash('sha256').update(readFileSync(join(folder, path))).digest('hex');
  }
  return found;
}

/** Waits until two states have the same bytes. */
export async function isSame(state, twin, what) {
  const are = () => JSON.stringify(digests(state)) === JSON.stringify(digests(twin));
  await until(are, what, 10_000).catch(() => assert.deepEqual(digests(state), digests(twin), what));
}

/** Waits until `is` gives something, and gives that. */
export async function until(is, what, limit = 60_000) {
  const end = Date.now() + limit;
  for (;;) {
    const found = await is();
    if (found) return found;
    if (Date.now() > end) throw new Error(`waited ${limit / 1000} s: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
