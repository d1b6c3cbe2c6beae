// Elements, and words for numbers.

export const find = (id) => document.getElementById(id);

/** An element with what is set on it and what stands in it; `on…` are listeners, names that the element lacks are attributes. */
export function make(tag, given = {}, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...inside.flat(Infinity).filter((one) => one !== null && one !== undefined && one !== false));
  return element;
}

/** A button that cannot be pressed again while what it does goes on. */
export function button(text, does, given = {}) {
  const made = make('button', { type: 'button', ...given, onclick: async () => {
    if (made.disabled) return;
    made.disabled = true;
    try {
      await does();
    } catch (error) {
      tell(error.message);
    } finally {
      made.disabled = false;
    }
  } }, text);
  return made;
}

/** A button that asks for files. */
export function fileButton(text, label, given, does) {
  const input = make('input', { type: 'file', 'aria-label': label, ...given, onchange: async () => {
    const files = [...input.files];
    input.value = '';
    if (files.length === 0) return;
    try {
      await does(files);
    } catch (error) {
      tell(error.message);
    }
  } });
  return make('span', { className: 'button' }, text, input);
}

let fading;

/** Tells something for some seconds. */
export function tell(text) {
  find('notice').textContent = text;
  clearTimeout(fading);
  fading = setTimeout(() => { find('notice').textContent = ''; }, 8000);
}

/** Tells what is wrong until it is over; nothing takes it back. */
export function trouble(text) {
  const place = find('trouble');
  place.hidden = !text;
  if (place.textContent !== (text || '')) place.textContent = text || '';
}

export const count = (number, one, many = `${one}s`) => `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
export const percent = (share) => (share === null || share === undefined ? '–' : `${Math.round(share * 100)}\u00a0%`);

/** Seconds, with as many places as say something. */
export function seconds(value) {
  return value < 1 ? `${Math.max(1, Math.round(value * 1000))} ms` : `${value.toFixed(value < 10 ? 1 : 0)} s`;
}

export function bytes(value) {
  const units = ['bytes', 'kB', 'MB', 'GB'];
  let at = 0;
  while (value >= 1000 && at < units.length - 1) {
    value /= 1000;
    at += 1;
  }
  return `${at === 0 ? value : value.toFixed(1)} ${units[at]}`;
}

/** What a file is called, without its folder. */
export const baseName = (file) => (file || '').split('/').pop();
