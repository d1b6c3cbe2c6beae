// What takes longer in a browser: updates that do harm, more views, tails and masks, large states, answers a second, other machines.

import assert from 'node:assert/strict';
import { cpSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { DESK, PHONE, Page } from './browser.mjs';
import { Scene, Served, digests, golden, isSame, run } from './device.mjs';

const CLASSES = ['mug', 'star', 'tree'];
/** So many pictures are known, and so many added one by one. */
const [STATE, ADDED] = [600, 20];

let scene;
before(() => { scene = new Scene(CLASSES); });
after(() => scene?.clear());

/** Does something on a page of a fresh server. */
async function onPage(state, options, does) {
  const { film = null, size = DESK, dark = false, args = ['--keep-samples'], from = scene } = options;
  const served = await Served.start(from, state, ...args);
  const page = await Page.open(served.url, { film, size, dark });
  try {
    await does(page, served);
    assert.deepEqual(await page.complaints(), []);
  } finally {
    await page.close();
    await served.end();
  }
}

/** Each class with so many pictures, learned. */
const pictures = (number) => CLASSES.flatMap((cls) => scene.others(cls, number).map((path) => [cls, path]));

test('a harmful update says why, and is learned anyway with the bytes of --force', { timeout: 120_000 }, async () => {
  await onPage('harm', {}, async (page, served) => {
    await served.teach(pictures(12));
    const twin = scene.at('harm-commands');
    cpSync(served.state, twin, { recursive: true });
    // Mugs that are called stars, many times over.
    const wrong = scene.others('mug', 12, 21).concat(scene.others('tree', 12, 21));
    await page.choose('star', wrong.slice(0, 12));
    await page.see(() => page.script('return document.querySelector("#learned .rejected")'), 'the update is refused');
    assert.match(await page.text('#learned'), /^Not learned: \w/);
    await page.isAccessible('rejected');
    await page.click('Look at the doubtful ones', '#learning');
    await page.see(() => page.script('return document.querySelectorAll("#doubts [data-number]").length === 12'), 'its pictures');
    await page.isAccessible('pictures of a rejected update');
    await page.click('Learn it anyway', '#learning');
    await page.see(async () => (await page.text('#learned')).startsWith('Learned'), 'it is learned');
    const data = scene.at('harmful', 'star');
    cpSync(join(wrong[0], '..'), data, { recursive: true });
    run('headstart-edge', 'learn', scene.pack, '--state', twin, '--data', scene.at('harmful'), '--keep-samples', '--force');
    await isSame(served.state, twin, 'learned anyway');
  });
});

test('pictures of an update that was not taken are dropped', { timeout: 120_000 }, async () => {
  await onPage('dropped', {}, async (page, served) => {
    await served.teach(pictures(12));
    await page.choose('star', scene.others('mug', 12, 21));
    await page.click('Look at the doubtful ones', '#learning');
    await page.click('Drop these pictures', '#learning');
    await page.see(async () => (await served.get('waiting')).pictures === 0, 'none waits');
    assert.equal((await served.get('status')).samples, 36);
  });
});

test('names are changed and classes merged by clicks', { timeout: 120_000 }, async () => {
  await onPage('names', {}, async (page, served) => {
    await served.teach(pictures(6));
    const twin = scene.at('names-commands');
    cpSync(served.state, twin, { recursive: true });
    await page.click('Rename mug', '[data-class=mug]');
    const name = await page.find('#field-to');
    await name.clear();
    await name.sendKeys('cup');
    await page.click('Rename', '#dialog');
    run('headstart-edge', 'rename', scene.pack, '--state', twin, '--class', 'mug', '--to', 'cup');
    await isSame(served.state, twin, 'renamed');
    await page.click('Merge star', '[data-class=star]');
    await (await page.find('#field-class')).sendKeys('tree');
    await page.click('Merge', '#dialog');
    run('headstart-edge', 'rename', scene.pack, '--state', twin, '--class', 'star', '--to', 'tree');
    await isSame(served.state, twin, 'merged');
  });
});

test('pictures that show the same are found, and forgotten by clicks', { timeout: 120_000 }, async () => {
  await onPage('same', {}, async (page, served) => {
    // A file with other bytes and the same pixels is another sample.
    const [first] = scene.others('mug', 1);
    const again = scene.at('again.png');
    writeFileSync(again, Buffer.concat([readFileSync(first), Buffer.from('again')]));
    await served.teach([...pictures(6), ['mug', again]]);
    const twin = scene.at('same-commands');
    cpSync(served.state, twin, { recursive: true });
    const { pairs } = await served.get('duplicates');
    assert.equal(pairs.length, 1);
    await page.open('doubts');
    await page.click('Forget this one', '#doubts');
    await page.see(async () => (await served.get('status')).samples === 18, 'it is forgotten');
    const left = new Set((await served.get('samples')).samples.map((sample) => sample.id));
    const gone = [pairs[0].id, pairs[0].like].filter((id) => !left.has(id));
    assert.equal(gone.length, 1, 'the other one stays');
    run('headstart-edge', 'forget', scene.pack, '--state', twin, '--sample', gone[0]);
    await isSame(served.state, twin, 'forgotten');
    await page.see(async () => (await page.text('#doubts')).includes('No two pictures show the same'), 'none is left');
  });
});

test('a cell of the matrix opens its pictures, and one of them gets its right class', { timeout: 120_000 }, async () => {
  await onPage('cells', {}, async (page, served) => {
    const wrong = scene.at('filed-wrong.png');
    cpSync(scene.others('tree', 1, 31)[0], wrong);
    await served.teach([...pictures(12), ['star', wrong]]);
    const twin = scene.at('cells-commands');
    cpSync(served.state, twin, { recursive: true });
    const { classes, confusion } = await served.get('confusion');
    const at = (name) => classes.findIndex((cls) => cls.name === name);
    assert.equal(confusion[at('star')][at('tree')], 1, 'held out, it is answered as what it shows');
    await page.open('matrix');
    await page.click('1 of star answered as tree: show them', '#matrix');
    await page.see(async () => (await page.text('#dialog')).includes('star, answered as tree'), 'its pictures');
    const { samples } = await served.get('samples?class=star');
    const { id } = samples.find((sample) => sample.file.endsWith('filed-wrong.png'));
    await page.click('star: filed-wrong.png', '#dialog');
    await page.click('Relabel', '#dialog');
    await page.see(() => page.script('return document.getElementById("field-class")'), 'the question');
    await (await page.find('#field-class')).sendKeys('tree');
    await page.click('Relabel', '#dialog');
    run('headstart-edge', 'relabel', scene.pack, '--state', twin, '--sample', id, '--class', 'tree');
    await isSame(served.state, twin, 'relabelled');
  });
});

test('a tail shows its epochs, is stopped and goes on', { timeout: 300_000 }, async () => {
  const tail = Object.create(scene);
  tail.pack = scene.at('tail.hspk');
  run('headstart', 'pack', scene.model, '--calib', scene.at('calib'), '--preprocess', 'tf', '--freeze',
    '/features/features.8/Add_output_0', '--tail', 'keep', '-o', tail.pack);
  await onPage('tail', { from: tail, args: [] }, async (page, served) => {
    await served.teach(pictures(8), false);
    // Long enough to be stopped by hand; its answer comes when it is.
    const long = served.post('learn', { tail: { epochs: 5000, patience: 5000 } }).catch((error) => error);
    await page.see(async () => /^Training: epoch [1-9]/.test(await page.text('#learned')), 'its epochs');
    await page.isAccessible('a training');
    await page.click('Stop', '#learning');
    await long;
    await page.see(async () => (await page.text('#learned')).startsWith('Not learned'), 'it is stopped');
    await page.isAccessible('a training that was stopped');
    await page.click('Go on', '#learning');
    await page.see(async () => (await page.text('#learned')).startsWith('Learned'), 'it goes on to its end', 240_000);
    assert.equal((await served.get('status')).samples, 24);
  });
});

test('a pack that answers for each place lays its mask over the picture', { timeout: 120_000 }, async () => {
  const places = Object.create(scene);
  places.pack = golden('packs', 'places.hspk');
  cpSync(golden('states', 'places'), scene.at('places'), { recursive: true });
  await onPage('places', { from: places, args: [], film: scene.film }, async (page, served) => {
    const { can } = await served.get('device');
    assert.ok(can.includes('masks') && !can.includes('learn'));
    await page.see(() => page.script(
      `const mask = document.getElementById('mask');
       return !mask.hidden && mask.width > 1 && mask.getContext('2d').getImageData(0, 0, mask.width, mask.height).data.some((level) => level > 0)`),
    'a mask that shows something');
    await page.see(() => page.script('return document.querySelectorAll("#bars li").length > 1'), 'the shares of its classes');
    assert.equal(await page.script('return document.querySelectorAll("#cards .take").length'), 0, 'what it cannot learn is not offered');
    await page.isAccessible('masks');
  });
});

test('a state is downloaded and put back', { timeout: 120_000 }, async () => {
  await onPage('saved', {}, async (page, served) => {
    await served.teach(pictures(6));
    const before = digests(served.state);
    const file = scene.at('state.tar');
    writeFileSync(file, Buffer.from(await (await fetch(`${served.url}api/state`)).arrayBuffer()));
    await page.open('device');
    await page.click('Forget everything', '#device');
    await page.isAccessible('a question');
    await page.click('Forget everything', '#dialog');
    await page.see(async () => (await page.text('#summary')).startsWith('Nothing'), 'all is forgotten');
    await page.give('#device input[type=file]', file);
    await page.click('Restore', '#dialog');
    await page.see(async () => (await page.text('#summary')).startsWith('3 classes'), 'it is back');
    assert.deepEqual(digests(served.state), before);
  });
});

for (const [name, size, dark] of [['phone, light', PHONE, false], ['desk, dark', DESK, true]]) {
  test(`every view is accessible, ${name}`, { timeout: 120_000 }, async () => {
    await onPage(`views-${dark}`, { size, dark, film: scene.film }, async (page, served) => {
      // Each picture twice under other names, and one under another class.
      const twice = scene.others('mug', 3).map((path, at) => {
        const copy = scene.at(`again-${at}.png`);
        writeFileSync(copy, readFileSync(path));
        return ['mug', copy];
      });
      await served.teach([...pictures(12), ...twice, ['star', scene.others('tree', 1, 31)[0]]]);
      for (const id of ['doubts', 'matrix', 'history', 'device']) await page.open(id);
      await page.see(() => page.script('return document.querySelector("#doubts h3") && document.querySelector("#matrix table")'), 'all is open');
      await page.isAccessible('all open');
      await page.script('document.querySelector("#matrix td button").click()');
      await page.isAccessible('pictures of a cell');
      await page.click('Close', '#dialog');
      await page.click('Merge mug');
      await page.isAccessible('merging');
    });
    await onPage(`views-${dark}`, { size, dark, args: ['--read-only'] }, async (page) => {
      await page.see(() => page.script('return document.querySelectorAll("#cards .card").length === 3'), 'the classes');
      assert.equal(await page.script('return document.querySelectorAll("#cards .take, #cards .row button, #cards input").length'), 0, 'nothing can be changed');
      await page.isAccessible('read-only, no camera');
    });
  });
}

test('the device\'s own camera is shown and answered', { timeout: 120_000 }, async () => {
  await onPage('own', { args: ['--keep-samples', '--camera', scene.film] }, async (page, served) => {
    await served.teach(pictures(12));
    await page.see(async () => CLASSES.includes(await page.answer()), 'an answer');
    await page.see(() => page.script('const image = document.getElementById("frame"); return !image.hidden && image.naturalWidth === 640'), 'its picture');
    await page.isAccessible('the device\'s camera');
    await page.name('new');
    await page.hold('new', 1000);
    // The film's classes under another name: whether that is taken is not asked here.
    await page.see(async () => (await served.get('classes')).classes.some((cls) => cls.name === 'new'), 'its pictures are taken');
  });
});

test('a picture added to a state of 600 is answered soon, and answers go on meanwhile', { timeout: 600_000 }, async () => {
  const photos = process.env.HEADSTART_PHOTOS;
  const big = photos ? photoScene(photos) : scene;
  await onPage('large', { film: big.film, args: [], from: big }, async (page, served) => {
    const classes = big === scene ? CLASSES : readdirSync(photos).sort();
    const each = STATE / classes.length;
    const of = (cls, number, skip = 0) => (big === scene ? scene.others(cls, each + ADDED, 41)
      : readdirSync(join(photos, cls)).sort().map((name) => join(photos, cls, name))).slice(skip, skip + number);
    for (const cls of classes) await served.teach(of(cls, each).map((path) => [cls, path]), false);
    await served.post('learn', {});
    assert.ok((await served.get('status')).samples >= STATE * 0.95);
    await page.see(async () => (await page.text('#speed')).includes('answers'), 'answers go on');
    await page.see(() => page.script('return document.getElementById("speed").dataset.rate'), 'their rate');
    const times = [];
    const rates = [];
    for (const path of of(classes[0], ADDED, each)) {
      const said = await page.text('#learned');
      const begun = Date.now();
      await page.choose(classes[0], [path]);
      await page.see(async () => (await page.text('#learned')) !== said, 'it is learned', 10_000);
      times.push((Date.now() - begun) / 1000);
      rates.push(Number(await page.script('return document.getElementById("speed").dataset.rate')));
    }
    console.log(`a picture added to ${STATE}: p95 ${share(times, 0.95).toFixed(2)} s, median ${share(times, 0.5).toFixed(2)} s; `
      + `meanwhile at least ${Math.min(...rates).toFixed(1)} answers a second`);
    assert.ok(Math.min(...rates) > 0, 'answers go on');
  });
});

test('a server on one core answers live', { timeout: 120_000 }, async () => {
  const big = process.env.HEADSTART_PHOTOS ? photoScene(process.env.HEADSTART_PHOTOS) : scene;
  const { backbone_ms: backbone } = JSON.parse(run('headstart-edge', 'bench', big.pack, '--json'));
  await onPage('live', { film: big.film, args: [], from: big }, async (page, served) => {
    served.onOneCore();
    await served.teach(pictures(6));
    await page.see(() => page.script('return document.getElementById("speed").dataset.rate'), 'answers go on');
    await page.script('performance.setResourceTimingBufferSize(10000); performance.clearResourceTimings()');
    const seconds = 10;
    await new Promise((done) => setTimeout(done, seconds * 1000));
    const trips = await page.script(
      'return performance.getEntriesByType("resource").filter((one) => one.name.endsWith("/api/predict")).map((one) => one.duration)');
    console.log(`${(trips.length / seconds).toFixed(1)} answers a second at 640x480, the server on one core; from the picture to the answer `
      + `p95 ${share(trips, 0.95).toFixed(0)} ms, median ${share(trips, 0.5).toFixed(0)} ms; the backbone takes ${backbone.median.toFixed(1)} ms`);
    assert.ok(trips.length > 0);
  });
});

/** The value below which this share of them is. */
function share(values, part) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)];
}

let photoPack;

/** A pack of MobileNetV2 and a film of photos. */
function photoScene(photos) {
  if (photoPack) return photoPack;
  const big = Object.create(Scene.prototype);
  photoPack = big;
  big.folder = scene.at('photos');
  cpSync(join(photos, '0'), join(big.folder, 'calib', '0'), { recursive: true });
  big.pack = big.at('model.hspk');
  big.film = big.at('film.mjpeg');
  run('headstart', 'pack', process.env.HEADSTART_MODEL, '--calib', big.at('calib'), '--preprocess', 'imagenet', '-o', big.pack);
  const folders = ['1', '5', '8'].map((cls) => {
    readdirSync(join(photos, cls)).slice(0, 12).forEach((name) => cpSync(join(photos, cls, name), big.at('film', cls, name)));
    return big.at('film', cls);
  });
  run('film', '10', big.film, ...folders);
  return big;
}

test('another machine teaches with the link, by https', { timeout: 120_000 }, async () => {
  const served = await Served.start(scene, 'lan', '--lan');
  const [base, token] = readFileSync(scene.at('lan.link'), 'utf8').split('\n');
  const page = await Page.open(`${base}enter?token=${token}`, { film: scene.film, size: PHONE, insecure: true });
  try {
    await page.name('mug');
    await page.name('star');
    for (const cls of ['mug', 'star']) {
      await page.begins(scene, cls);
      await page.hold(cls, 2000);
    }
    await page.see(async () => (await page.text('#learned')).startsWith('Learned'), 'it has learned');
    await page.see(async () => await page.answer() !== '', 'an answer');
    assert.deepEqual(await page.complaints(), []);
  } finally {
    await page.close();
    await served.end();
  }
});
