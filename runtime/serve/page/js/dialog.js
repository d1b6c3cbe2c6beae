// Questions that need an answer before something is done.

import { find, make } from './dom.js';

/** Asks; gives the form's fields as an object, or null where it was left. `content` stands between text and buttons. */
export function question({ title, text, content = [], yes, isDanger = false }) {
  const dialog = find('dialog');
  return new Promise((done) => {
    let answer = null;
    const form = make('form', { method: 'dialog', onsubmit: () => { answer = Object.fromEntries(new FormData(form)); } },
      make('h2', { id: 'dialog-title' }, title),
      text && make('p', {}, text),
      content,
      make('div', { className: 'row' },
        yes && make('button', { className: isDanger ? 'danger' : 'first' }, yes),
        make('button', { type: 'button', onclick: () => dialog.close() }, yes ? 'Leave it' : 'Close')));
    dialog.replaceChildren(form);
    dialog.onclose = () => {
      dialog.replaceChildren();
      done(answer);
    };
    dialog.showModal();
  });
}

/** Closes the question that is open, as if it had been left; another may be asked when this is over. */
export function leave() {
  const dialog = find('dialog');
  const closed = new Promise((done) => dialog.addEventListener('close', done, { once: true }));
  dialog.close();
  return closed;
}

/** A field with its label. */
export function field(label, input) {
  input.id = `field-${input.name}`;
  return [make('label', { htmlFor: input.id }, label), input];
}

/** A list to choose a class from. */
export function classField(label, names) {
  return field(label, make('select', { name: 'class' }, names.map((name) => make('option', { value: name }, name))));
}

/** A field for a class's name, with the known ones to choose from. */
export function nameField(label, names, value = '') {
  const list = make('datalist', { id: 'names' }, names.map((name) => make('option', { value: name })));
  const input = make('input', { name: 'class', required: true, maxLength: 64, value, autocomplete: 'off' });
  input.setAttribute('list', 'names');
  return [field(label, input), list];
}
