// Pictures that were learned: what they show, and what can be done with them.

import { post } from './api.js';
import { baseName, button, find, make, tell } from './dom.js';
import { leave, nameField, question } from './dialog.js';
import { can, known, refresh } from './known.js';

/** What a sample is called. */
export const title = (sample) => (sample.file ? baseName(sample.file) : `sample ${sample.id.slice(0, 8)}`);

/** A sample's picture, or its name where no copy is kept. */
export function picture(sample, alt = `${sample.class}: ${title(sample)}`) {
  if (!sample.kept) return make('div', { className: 'missing' }, title(sample));
  return make('img', { src: `api/samples/${sample.id}/thumbnail`, alt, loading: 'lazy', decoding: 'async' });
}

/** Gives samples another class. */
export async function relabel(ids, cls) {
  await post('relabel', { samples: ids, class: cls });
  tell(`Learned again as ${cls}.`);
  await refresh();
}

/** Forgets samples. */
export async function forget(ids) {
  await post('forget', { samples: ids });
  tell(ids.length === 1 ? 'The picture is forgotten.' : `${ids.length} pictures are forgotten.`);
  await refresh();
}

/** Asks for the class that a picture shows; null where nobody knows. */
export async function askClass(current) {
  const names = known.classes.map((cls) => cls.name).filter((name) => name !== current);
  const given = await question({
    title: 'What does it show?', content: nameField('Class, known or new', names), yes: 'Relabel',
  });
  return given && given.class.trim();
}

/** Shows one sample large, with what can be done. */
export function open(sample) {
  const does = (action) => async () => {
    await leave();
    await action();
  };
  question({
    title: title(sample),
    text: sample.answer && sample.answer !== sample.class
      ? `Filed as ${sample.class}; without it the others say ${sample.answer}.` : `Filed as ${sample.class}.`,
    content: [
      sample.kept
        ? make('img', { src: `api/samples/${sample.id}/picture`, alt: `${sample.class}: ${title(sample)}` })
        : make('p', { className: 'missing' }, 'No copy of this picture is kept.'),
      make('div', { className: 'row' },
        can('relabel') && button('Relabel', does(async () => {
          const cls = await askClass(sample.class);
          if (cls) await relabel([sample.id], cls);
        })),
        can('forget') && button('Forget', does(() => forget([sample.id])), { className: 'danger' })),
    ],
  });
}

/** A list of samples as small pictures that open. */
export function strip(samples, label) {
  const one = (sample) => make('li', {}, make('button', {
    type: 'button', 'aria-label': `${sample.class}: ${title(sample)}`, onclick: () => open(sample),
  }, picture(sample, '')));
  return make('ul', { className: 'thumbs', 'aria-label': label }, samples.map(one));
}

/** Something that lies folded, is filled when it is opened, and again after a change while it is open. */
export function fold(id, fill) {
  const details = find(id);
  const body = details.lastElementChild;
  let round = 0;
  const refill = async () => {
    if (!details.open || details.hidden) return;
    const mine = (round += 1);
    if (!body.hasChildNodes()) body.append(make('p', { className: 'quiet' }, 'Asking the device …'));
    let made;
    try {
      made = await fill();
    } catch (error) {
      made = [make('p', { className: 'quiet' }, error.message)];
    }
    // A newer one has come meanwhile.
    if (mine !== round) return;
    const hadFocus = body.contains(document.activeElement);
    body.replaceChildren(...made.flat(Infinity).filter(Boolean));
    // What was pressed is gone: the keyboard goes on from the heading.
    if (hadFocus) details.firstElementChild.focus({ preventScroll: true });
  };
  details.addEventListener('toggle', refill);
  return { details, refill };
}
