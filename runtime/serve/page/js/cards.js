// Classes as cards: take pictures, choose or drop them, rename, merge, delete.

import { get, post, remove } from './api.js';
import { mayAsk } from './camera.js';
import { button, count, fileButton, find, make, tell } from './dom.js';
import { classField, field, question } from './dialog.js';
import { can, isTaught, known, refresh, watch } from './known.js';
import { camera } from './live.js';
import { strip } from './samples.js';
import { addFiles, takeButton } from './take.js';

/** So many small pictures stand on a card. */
const MOST = 10;

const cards = new Map();
/** Classes that have a name and no picture yet. */
const named = new Set();

export function startCards() {
  const form = find('add');
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const name = form.elements.name.value.trim();
    if (!name) return;
    if (known.classes.some((cls) => cls.name === name) || named.has(name)) {
      tell(`There is a class ${name} already.`);
      return;
    }
    named.add(name);
    form.reset();
    show();
    cards.get(name).item.querySelector('button, input')?.focus();
  });
  document.body.addEventListener('camera', show);
  watch(show);
}

function show() {
  if (!known.device) return;
  find('add').hidden = !can('learn');
  const classes = [...known.classes];
  for (const cls of classes) named.delete(cls.name);
  for (const name of named) classes.push({ name, samples: 0, waiting: 0 });
  for (const [name, card] of cards) {
    if (!classes.some((cls) => cls.name === name)) {
      card.item.remove();
      cards.delete(name);
    }
  }
  classes.forEach((cls, at) => {
    if (!cards.has(cls.name)) cards.set(cls.name, card(cls.name));
    const made = cards.get(cls.name);
    made.update(cls);
    // A button that is held stays where it is.
    const list = find('cards');
    if (list.children[at] !== made.item) list.insertBefore(made.item, list.children[at] ?? null);
  });
  hint(classes);
  thumbnails().catch((error) => tell(error.message));
}

let shownRevision = null;

/** Small pictures of what was learned, asked for once a commit. */
async function thumbnails() {
  const revision = known.classes.map((cls) => `${cls.name} ${cls.samples}`).join('\n') + known.revision;
  if (!can('pictures') || revision === shownRevision) return;
  shownRevision = revision;
  const samples = isTaught() ? (await get('samples')).samples : [];
  for (const [name, { pictures }] of cards) {
    const of = samples.filter((sample) => sample.class === name);
    const kept = of.filter((sample) => sample.kept).slice(-MOST);
    pictures.replaceChildren(...[kept.length > 0 && strip(kept, `Pictures of ${name}`),
      of.length > kept.length && kept.length > 0 && make('p', { className: 'quiet' }, `${kept.length} of ${of.length} shown`)].filter(Boolean));
  }
}

function hint(classes) {
  const place = find('hint');
  let text = '';
  if (!can('learn')) text = known.device.pack.kind === 'places' ? 'This pack learns from masks, by headstart-edge learn.' : 'This page shows answers and changes nothing.';
  else if (classes.length === 0) text = 'Name what you want to tell apart, two things or more.';
  else if (known.waiting.held === 'one class') text = 'Add a second class: one alone is nothing to tell apart.';
  else if (!isTaught()) text = 'Show each to the camera, and hold its button for a second or two.';
  place.textContent = text;
  place.hidden = !text;
}

function card(name) {
  const number = make('span', { className: 'quiet' });
  const pictures = make('div');
  const actions = make('div', { className: 'row' });
  const item = make('li', { className: 'card', 'data-class': name }, make('h3', {}, name), number, pictures);
  let [cls, taken, take] = [null, 0, null];
  if (can('learn')) {
    take = takeButton(name, (so) => {
      taken = so;
      counted();
    });
    const choose = fileButton('Choose pictures', `Choose pictures of ${name}`, { accept: 'image/*', multiple: true },
      (files) => addFiles(name, files));
    const one = !mayAsk() && fileButton('Take one', `Take a picture of ${name}`, { accept: 'image/*', capture: 'environment' },
      (files) => addFiles(name, files));
    item.append(take);
    actions.append(...[one, choose].filter(Boolean));
    droppable(item, name);
  }
  item.append(actions);
  const labelled = (text, does, given = {}) => button(text, does, { className: 'small', 'aria-label': `${text} ${name}`, ...given });
  const changes = [
    ['rename', labelled('Rename', () => rename(name))],
    ['rename', labelled('Merge', () => merge(name))],
    ['forget', labelled('Delete', () => forget(cls), { className: 'small danger' })],
  ].filter(([call]) => can(call));
  const others = make('div', { className: 'row' }, changes.map(([, made]) => made));
  item.append(others);

  function counted() {
    const parts = [count(cls.samples, 'picture')];
    if (cls.waiting > 0) parts.push(`${cls.waiting} waiting`);
    if (taken > 0) parts.push(`${taken} taken`);
    number.textContent = parts.join(', ');
  }

  return { item, pictures, update(now) {
    cls = now;
    counted();
    if (take) take.hidden = !camera();
  } };
}

function droppable(item, name) {
  item.addEventListener('dragover', (event) => {
    event.preventDefault();
    item.classList.add('over');
  });
  item.addEventListener('dragleave', () => item.classList.remove('over'));
  item.addEventListener('drop', (event) => {
    event.preventDefault();
    item.classList.remove('over');
    addFiles(name, [...event.dataTransfer.files]).catch((error) => tell(error.message));
  });
}

async function rename(name) {
  const input = make('input', { name: 'to', required: true, maxLength: 64, value: name, autocomplete: 'off' });
  const given = await question({ title: `Rename ${name}`, content: field('New name', input), yes: 'Rename' });
  const to = given?.to.trim();
  if (!to || to === name) return;
  const other = known.classes.some((cls) => cls.name === to);
  if (other && !await question({ title: `There is a class ${to}`, text: `${name} and ${to} become one.`, yes: 'Merge' })) return;
  await moved(name, to);
}

async function merge(name) {
  const others = known.classes.map((cls) => cls.name).filter((other) => other !== name);
  if (others.length === 0) {
    tell('There is no other class.');
    return;
  }
  const given = await question({ title: `Merge ${name}`, content: classField('into', others), yes: 'Merge' });
  if (given) await moved(name, given.class);
}

async function moved(name, to) {
  const learned = known.classes.some((cls) => cls.name === name && cls.samples > 0);
  if (learned) await post('rename', { class: name, to });
  else if (named.delete(name)) named.add(to);
  else {
    tell('Its pictures are not learned yet.');
    return;
  }
  await refresh();
}

async function forget(cls) {
  const text = cls.samples > 0 ? `${count(cls.samples, 'picture')} and all that they taught are forgotten, in the history too. This cannot be undone.` : '';
  if (!await question({ title: `Delete ${cls.name}?`, text, yes: 'Delete', isDanger: true })) return;
  named.delete(cls.name);
  for (const one of known.waiting.waiting.filter((picture) => picture.class === cls.name)) await remove(`waiting/${one.number}`);
  if (cls.samples > 0) await post('forget', { classes: [cls.name] });
  await refresh();
}
