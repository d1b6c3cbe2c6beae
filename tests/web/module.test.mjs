// The module's features, heads, answers and states are those of the programs, byte by byte.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Device, HeadstartError } from '../../runtime/web/package/headstart.js';
import { network } from './network.mjs';

const root = join(import.meta.dirname, '..', '..');
const programs = process.env.HEADSTART_TOOLS;
/** The module of `runtime/web/examples/kernels.rs`. */
const kernels = process.env.HEADSTART_KERNELS;
/** Random nodes of each kind for the kernels. */
const CASES = Number(process.env.HEADSTART_CASES ?? 2000);
const here = join(root, 'runtime', 'web', 'package');
const module = new WebAssembly.Module(readFileSync(join(here, 'headstart.wasm')));
const photos = join(root, 'runtime', 'device', 'src', 'samples', 'jpeg', 'photos');

const run = (program, ...args) => execFileSync(join(programs, program), args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });

let folder;
let pack;
const at = (...names) => join(folder, ...names);

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'headstart-web-'));
  run('draw-figures', 'icons', '8', '7', at('icons'));
  run('draw-figures', 'icons', '4', '9', at('others'));
  run('draw-figures', 'figures', '2', '3', at('calib'));
  run('headstart', 'pack', join(root, 'tests', 'carried-model', 'shapes.onnx'), '--calib', at('calib'), '--preprocess', 'tf', '-o', at('model.hspk'));
  pack = readFileSync(at('model.hspk'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

/** A folder of pictures as the module takes it. */
function samples(path, keep = () => true) {
  const files = (cls) => readdirSync(join(path, cls)).map((name) => [name, readFileSync(join(path, cls, name))]);
  return Object.fromEntries(readdirSync(path).filter(keep).map((cls) => [cls, Object.fromEntries(files(cls))]));
}

/** The files of a folder and of those in it. */
function content(path, below = '') {
  const found = {};
  for (const entry of readdirSync(join(path, below), { withFileTypes: true })) {
    const name = below ? `${below}/${entry.name}` : entry.name;
    if (entry.isDirectory()) Object.assign(found, content(path, name));
    else found[name] = readFileSync(join(path, name));
  }
  return found;
}

function isSame(state, path, what) {
  const expected = content(path);
  assert.deepEqual(Object.keys(state).sort(), Object.keys(expected).sort(), what);
  for (const [name, bytes] of Object.entries(expected)) assert.ok(bytes.equals(Buffer.from(state[name])), `${what}: ${name}`);
}

function answers(device, state) {
  const files = readdirSync(at('others')).flatMap((cls) => readdirSync(at('others', cls)).map((name) => at('others', cls, name)));
  const expected = JSON.parse(run('headstart-edge', 'predict', at('model.hspk'), '--state', state, '--json', ...files)).files;
  assert.equal(expected.length, files.length);
  for (const [place, file] of files.entries()) {
    const { label, best, probability, unknown } = device.predict(readFileSync(file));
    const said = { label, best, probability, unknown };
    assert.deepEqual(said, { label: expected[place].label, best: expected[place].best, probability: expected[place].probability, unknown: expected[place].unknown }, file);
  }
}

test('the types declare what the class has', () => {
  const types = readFileSync(join(here, 'headstart.d.ts'), 'utf8');
  const body = types.slice(types.indexOf('export class Device {'));
  const declared = [...body.matchAll(/^  (?:static |set |private )?(\w+)\(/gm)].map(([, name]) => name);
  const own = [...Object.getOwnPropertyNames(Device.prototype), 'open'];
  assert.deepEqual([...new Set(declared)].sort(), own.sort());
});

test('a state is that of the command, byte by byte, and so are answers', async () => {
  const device = await Device.open(pack, { module });
  assert.equal(device.status().kernels, 'simd128');
  const state = at('learned');
  // Two lessons, a class that is forgotten, one that has another name, and back.
  run('headstart-edge', 'learn', at('model.hspk'), '--data', at('icons'), '--state', state);
  const { committed, report } = device.learn(samples(at('icons')));
  assert.ok(committed && report.samples === 80, JSON.stringify(report));
  isSame(device.state(), state, 'learned');
  answers(device, state);
  run('headstart-edge', 'learn', at('model.hspk'), '--data', at('others'), '--state', state, '--keep-samples', '--learner', 'ridge');
  device.learn(samples(at('others')), { keep_samples: true, learner: 'ridge' });
  isSame(device.state(), state, 'learned more');
  run('headstart-edge', 'forget', at('model.hspk'), '--state', state, '--class', 'tree');
  device.forget({ classes: ['tree'] });
  isSame(device.state(), state, 'forgotten');
  run('headstart-edge', 'rename', at('model.hspk'), '--state', state, '--class', 'mug', '--to', 'cup');
  device.rename('mug', 'cup');
  isSame(device.state(), state, 'renamed');
  answers(device, state);
});

test('photos are decoded as the programs decode them', async () => {
  mkdirSync(at('photos', 'one'), { recursive: true });
  mkdirSync(at('photos', 'two'), { recursive: true });
  for (const [place, name] of readdirSync(photos).filter((name) => name.endsWith('.jpg')).entries()) {
    writeFileSync(at('photos', place % 2 ? 'one' : 'two', name), readFileSync(join(photos, name)));
  }
  run('headstart-edge', 'learn', at('model.hspk'), '--data', at('photos'), '--state', at('of-photos'));
  const device = await Device.open(pack, { module });
  device.learn(samples(at('photos')));
  isSame(device.state(), at('of-photos'), 'features of photos');
});

/** Pictures are learned by the command and by the module, and answered by both. */
async function isLearnedAlike(path, data, state) {
  run('headstart-edge', 'learn', path, '--data', data, '--state', state);
  const device = await Device.open(readFileSync(path), { module });
  device.learn(samples(data));
  isSame(device.state(), state, path);
}

test('every kind of node, and of preprocessing, has the features of the programs', async () => {
  writeFileSync(at('network.onnx'), network());
  for (const preprocess of [['--preprocess', 'tf'], ['--preprocess', 'timm'], ['--preprocess', 'torchvision', '--pool', '2']]) {
    const name = preprocess.join('').replaceAll('-', '');
    run('headstart', 'pack', at('network.onnx'), '--calib', at('others'), ...preprocess, '-o', at(`${name}.hspk`));
    await isLearnedAlike(at(`${name}.hspk`), at('photos'), at(`of-${name}`));
  }
});

test('packs of an earlier version are learned with as the programs do it', async () => {
  const golden = join(root, 'tests', 'golden', '0.1.0');
  for (const name of ['small', 'wide', 'shipped', 'shapes']) {
    await isLearnedAlike(join(golden, 'packs', `${name}.hspk`), join(golden, 'pictures', 'first'), at(`golden-${name}`));
  }
});

test('kernels equal the definition', () => {
  let memory;
  const failed = (text, bytes) => { throw new Error(Buffer.from(memory.buffer, text, bytes).toString()); };
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(kernels)), { headstart: { failed } });
  ({ memory } = exports);
  exports.check(CASES);
});

test('every learner makes the head of the command', async () => {
  for (const learner of ['sgd', 'ridge', 'imprint', 'lda']) {
    const state = at(`by-${learner}`);
    run('headstart-edge', 'learn', at('model.hspk'), '--data', at('icons'), '--state', state, '--learner', learner);
    const device = await Device.open(pack, { module });
    device.learn(samples(at('icons')), { learner });
    isSame(device.state(), state, learner);
  }
});

test('a state goes from the programs to the module and back', async () => {
  const state = at('moved');
  run('headstart-edge', 'learn', at('model.hspk'), '--data', at('icons'), '--state', state);
  const device = await Device.open(pack, { module, state: content(state) });
  answers(device, state);
  device.learn(samples(at('others')));
  // An archive is one that tar takes apart, and the programs go on with what is in it.
  const archive = device.archive();
  writeFileSync(at('state.tar'), archive);
  mkdirSync(at('unpacked'));
  execFileSync('tar', ['-xf', at('state.tar'), '-C', at('unpacked')]);
  isSame(device.state(), at('unpacked'), 'unpacked');
  answers(device, at('unpacked'));
  const other = await Device.open(pack, { module });
  other.restore(archive);
  isSame(other.state(), at('unpacked'), 'restored');
  const cut = archive.slice(0, archive.length - 600);
  assert.throws(() => other.restore(cut));
  const wrong = archive.slice();
  wrong[700] ^= 1;
  assert.throws(() => other.restore(wrong));
  isSame(other.state(), at('unpacked'), 'refused archives change nothing');
});

test('pixels and files of them are answered alike, and progress is told', async () => {
  const device = await Device.open(pack, { module });
  const steps = [];
  device.onStep = (done, all) => steps.push([done, all]);
  device.learn(samples(at('icons')));
  assert.deepEqual(steps.at(-1), [80, 80]);
  const [width, height] = [40, 30];
  const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, place) => (place % 4 === 3 ? 255 : (place * 7 + (place >> 6)) & 255));
  const rows = Buffer.from(data.filter((_, place) => place % 4 !== 3));
  const bmp = bitmap(rows, width, height);
  assert.deepEqual(device.predictPixels({ data, width, height }), device.predict(bmp));
  assert.equal(device.features(bmp).length, 64);
});

test('the npm package installs, and opens a pack', () => {
  const project = at('project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"private": true, "type": "module"}');
  writeFileSync(join(project, 'main.js'), `
    import { readFileSync } from 'node:fs';
    import { Device } from 'headstart-web';
    const module = readFileSync(new URL(import.meta.resolve('headstart-web/headstart.wasm')));
    console.log(JSON.stringify((await Device.open(readFileSync(process.argv[2]), { module })).status()));`);
  const npm = (...args) => execFileSync('npm', [...args, '--silent', '--offline', '--no-audit', '--no-fund'], { cwd: project, encoding: 'utf8' });
  npm('install', join(project, npm('pack', here).trim()));
  assert.ok(existsSync(join(project, 'node_modules', 'headstart-web', 'headstart.d.ts')));
  const { input, status } = JSON.parse(execFileSync('node', ['main.js', at('model.hspk')], { cwd: project, encoding: 'utf8' }));
  assert.deepEqual({ input, status }, { input: [32, 32, 3], status: null });
});

test('what is refused says why, and the device goes on', async () => {
  const device = await Device.open(pack, { module });
  const refused = (work, text) => assert.throws(work, (error) => error instanceof HeadstartError && error.message.includes(text));
  refused(() => device.predict(Uint8Array.of(1, 2, 3)), 'holds no head');
  refused(() => device.learn({}), 'data');
  refused(() => device.learn(samples(at('icons')), { learner: 'guess' }), 'learner');
  for (const name of ['', '.hidden', 'a/b', '..']) refused(() => device.learn({ [name]: {} }), 'names no class');
  const broken = Uint8Array.from(pack);
  broken[broken.length >> 1] ^= 1;
  await assert.rejects(Device.open(broken, { module }), HeadstartError);
  assert.ok(device.learn(samples(at('icons'))).committed);
  refused(() => device.predict(Uint8Array.of(1, 2, 3)), 'the sample');
  refused(() => device.predictValues(new Float32Array(5)), '5');
  refused(() => device.predictPixels({ data: new Uint8ClampedArray(0), width: 0, height: 0 }), '0x0');
  assert.equal(device.predict(Object.values(samples(at('icons')).mug)[0]).label, 'mug');
});

/** A BMP of 24 bits: rows from below, blue first. */
function bitmap(rgb, width, height) {
  const row = Math.ceil((3 * width) / 4) * 4;
  const file = Buffer.alloc(54 + row * height);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      for (let c = 0; c < 3; c += 1) file[54 + (height - 1 - y) * row + 3 * x + c] = rgb[3 * (y * width + x) + 2 - c];
    }
  }
  return file;
}
