// How often it is right: the confusion matrix, precision and recall, and how that came about.

import { get } from './api.js';
import { curve } from './curve.js';
import { make, percent } from './dom.js';
import { question } from './dialog.js';
import { can, isTaught, watch } from './known.js';
import { fold, strip } from './samples.js';

/** Shares from which a cell is darker. */
const LEVELS = [0.001, 0.1, 0.4, 0.75];
/** So many pictures of a cell are shown. */
const MOST = 60;

export function startMatrix() {
  const folded = fold('matrix', fill);
  watch(() => {
    folded.details.hidden = !can('confusion') || !isTaught();
    folded.refill();
  });
}

async function fill() {
  const [confusion, history] = await Promise.all([get('confusion'), get('history')]);
  return [
    make('p', {}, `${percent(confusion.accuracy)} of ${confusion.samples} pictures are answered rightly by a head that was learned without them.`),
    make('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': 'Confusion matrix' }, matrix(confusion)),
    make('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': 'Precision and recall' }, scores(confusion.classes)),
    curve(history.commits),
  ];
}

function matrix({ classes, confusion, wrong }) {
  const head = make('tr', {}, make('th', { scope: 'col' }, 'shown ↓ answered →'),
    classes.map((cls) => make('th', { scope: 'col' }, cls.name)));
  const rows = classes.map((shown, row) => make('tr', {}, make('th', { scope: 'row' }, shown.name),
    classes.map((answered, column) => cell(shown, answered.name, confusion[row][column], wrong))));
  return make('table', {}, make('caption', { className: 'quiet' }, 'What was shown, and what was answered'),
    make('thead', {}, head), make('tbody', {}, rows));
}

function cell(shown, answered, number, wrong) {
  const share = shown.samples > 0 ? number / shown.samples : 0;
  const level = LEVELS.filter((from) => share >= from).length;
  const inside = number === 0 ? make('span', {}, '0') : make('button', {
    type: 'button', 'aria-label': `${number} of ${shown.name} answered as ${answered}: show them`, onclick: () => open(shown.name, answered, wrong),
  }, String(number));
  return make('td', { className: `cell level-${level}` }, inside);
}

/** The pictures of a cell. */
async function open(shown, answered, wrong) {
  const off = new Map(wrong.map((one) => [one.id, one.answer]));
  const { samples } = await get(`samples?class=${encodeURIComponent(shown)}`);
  const these = samples.filter((sample) => (off.get(sample.id) ?? shown) === answered);
  await question({
    title: shown === answered ? `${shown}, rightly answered` : `${shown}, answered as ${answered}`,
    content: [strip(these.slice(0, MOST), 'Pictures of this cell'),
      these.length > MOST && make('p', { className: 'quiet' }, `${MOST} of ${these.length} shown`)].filter(Boolean),
  });
}

function scores(classes) {
  const row = (cls) => make('tr', {}, make('th', { scope: 'row' }, cls.name),
    [cls.samples, percent(cls.precision), percent(cls.recall)].map((text) => make('td', { className: 'number' }, String(text))));
  return make('table', {},
    make('thead', {}, make('tr', {}, make('th', { scope: 'col' }, 'class'),
      ['pictures', 'precision', 'recall'].map((name) => make('th', { scope: 'col', className: 'number' }, name)))),
    make('tbody', {}, classes.map(row)));
}
