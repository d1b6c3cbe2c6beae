// The page: a pack is opened, classes are taught, answers are shown, and the state is taken along.

import { clearAnswers, showAnswer, showShares } from './answers.js';
import { picture, pixels, start as startCamera, stop as stopCamera } from './camera.js';
import { ask, onStep } from './device.js';
import { button, count, fileButton, find, make, percent, seconds, tell, trouble } from './dom.js';
import { drop, keep, kept } from './kept.js';

/** A picture is taken so often while the button is held, in milliseconds. */
const EVERY = 150;
const [SMALLEST, LARGEST] = [96, 480];

/** Pictures that were not learned yet: `{class: {name: bytes}}`. */
const waiting = {};
let device = null;
let learnedClasses = [];
let numbered = 0;
let isLearning = false;

const shortest = () => Math.min(LARGEST, Math.max(SMALLEST, Math.round(1.5 * Math.max(device.input[0], device.input[1]))));

async function bytes(file) {
  return new Uint8Array(await file.arrayBuffer());
}

async function open(pack, state = {}) {
  device = await ask('open', pack, state);
  await show();
}

/** Shows what the device is and knows. */
async function show() {
  const { status, input } = device = await ask('status');
  learnedClasses = status?.classes ?? [];
  find('summary').textContent = `${input.slice(0, 2).join(' × ')} pixels, ${count(learnedClasses.length, 'class', 'classes')} learned; everything stays in this browser.`;
  for (const { name } of learnedClasses) waiting[name] ??= {};
  if (learnedClasses.length < 2) clearAnswers('');
  cards();
  actions();
}

function cards() {
  find('cards').replaceChildren(...Object.keys(waiting).sort().map(card));
}

function card(name) {
  const known = learnedClasses.find((one) => one.name === name)?.samples ?? 0;
  const fresh = Object.keys(waiting[name]).length;
  const text = make('p', { className: 'quiet' }, `${count(known, 'picture')} learned${fresh ? `, ${fresh} waiting` : ''}`);
  return make('li', { className: 'card', 'data-class': name }, make('h3', {}, name), text,
    takeButton(name, text),
    make('div', { className: 'row' },
      fileButton('Add files', `Add pictures of ${name}`, { accept: 'image/*', multiple: true }, async (files) => {
        for (const file of files) waiting[name][free(file.name, waiting[name])] = await bytes(file);
        cards();
        actions();
      }),
      known > 0 && button('Forget', async () => {
        await ask('forget', { classes: [name] });
        delete waiting[name];
        await changed();
      }, { className: 'danger', 'aria-label': `Forget ${name}` })));
}

/** The name, or one like it where it is taken. */
function free(name, taken) {
  let found = name;
  for (let number = 2; found in taken; number += 1) found = `${number}-${name}`;
  return found;
}

/** Takes pictures while it is held; one where it is pressed without a pointer. */
function takeButton(name, text) {
  let holding = false;
  const take = async () => {
    const shown = await picture(shortest());
    if (!shown) {
      tell('Start the camera first, or add files.');
      return;
    }
    numbered += 1;
    waiting[name][`${String(numbered).padStart(6, '0')}.png`] = shown;
    text.textContent = `${Object.keys(waiting[name]).length} waiting`;
  };
  const begin = async () => {
    if (holding || !device) return;
    holding = true;
    while (holding) {
      await take();
      await new Promise((done) => setTimeout(done, EVERY));
    }
    cards();
    actions();
  };
  const end = () => { holding = false; };
  return make('button', {
    type: 'button', className: 'take first', 'aria-label': `Hold to take pictures of ${name}`,
    onpointerdown: begin, onpointerup: end, onpointerleave: end, onpointercancel: end, onblur: end,
    onkeydown: (event) => { if (event.key === ' ' && !event.repeat) begin(); },
    onkeyup: end,
    oncontextmenu: (event) => event.preventDefault(),
  }, 'Hold to take pictures');
}

function actions() {
  const fresh = Object.values(waiting).reduce((sum, files) => sum + Object.keys(files).length, 0);
  find('learning-actions').replaceChildren(fresh > 0 ? button(`Learn ${count(fresh, 'picture')}`, learn, { className: 'first' }) : '');
}

async function learn() {
  const lesson = Object.fromEntries(Object.entries(waiting).filter(([, files]) => Object.keys(files).length > 0));
  const bar = find('progress');
  bar.hidden = false;
  onStep((done, all) => { [bar.max, bar.value] = [all, done]; });
  isLearning = true;
  try {
    const { committed, report } = await ask('learn', lesson);
    const held = report.held_out_accuracy === null ? '' : `; ${percent(report.held_out_accuracy)} of what it was not shown are right`;
    const said = committed ? `Learned ${count(report.samples, 'picture')} in ${seconds(report.seconds)}${held}.` : `Not learned: ${report.rejected}`;
    find('learned').replaceChildren(make('p', { className: committed ? '' : 'rejected' }, said));
    if (committed) for (const files of Object.values(waiting)) for (const name of Object.keys(files)) delete files[name];
    await changed();
  } finally {
    isLearning = false;
    bar.hidden = true;
  }
}

/** After every change: what is shown, and what stays when the page is closed. */
async function changed() {
  await keep('state.tar', await ask('archive'));
  await show();
}

function save(name, content) {
  const link = make('a', { href: URL.createObjectURL(new Blob([content])), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

function said(answer, begun) {
  if (answer.shares) showShares(answer.shares);
  else showAnswer(answer);
  find('speed').textContent = `${seconds((performance.now() - begun) / 1000)} an answer`;
}

/** Answers a picture of a file, in the camera's place. */
async function askAbout(file) {
  stopCamera();
  const [shown, content] = [find('picture'), await bytes(file)];
  URL.revokeObjectURL(shown.src);
  shown.src = URL.createObjectURL(file);
  [shown.hidden, find('no-picture').hidden] = [false, true];
  const begun = performance.now();
  said(await ask('predict', content), begun);
}

/** Answers one frame after the other, never more than one on the way. */
async function live() {
  for (;;) {
    await new Promise((done) => requestAnimationFrame(done));
    if (!device || isLearning || learnedClasses.length < 2) {
      await new Promise((done) => setTimeout(done, 100));
      continue;
    }
    const shown = pixels(shortest());
    if (!shown) continue;
    try {
      const begun = performance.now();
      said(await ask('predictPixels', shown), begun);
    } catch (error) {
      tell(error.message);
      await new Promise((done) => setTimeout(done, 1000));
    }
  }
}

async function restore(archive) {
  await ask('restore', archive);
  await changed();
}

find('files').append(
  fileButton('Open a pack', 'Open a pack', { accept: '.hspk' }, async ([file]) => {
    const pack = await bytes(file);
    await open(pack);
    await keep('model.hspk', pack);
    await drop('state.tar');
  }),
  fileButton('Load a state', 'Load a state', { accept: '.tar' }, async ([file]) => restore(await bytes(file))),
  button('Save the state', async () => save('headstart-state.tar', await ask('archive'))),
  button('Forget everything', async () => {
    await ask('forget');
    for (const name of Object.keys(waiting)) delete waiting[name];
    await changed();
  }, { className: 'danger' }),
);
find('sources').append(
  button('Start the camera', startCamera),
  fileButton('Ask about a picture', 'Ask about a picture', { accept: 'image/*' }, ([file]) => askAbout(file)),
);
find('add').addEventListener('submit', (event) => {
  event.preventDefault();
  const name = find('add-name').value.trim();
  if (name) waiting[name] ??= {};
  find('add').reset();
  cards();
});

if ('serviceWorker' in navigator) navigator.serviceWorker.register('sw.js').catch((error) => tell(error.message));
try {
  const mine = await kept('model.hspk');
  const response = mine ? null : await fetch('model.hspk');
  if (mine) await open(mine);
  else if (response.ok) await open(await bytes(response));
  else find('summary').textContent = 'Open a pack to begin: a file that `headstart pack` made.';
  const state = device && await kept('state.tar');
  if (state) await restore(state);
} catch (error) {
  trouble(error.message);
}
live();
