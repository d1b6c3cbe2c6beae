// The page of static files: what a person does there with a camera and with files, and what the programs make of what it saves.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { after, before, test } from 'node:test';
import { DESK, PHONE, Page } from '../page/browser.mjs';
import { Scene, digests, run, until } from '../page/device.mjs';
import { Site } from './site.mjs';

const web = join(import.meta.dirname, '..', '..', 'runtime', 'web');
const CLASSES = ['mug', 'star', 'tree'];
/** A pack of a real network, for pictures, in the place of the carried one. */
const NETWORK = process.env.HEADSTART_PACK;

let scene;
before(() => {
  scene = new Scene(CLASSES);
  if (NETWORK) scene.pack = NETWORK;
});
after(() => scene?.clear());

const summary = (page, words) => page.see(async () => (await page.text('#summary')).includes(words), words);

async function learn(page) {
  const find = () => page.script('return document.querySelector("#learning-actions button:enabled")');
  await page.press(find, 'a button to learn');
  await page.see(async () => (await page.text('#learned')).startsWith('Learned'), 'it has learned');
}

/** Every class is answered as itself while the camera shows it. */
async function answersLive(page) {
  await page.click('Start the camera');
  for (const cls of CLASSES) {
    await page.begins(scene, cls);
    await page.see(async () => await page.shown(scene) === cls && await page.answer() === cls && await page.shown(scene) === cls,
      `${cls} is answered as ${cls}`);
  }
}

/** What the page says of pictures is what `headstart-edge` says with the state that the page saves. */
async function savesTheState(page, name) {
  const downloads = scene.at(`${name}.downloads`);
  await page.driver.sendDevToolsCommand('Browser.setDownloadBehavior', { behavior: 'allow', downloadPath: downloads });
  await page.click('Save the state');
  const archive = `${downloads}/headstart-state.tar`;
  await until(() => existsSync(archive), 'the state is saved');
  const state = scene.at(`${name}.state`);
  mkdirSync(state);
  execFileSync('tar', ['-xf', archive, '-C', state]);
  const files = CLASSES.flatMap((cls) => scene.others(cls, 3));
  const expected = JSON.parse(run('headstart-edge', 'predict', scene.pack, '--state', state, '--json', ...files)).files;
  for (const [at, file] of files.entries()) {
    const content = readFileSync(file).toString('base64');
    const found = await page.driver.executeAsyncScript(
      `const [content, done] = arguments;
       import('./js/device.js').then(({ ask }) => ask('predict', Uint8Array.from(atob(content), (one) => one.charCodeAt(0)))).then(done, (error) => done({ error: error.message }));`,
      content);
    const { label, best, probability, unknown } = expected[at];
    assert.deepEqual({ label: found.label, best: found.best, probability: found.probability, unknown: found.unknown }, { label, best, probability, unknown }, file);
  }
  return state;
}

async function keepsToItself(page, site, size) {
  const wide = await page.script('return document.documentElement.scrollWidth');
  assert.ok(wide <= size.width, `nothing stands beside the screen: ${wide}`);
  const strangers = (await page.asked()).filter((url) => !/^(data|blob):/.test(url) && !url.startsWith(site.url));
  assert.deepEqual(strangers, [], 'nobody else is asked');
  assert.deepEqual(await page.complaints(), []);
}

test('a phone is taught by its camera, answers without a network, and its state is the programs\' own', { timeout: 300_000 }, async () => {
  // The demo, as the guide makes it.
  execFileSync(join(web, 'demo'), [scene.at('demo'), scene.pack]);
  const names = NETWORK ? ['network'] : ['figures', 'network'];
  for (const name of names) assert.deepEqual(readFileSync(scene.at('demo', name, 'model.hspk')), readFileSync(scene.pack));
  const site = await Site.serve(scene.at('demo'));
  const page = await Page.open(`${site.url}${names[0]}/`, { film: scene.film, size: PHONE, dark: true });
  try {
    await summary(page, '0 classes');
    await page.isAccessible('phone, empty');
    await page.click('Start the camera');
    for (const cls of CLASSES) await page.name(cls);
    for (const cls of CLASSES) {
      await page.begins(scene, cls);
      await page.hold(cls, 2000);
    }
    await page.isAccessible('phone, pictures are waiting');
    await learn(page);
    await answersLive(page);
    await page.isAccessible('phone, taught');
    console.log(`phone: ${await page.text('#learned')} ${await page.text('#speed')}`);
    await page.script('return navigator.serviceWorker.ready.then(() => true)');
    await keepsToItself(page, site, PHONE);
    await site.end();
    await page.driver.navigate().refresh();
    await summary(page, '3 classes');
    await answersLive(page);
    await savesTheState(page, 'phone');
  } finally {
    await page.close();
    await site.end();
  }
});

test('a desk opens a pack, is taught by files, and has the bytes of the command', { timeout: 300_000 }, async () => {
  execFileSync(join(web, 'site'), [scene.at('desk')]);
  const site = await Site.serve(scene.at('desk'));
  const page = await Page.open(site.url, { film: null });
  try {
    await summary(page, 'Open a pack');
    await page.isAccessible('desk, without a pack');
    await page.give('input[accept=".hspk"]', scene.pack);
    await summary(page, '0 classes');
    for (const cls of CLASSES) {
      const files = scene.others(cls, 6);
      mkdirSync(scene.at('lesson', cls), { recursive: true });
      for (const file of files) cpSync(file, scene.at('lesson', cls, basename(file)));
      await page.name(cls);
      await page.choose(cls, files);
    }
    await learn(page);
    const [mug] = scene.others('mug', 1, 13);
    await page.give('input[aria-label="Ask about a picture"]', mug);
    await page.see(async () => await page.answer() === 'mug', 'a picture of a mug is answered');
    await page.isAccessible('desk, taught');
    await keepsToItself(page, site, DESK);
    const state = await savesTheState(page, 'desk');
    run('headstart-edge', 'learn', scene.pack, '--data', scene.at('lesson'), '--state', scene.at('commands'));
    assert.deepEqual(digests(state), digests(scene.at('commands')));

    // What the command goes on with, the page takes back; what is forgotten stays forgotten when the page is loaded again.
    run('headstart-edge', 'rename', scene.pack, '--state', state, '--class', 'tree', '--to', 'shrub');
    execFileSync('tar', ['-cf', scene.at('state.tar'), ...Object.keys(digests(state))], { cwd: state });
    await page.give('input[accept=".tar"]', scene.at('state.tar'));
    await page.see(() => page.script('return document.querySelector(\'[data-class="shrub"]\')'), 'the class of the state');
    await page.click('Forget star');
    await summary(page, '2 classes');
    await page.driver.navigate().refresh();
    await summary(page, '2 classes');
    assert.deepEqual(await page.complaints(), []);
  } finally {
    await page.close();
    await site.end();
  }
});
