// Answers as bars.

import { find, make, percent } from './dom.js';

/** So many bars are shown; of more classes the likeliest. */
const MOST = 12;
/** An answer is spoken when it has stayed for so many milliseconds. */
const STAYS = 1000;

const rows = new Map();
let last = { label: undefined, since: 0, spoken: undefined };

/** Shows an answer for the whole picture. */
export function showAnswer(answer) {
  let bars = answer.bars;
  if (bars.length > MOST) bars = [...bars].sort((a, b) => b.probability - a.probability).slice(0, MOST);
  const limit = answer.unknown_threshold;
  const shown = bars.map((bar) => ({
    name: bar.name, share: bar.probability, text: percent(bar.probability), limit, isBest: !answer.unknown && bar.name === answer.best,
  }));
  // As far as the best bar stays below the limit.
  const below = answer.unknown && limit > 0 ? Math.max(0, 1 - (answer.probability ?? 0) / limit) : 0;
  shown.push({ name: 'unknown', share: below, text: answer.unknown ? 'yes' : 'no', isBest: answer.unknown, isUnknown: true });
  draw(shown);
  const label = answer.unknown ? 'unknown' : answer.label;
  find('said').textContent = answer.unknown ? 'unknown' : `${label} · ${percent(answer.probability)}`;
  speak(label);
}

/** Shows the shares of a picture's places. */
export function showShares(shares) {
  const most = Math.max(0, ...shares.map((one) => one.share));
  draw(shares.map(({ name, share }) => ({ name, share, text: percent(share), isBest: share === most && share > 0 })));
  const best = shares.find((one) => one.share === most);
  find('said').textContent = best && most > 0 ? `${best.name} · ${percent(most)} of the picture` : '';
  speak(best?.name);
}

export function clearAnswers(why) {
  rows.clear();
  find('bars').replaceChildren();
  find('said').textContent = '';
  find('speed').textContent = why;
  last = { label: undefined, since: 0, spoken: undefined };
}

function draw(bars) {
  const key = (bar) => `${bar.isUnknown ? '?' : '='}${bar.name}`;
  const wanted = bars.map(key);
  if (wanted.join('\n') !== [...rows.keys()].join('\n')) {
    rows.clear();
    bars.forEach((bar) => rows.set(key(bar), row(bar)));
    find('bars').replaceChildren(...[...rows.values()].map((made) => made.item));
  }
  for (const bar of bars) {
    const { item, fill, number, limit } = rows.get(key(bar));
    item.classList.toggle('best', Boolean(bar.isBest));
    fill.style.width = `${100 * bar.share}%`;
    number.textContent = bar.text;
    limit.hidden = bar.limit === undefined;
    if (bar.limit !== undefined) limit.style.left = `${100 * bar.limit}%`;
  }
}

function row(bar) {
  const [fill, limit] = [make('div', { className: 'fill' }), make('div', { className: 'limit' })];
  const number = make('span', { className: 'number' });
  const item = make('li', { className: bar.isUnknown ? 'unknown' : '' },
    make('span', { className: 'name', title: bar.name }, bar.name),
    make('div', { className: 'track', 'aria-hidden': 'true' }, fill, limit), number);
  return { item, fill, number, limit };
}

/** Screen readers are told what stays, not what flickers. */
function speak(label) {
  const now = performance.now();
  if (label !== last.label) last = { ...last, label, since: now };
  if (label !== last.spoken && now - last.since >= STAYS) {
    last.spoken = label;
    find('spoken').textContent = label ? `It sees: ${label}` : '';
  }
}
