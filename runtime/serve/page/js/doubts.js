// Which pictures are bad: labels that the others contradict, and pictures that teach nothing new.

import { add, blob, get, getOr, learn, remove } from './api.js';
import { baseName, button, count, find, make, percent } from './dom.js';
import { can, isTaught, known, refresh, watch } from './known.js';
import { askClass, fold, forget, picture, relabel, title } from './samples.js';

/** So many are shown at once. */
const MOST = 60;
/** What was looked at and is right: by this page, in this browser. */
const KEPT = 'headstart-kept';

let folded;

export function startDoubts() {
  folded = fold('doubts', fill);
  watch(() => {
    folded.details.hidden = !can('doubtful') || (!isTaught() && known.waiting.held !== 'rejected');
    folded.refill();
  });
}

/** Opens the list and goes there. */
export function openDoubts() {
  const details = find('doubts');
  details.hidden = false;
  details.open = true;
  folded.refill();
  details.querySelector('summary').focus();
  details.scrollIntoView({ block: 'start' });
}

const looked = () => new Set(JSON.parse(localStorage.getItem(KEPT) ?? '[]'));

function keep(ids) {
  localStorage.setItem(KEPT, JSON.stringify([...looked(), ...ids].slice(-2000)));
  folded.refill();
}

async function fill() {
  const kept = looked();
  const made = [];
  if (known.waiting.held === 'rejected') made.push(await rejected());
  if (!isTaught()) return made;
  const { samples } = await get('samples?doubtful=true');
  const doubtful = samples.filter((sample) => !kept.has(`${sample.id} ${sample.class}`));
  made.push(make('h3', {}, doubtful.length === 0 ? 'No label is doubtful.' : `${count(doubtful.length, 'doubtful label')}`));
  if (doubtful.length > 0) {
    made.push(make('p', { className: 'quiet' }, 'A head that was learned without the picture answers another class.'),
      make('ul', { className: 'grid' }, doubtful.slice(0, MOST).map(doubtfulTile)));
  }
  const { pairs } = can('duplicates') ? await get('duplicates') : { pairs: [] };
  made.push(...duplicates(pairs, kept, await keptIds(pairs)));
  return made;
}

/** Which pictures of the pairs have a copy. */
async function keptIds(pairs) {
  if (pairs.length === 0 || !can('pictures')) return new Set();
  const { samples } = await get('samples');
  return new Set(samples.filter((sample) => sample.kept).map((sample) => sample.id));
}

function doubtfulTile(sample) {
  const actions = make('div', { className: 'row' },
    can('relabel') && button(`It is ${sample.answer}`, () => relabel([sample.id], sample.answer), { className: 'small first' }),
    can('relabel') && button('Another class', async () => {
      const cls = await askClass(sample.class);
      if (cls) await relabel([sample.id], cls);
    }, { className: 'small' }),
    can('forget') && button('Forget', () => forget([sample.id]), { className: 'small danger' }),
    button('Keep', () => keep([`${sample.id} ${sample.class}`]), { className: 'small' }));
  return make('li', { className: 'tile', 'data-id': sample.id }, picture(sample),
    make('p', {}, `Filed as ${sample.class}, looks like ${sample.answer} (${percent(sample.probability)}).`), actions);
}

/** Pictures of an update that was not taken: those with doubted labels first. */
async function rejected() {
  const learned = await getOr('learned', null);
  const doubted = new Set((learned?.report?.set_aside ?? []).map((one) => one.file));
  const waiting = [...known.waiting.waiting].sort((a, b) => doubted.has(b.file) - doubted.has(a.file));
  const tile = (one) => make('li', { className: 'tile', 'data-number': one.number },
    make('img', { src: `api/waiting/${one.number}/picture`, alt: `Waiting: ${one.file}`, loading: 'lazy' }),
    make('p', {}, `Waiting as ${one.class}${doubted.has(one.file) ? '; the label is doubtful' : ''}.`),
    make('div', { className: 'row' },
      button('Another class', async () => {
        const cls = await askClass(one.class);
        if (!cls) return;
        await add(cls, [{ name: baseName(one.file), content: await blob(`waiting/${one.number}/picture`) }]);
        await remove(`waiting/${one.number}`);
        await refresh();
      }, { className: 'small' }),
      button('Drop', () => remove(`waiting/${one.number}`).then(refresh), { className: 'small danger' })));
  return [make('h3', {}, `${count(waiting.length, 'picture')} of the update that was not taken`),
    make('p', { className: 'quiet' }, 'Correct or drop the wrong ones: the rest is then tried again.'),
    make('ul', { className: 'grid' }, waiting.slice(0, MOST).map(tile)),
    make('div', { className: 'row' }, button('Learn it anyway', () => learn({ force: true })))];
}

/** Pictures that show the same: one of each group is enough. */
function duplicates(pairs, kept, copies) {
  const groups = grouped(pairs.filter((pair) => !kept.has(`${pair.id} ${pair.like}`)));
  if (groups.length === 0) return [make('h3', {}, 'No two pictures show the same.')];
  const spare = groups.flatMap((group) => group.slice(1).map((sample) => sample.id));
  const tile = (group) => {
    const rest = group.slice(1);
    const names = [...new Set(group.map((sample) => sample.class))];
    return make('li', { className: 'tile' },
      make('div', { className: 'pair' }, group.slice(0, 4).map((sample) => picture({ ...sample, kept: copies.has(sample.id) }))),
      make('p', {}, names.length > 1 ? `The same picture under ${names.join(' and ')}: one of them is wrong.` : `${group.length} pictures of ${names[0]} show the same.`),
      make('div', { className: 'row' },
        can('forget') && names.length === 1 && button('Forget all but one', () => forget(rest.map((sample) => sample.id)), { className: 'small danger' }),
        names.length > 1 && group.map((sample) => can('forget') && button(`Forget ${title(sample)} of ${sample.class}`, () => forget([sample.id]), { className: 'small danger' })),
        button('Keep', () => keep(pairs.filter((pair) => group.some((sample) => sample.id === pair.id)).map((pair) => `${pair.id} ${pair.like}`)), { className: 'small' })));
  };
  const isOne = groups.every((group) => group.every((sample) => sample.class === group[0].class));
  return [make('h3', {}, `${count(spare.length, 'picture')} ${spare.length === 1 ? 'teaches' : 'teach'} nothing new`),
    isOne && can('forget') && make('div', { className: 'row' }, button(spare.length === 1 ? 'Forget this one' : `Forget these ${spare.length}`, () => forget(spare), { className: 'danger' })),
    make('ul', { className: 'grid' }, groups.slice(0, MOST).map(tile))];
}

/** Pairs joined to groups, each with the sample that stays first. */
function grouped(pairs) {
  const [root, samples] = [new Map(), new Map()];
  const of = (id) => {
    while (root.get(id) !== id) id = root.get(id);
    return id;
  };
  for (const pair of pairs) {
    samples.set(pair.like, { id: pair.like, file: pair.like_file, class: pair.like_class });
    samples.set(pair.id, { id: pair.id, file: pair.file, class: pair.class });
    for (const id of [pair.like, pair.id]) if (!root.has(id)) root.set(id, id);
    root.set(of(pair.id), of(pair.like));
  }
  const groups = new Map();
  for (const id of samples.keys()) groups.set(of(id), [...(groups.get(of(id)) ?? []), samples.get(id)]);
  return [...groups.values()].map((group) => group.sort((a, b) => a.id.localeCompare(b.id)));
}
