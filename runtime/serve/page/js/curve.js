// Held-out accuracy over commits, as a line.

import { percent } from './dom.js';

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [480, 180, 48, 28];

function shape(tag, given, text) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const [name, value] of Object.entries(given)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

/** A line through the commits whose accuracy is known; null for fewer than two. */
export function curve(commits) {
  const known = commits.filter((commit) => commit.held_out_accuracy !== null).sort((a, b) => a.number - b.number);
  if (known.length < 2) return null;
  const [first, last] = [known[0], known.at(-1)];
  const x = (commit) => LEFT + (WIDTH - LEFT - 16) * (commit.number - first.number) / (last.number - first.number);
  const y = (share) => 12 + (HEIGHT - BOTTOM - 12) * (1 - share);
  const made = shape('svg', {
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: 'curve', role: 'img',
    'aria-label': `Held-out accuracy from commit ${first.number}, ${percent(first.held_out_accuracy)}, to commit ${last.number}, ${percent(last.held_out_accuracy)}`,
  });
  for (const share of [0, 0.5, 1]) {
    made.append(shape('line', { x1: LEFT, x2: WIDTH - 8, y1: y(share), y2: y(share) }),
      shape('text', { x: LEFT - 6, y: y(share) + 4, 'text-anchor': 'end' }, percent(share)));
  }
  made.append(shape('polyline', { points: known.map((commit) => `${x(commit)},${y(commit.held_out_accuracy)}`).join(' ') }));
  for (const commit of known) {
    const point = shape('circle', { cx: x(commit), cy: y(commit.held_out_accuracy), r: 3.5 });
    point.append(shape('title', {}, `Commit ${commit.number}: ${commit.note}, ${percent(commit.held_out_accuracy)} of ${commit.samples} pictures`));
    made.append(point);
  }
  made.append(shape('text', { x: LEFT, y: HEIGHT - 8 }, `commit ${first.number}`),
    shape('text', { x: WIDTH - 8, y: HEIGHT - 8, 'text-anchor': 'end' }, `commit ${last.number}`));
  return made;
}
