// The main job in a browser, from an empty state, on a phone and on a desk.

import assert from 'node:assert/strict';
import { cpSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { DESK, PHONE, Page } from './browser.mjs';
import { Scene, Served, isSame, run, until } from './device.mjs';

const CLASSES = ['mug', 'star', 'tree'];
/** What the page may weigh, compressed, in bytes. */
const WEIGHT = 120_000;
/** Where the picture for the documents is written: docs/guide/page.webp. */
const PICTURE = process.env.HEADSTART_PICTURE;

let scene;
before(() => { scene = new Scene(CLASSES); });
after(() => scene?.clear());

for (const [name, size, byKey, dark] of [['phone', PHONE, false, true], ['desk', DESK, true, false]]) {
  test(`three classes are taught and answered, ${name}`, { timeout: 120_000 }, async () => {
    const served = await Served.start(scene, name, '--keep-samples');
    const page = await Page.open(served.url, { film: scene.film, size, dark });
    try {
      await page.isAccessible(`${name}, empty`);
      const begun = Date.now();
      for (const cls of CLASSES) await page.name(cls);
      for (const cls of CLASSES) {
        await page.begins(scene, cls);
        await page.hold(cls, 2000, byKey);
      }
      await page.see(async () => (await page.text('#learned')).startsWith('Learned'), 'it has learned');
      for (const cls of CLASSES) {
        await page.begins(scene, cls);
        // While the camera goes on showing it.
        await page.see(async () => await page.shown(scene) === cls && await page.answer() === cls && await page.shown(scene) === cls,
          `${cls} is answered as ${cls}`);
      }
      const took = (Date.now() - begun) / 1000;
      console.log(`${name}: taught and answered in ${took.toFixed(1)} s; ${await page.text('#speed')}`);
      await page.isAccessible(`${name}, taught`);
      if (PICTURE && size === DESK) await page.picture(PICTURE);
      const wide = await page.script('return document.documentElement.scrollWidth');
      assert.ok(wide <= size.width, `nothing stands beside the screen: ${wide}`);
      const strangers = (await page.asked()).filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(served.url));
      assert.deepEqual(strangers, [], 'nobody else is asked');
      assert.deepEqual(await page.complaints(), []);
    } finally {
      await page.close();
      await served.end();
    }
  });
}

test('corrections by clicks leave the bytes of the same commands', { timeout: 120_000 }, async () => {
  // One picture of a mug is filed as a star.
  const served = await Served.start(scene, 'clicks', '--keep-samples');
  const page = await Page.open(served.url, { film: null });
  try {
    for (const cls of CLASSES) await page.name(cls);
    const [first, ...mugs] = scene.others('mug', 9);
    const wrong = scene.at('wrong.png');
    cpSync(first, wrong);
    await page.choose('mug', mugs);
    await page.choose('star', [...scene.others('star', 8), wrong]);
    await page.choose('tree', scene.others('tree', 8));
    await until(async () => {
      const [{ pictures }, { classes }] = await Promise.all([served.get('waiting'), served.get('classes')]);
      return pictures === 0 && classes.length === 3 && classes.every((cls) => cls.samples >= 8);
    }, 'all pictures are learned');
    const twin = scene.at('commands');
    cpSync(served.state, twin, { recursive: true });
    const same = async (what, ...command) => {
      run('headstart-edge', command[0], scene.pack, '--state', twin, ...command.slice(1));
      await isSame(served.state, twin, what);
    };

    const { samples } = await served.get('samples?class=star');
    const { id } = samples.find((sample) => sample.file.endsWith('wrong.png'));
    await page.open('doubts');
    await page.isAccessible('doubts');
    await page.click('star: wrong.png', '[data-class=star]');
    await page.isAccessible('one picture');
    await page.click('Relabel', '#dialog');
    await page.see(() => page.script('return document.getElementById("field-class")'), 'the question');
    await (await page.find('#field-class')).sendKeys('mug');
    await page.click('Relabel', '#dialog');
    await same('relabelled', 'relabel', '--sample', id, '--class', 'mug');

    await page.open('matrix');
    await page.open('history');
    await page.open('device');
    await page.see(() => page.script('return document.querySelector("#matrix table")'), 'the matrix');
    await page.isAccessible('matrix, history, device');
    const { commits } = await served.get('history');
    const before = commits.filter((commit) => commit.returnable && !commit.current).sort((a, b) => b.number - a.number)[0].number;
    await page.click(`Go back to commit ${before}`, '#history');
    await same('rolled back', 'rollback', '--to', String(before));

    await page.click('Delete tree', '[data-class=tree]');
    await page.click('Delete', '#dialog');
    await same('forgotten', 'forget', '--class', 'tree');
    assert.deepEqual(await page.complaints(), []);
  } finally {
    await page.close();
    await served.end();
  }
});

test('the page weighs little', async () => {
  const served = await Served.start(scene, 'weight');
  try {
    const seen = new Map();
    const load = async (path) => {
      if (seen.has(path)) return;
      const response = await fetch(new URL(path, served.url));
      assert.ok(response.ok, path);
      const text = Buffer.from(await response.arrayBuffer());
      seen.set(path, gzipSync(text).length);
      const folder = path.replace(/[^/]*$/, '');
      for (const [, name] of text.toString().matchAll(/(?:from |href=|src=)['"]([\w./-]+\.(?:js|css|svg))['"]/g)) {
        await load(new URL(name, `http://page/${folder}`).pathname.slice(1));
      }
    };
    await load('index.html');
    const weight = [...seen.values()].reduce((sum, one) => sum + one);
    console.log(`${seen.size} files, ${weight} bytes compressed`);
    assert.ok(seen.size > 10, 'modules are followed');
    assert.ok(weight <= WEIGHT);
  } finally {
    await served.end();
  }
});
