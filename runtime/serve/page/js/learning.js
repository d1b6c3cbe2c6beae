// What learning does, and what it did.

import { getOr, learn, post, remove } from './api.js';
import { button, count, find, make, percent, seconds } from './dom.js';
import { can, known, watch } from './known.js';
import { openDoubts } from './doubts.js';

const WORK = { features: 'Looking at the pictures', features_again: 'Looking at them again', training: 'Training', reporting: 'Checking' };

let last = null;

export async function startLearning() {
  last = await getOr('learned', null);
  watch(show);
  show();
}

/** A learn begins or comes on. */
export function heardLearning({ work, done, steps, loss }) {
  const bar = find('progress');
  bar.hidden = false;
  if (steps > 0) [bar.max, bar.value] = [steps, done];
  bar.setAttribute('aria-valuetext', `${WORK[work] ?? 'Learning'}: ${done} of ${steps}`);
  find('learning').hidden = false;
  if (work === 'training') {
    delete find('learned').dataset.text;
    find('learned').replaceChildren(make('p', {}, `Training: epoch ${done} of ${steps}${loss === undefined ? '' : `, loss ${loss.toFixed(3)}`}.`));
    // Between two epochs it stays the same button: a press takes longer than some.
    const actions = find('learning-actions');
    if (!actions.querySelector('.stop')) actions.replaceChildren(button('Stop', () => post('stop'), { className: 'stop' }));
  }
}

/** A learn is over. */
export function heardLearned(learned) {
  last = learned;
  find('progress').hidden = true;
  show();
}

function show() {
  const { held, pictures } = known.waiting;
  const [lines, actions] = [[], []];
  if (last?.outcome === 'committed') lines.push(...committed(last.report));
  if (held === 'rejected' && last?.outcome === 'rejected') {
    lines.length = 0;
    lines.push(make('p', { className: 'rejected' }, `Not learned: ${last.report.rejected}`),
      make('p', { className: 'quiet' }, `${count(pictures, 'picture')} wait. What was learned before still answers.`));
    actions.push(button('Look at the doubtful ones', openDoubts, { className: 'first' }),
      button('Learn it anyway', () => learn({ force: true })), drop());
  } else if (held === 'failed' && last?.outcome === 'failed') {
    lines.length = 0;
    lines.push(make('p', { className: 'rejected' }, `Not learned: ${last.error}`));
    actions.push(button(can('training') ? 'Go on' : 'Try again', () => learn(), { className: 'first' }), drop());
  } else if (held === 'asked') {
    lines.push(make('p', {}, `${count(pictures, 'picture')} wait.`));
    actions.push(button('Learn them', () => learn(), { className: 'first' }), drop());
  }
  find('learning').hidden = lines.length === 0 && find('progress').hidden;
  // What is said already is not said again, and a button that has the focus stays.
  const buttons = can('learn') ? actions : [];
  const text = [...lines, ...buttons].map((one) => one.textContent).join('\n');
  const place = find('learned');
  if (place.dataset.text === text) return;
  place.dataset.text = text;
  place.replaceChildren(...lines);
  find('learning-actions').replaceChildren(...buttons);
}

const drop = () => button('Drop these pictures', () => remove('waiting'), { className: 'danger' });

function committed(report) {
  const lines = [make('p', {}, `Learned ${count(report.new_samples, 'new picture')} in ${seconds(report.seconds)}.`
    + (report.held_out_accuracy === null ? '' : ` Held-out accuracy: ${percent(report.held_out_accuracy)}.`))];
  const more = [];
  const before = report.known_samples;
  if (before?.held_out > 0) {
    const change = before.right_after - before.right_before;
    more.push(`Of ${count(before.held_out, 'known picture')} ${before.right_before} were answered rightly before, ${before.right_after} now`
      + `${change === 0 ? '' : ` (${change > 0 ? '+' : '−'}${Math.abs(change)})`}.`);
  }
  if (report.corrected_samples > 0) more.push(`${count(report.corrected_samples, 'picture')} got another class.`);
  if (report.duplicate_samples > 0) more.push(`${count(report.duplicate_samples, 'picture')} came twice.`);
  if (report.near_duplicates?.length > 0) more.push(`${count(report.near_duplicates.length, 'picture')} show what others show already.`);
  if (report.set_aside?.length > 0) more.push(`${count(report.set_aside.length, 'picture')} set aside: their labels are doubtful.`);
  for (const bad of (report.bad_files ?? []).slice(0, 3)) more.push(`${bad.file}: ${bad.error}`);
  for (const pair of (report.look_alike ?? []).slice(0, 3)) more.push(`${pair.join(' and ')} look alike.`);
  return [...lines, ...more.map((text) => make('p', { className: 'quiet' }, text))];
}
