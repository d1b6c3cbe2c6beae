// The commits, and the way back.

import { getOr, post } from './api.js';
import { button, make, percent, tell } from './dom.js';
import { can, isTaught, refresh, watch } from './known.js';
import { fold } from './samples.js';

export function startHistory() {
  const folded = fold('history', fill);
  watch(() => {
    folded.details.hidden = !isTaught() && folded.details.hidden;
    folded.refill();
  });
}

async function fill() {
  const history = await getOr('history', { commits: [], damaged: [], rejected: null });
  if (history.commits.length === 0) return [make('p', { className: 'quiet' }, 'Nothing was learned yet.')];
  const rows = [...history.commits].sort((a, b) => b.number - a.number).map(row);
  const head = ['number', 'what', 'pictures', 'held-out', ''].map((text, at) =>
    make(text ? 'th' : 'td', { scope: text ? 'col' : undefined, className: at === 2 || at === 3 ? 'number' : '' }, text));
  return [
    make('div', { className: 'scroll', tabIndex: 0, role: 'region', 'aria-label': 'Commits' },
      make('table', {}, make('thead', {}, make('tr', {}, head)), make('tbody', {}, rows))),
    history.rejected && make('p', { className: 'quiet' }, `Not taken: ${history.rejected.note}.`),
    ...(history.damaged ?? []).map((one) => make('p', { className: 'rejected' }, `Commit ${one.number} is damaged: ${one.problem}`)),
  ];
}

function row(commit) {
  const back = commit.current ? 'current'
    : commit.returnable && can('rollback') && button('Go back', () => rollback(commit.number), { className: 'small', 'aria-label': `Go back to commit ${commit.number}` });
  return make('tr', { 'data-number': commit.number }, make('th', { scope: 'row' }, String(commit.number)), make('td', {}, commit.note),
    make('td', { className: 'number' }, String(commit.samples)), make('td', { className: 'number' }, percent(commit.held_out_accuracy)),
    make('td', {}, back || ''));
}

async function rollback(to) {
  await post('rollback', { to });
  tell(`Back at commit ${to}.`);
  await refresh();
}
