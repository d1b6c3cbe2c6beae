// What this device is: pack, room, pictures; and its state as a file.

import { blob, post, restore } from './api.js';
import { button, bytes, count, fileButton, find, make, percent, tell } from './dom.js';
import { question } from './dialog.js';
import { can, isTaught, known, refresh, watch } from './known.js';
import { fold } from './samples.js';

export function startDevice() {
  const folded = fold('device', async () => fill());
  folded.details.hidden = false;
  watch(() => {
    summary();
    folded.refill();
  });
}

function summary() {
  const { device, status } = known;
  const kept = device.read_only ? 'Nothing is learned here (--read-only).'
    : device.keeps_samples ? 'Pictures are kept on the device.' : 'Pictures are forgotten as soon as they are learned.';
  const learned = status ? `${count(status.classes.length, 'class', 'classes')}, ${count(status.samples, 'picture')}`
    + (status.held_out_accuracy === null ? '.' : `, ${percent(status.held_out_accuracy)} right.`) : 'Nothing is learned yet.';
  find('summary').textContent = `${learned} ${kept}`;
}

function fill() {
  const { device: { pack, version, limits }, status } = known;
  const facts = [
    ['Pack', `${pack.file}, ${bytes(pack.bytes)}`], ['Model', `${pack.model}, frozen at ${pack.freeze_point}`],
    ['Backbone', pack.backbone], ['Picture', `${pack.input.height} × ${pack.input.width}, ${count(pack.features, 'feature')}`],
    ['Classes', `${known.classes.length} of at most ${pack.max_classes}`],
  ];
  if (status) {
    facts.push(['Pictures learned', `${status.cached_samples}${can('pictures') ? `; ${status.kept_samples} kept, ${bytes(status.kept_bytes)}` : ''}`],
      ['Head', `${bytes(status.head_bytes)}, by ${status.learner}`], ['"Unknown" below', percent(status.unknown_threshold)]);
    if (status.max_bytes !== null) facts.push(['Room for features', bytes(status.max_bytes)]);
  }
  facts.push(['Room for waiting pictures', bytes(limits.waiting_bytes - (known.waiting.bytes ?? 0))], ['Version', version]);
  return [
    make('dl', {}, facts.map(([name, text]) => [make('dt', {}, name), make('dd', {}, text)])),
    make('div', { className: 'row' },
      can('state') && isTaught() && make('a', { className: 'button', href: 'api/state', download: 'headstart-state.tar' }, 'Download what it learned'),
      can('restore') && fileButton('Restore', 'Restore what it learned from a file', { accept: '.tar' }, ([file]) => put(file)),
      can('export') && isTaught() && button('Export as ONNX', exported),
      can('forget') && isTaught() && button('Forget everything', forgetAll, { className: 'danger' })),
  ];
}

async function put(file) {
  const text = isTaught() ? 'It takes the place of all that was learned here.' : '';
  if (!await question({ title: `Restore ${file.name}?`, text, yes: 'Restore', isDanger: isTaught() })) return;
  await restore(file);
  tell('What the file holds is what it knows now.');
  await refresh();
}

async function exported() {
  const url = URL.createObjectURL(await blob('export'));
  make('a', { href: url, download: 'mine.onnx' }).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

async function forgetAll() {
  const text = 'Classes, pictures and history are gone then. Download what it learned first, if you may want it back.';
  if (!await question({ title: 'Forget everything?', text, yes: 'Forget everything', isDanger: true })) return;
  await post('forget', { everything: true });
  await refresh();
}
