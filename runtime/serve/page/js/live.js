// Live answers: one picture on its way, the newest one next, late ones dropped.

import { predict } from './api.js';
import { clearAnswers, showAnswer, showShares } from './answers.js';
import { BrowserCamera, DeviceCamera, mayAsk, shrink } from './camera.js';
import { button, fileButton, find, seconds } from './dom.js';
import { can, known, watch } from './known.js';
import { forgetClasses, showMask } from './masks.js';

/** More answers a second help nobody, and keep the device from learning. */
const EVERY = 1000 / 15;
const NOTHING = 'It has learned nothing yet.';

let source = null;
let round = 0;
/** A chosen picture is shown in place of the camera's. */
let isChosen = false;
const times = [];
let wake = () => {};

/** What takes pictures now: the browser's camera, the device's own, or null. */
export const camera = () => source;

/** Starts with the device's camera where it has one, else with the browser's. */
export function startLive() {
  watch(() => {
    forgetClasses();
    wake();
  });
  if (can('camera')) useDevice();
  else if (mayAsk()) useBrowser();
  else {
    noPicture('Browsers give the camera to secure pages only: start with --lan, or open the page on the device itself. Pictures can be chosen below.');
    offer();
  }
}

/** An answer to a frame of the device's camera. */
export function heardAnswer(answer) {
  if (!(source instanceof DeviceCamera) || isChosen) return;
  find('no-picture').hidden = true;
  source.show();
  if (answer.bars) showAnswer(answer);
  else showShares(answer.shares);
  measured(answer.seconds);
}

/** What became of the device's camera. */
export function heardCamera({ state, reason }) {
  if (!(source instanceof DeviceCamera)) return;
  if (state !== 'open') noPicture(`The device's camera ${state === 'ended' ? 'has ended' : 'is out of order'}${reason ? `: ${reason}` : '.'}`);
}

function noPicture(text) {
  find('no-picture').hidden = false;
  find('no-picture').textContent = text;
}

function become(next) {
  if (source instanceof BrowserCamera) source.stop();
  source = next;
  isChosen = false;
  round += 1;
  times.length = 0;
  find('video').hidden = !(next instanceof BrowserCamera);
  find('frame').hidden = !(next instanceof DeviceCamera);
  find('mask').hidden = true;
  document.body.dispatchEvent(new Event('camera'));
}

async function useBrowser() {
  const opened = new BrowserCamera();
  noPicture('Waiting for the camera …');
  try {
    await opened.start();
  } catch (error) {
    become(null);
    noPicture(`No camera: ${error.name === 'NotAllowedError' ? 'the browser was told not to give it.' : error.message}`);
    offer();
    return;
  }
  find('no-picture').hidden = true;
  become(opened);
  offer();
  answer(round);
}

function useDevice() {
  become(new DeviceCamera());
  find('frame').alt = 'Picture of the device\'s camera';
  noPicture('Waiting for the device\'s camera …');
  clearAnswers('');
  offer();
}

/** Buttons below the picture. */
function offer() {
  const isBrowser = source instanceof BrowserCamera;
  find('sources').replaceChildren(...[
    can('camera') && isBrowser && button('Use the device\'s camera', useDevice),
    mayAsk() && !isBrowser && button('Use this browser\'s camera', useBrowser),
    isBrowser && source.cameras.length > 1 && button('Other camera', () => source.next()),
    fileButton('Ask about a picture', 'Ask about a picture', { accept: 'image/*' }, ([file]) => askAbout(file)),
    !isBrowser && !can('camera') && fileButton('Take one and ask', 'Take a picture and ask about it',
      { accept: 'image/*', capture: 'environment' }, ([file]) => askAbout(file)),
  ].filter(Boolean));
}

/** Answers a chosen picture, and shows both until somebody goes back to the camera. */
async function askAbout(file) {
  const bitmap = await createImageBitmap(file).catch(() => { throw new Error(`${file.name} is no picture.`); });
  const picture = await shrink(bitmap, bitmap.width, bitmap.height);
  round += 1;
  isChosen = true;
  const [image, video] = [find('frame'), find('video')];
  image.src = URL.createObjectURL(picture);
  image.alt = file.name;
  [image.hidden, video.hidden] = [false, true];
  find('no-picture').hidden = true;
  await show(picture);
  find('speed').replaceChildren(`${file.name} `, ...(source ? [button('Back to the camera', back, { className: 'small' })] : []));
}

async function back() {
  if (source instanceof DeviceCamera) return useDevice();
  become(source);
  await source.start(source.id);
  answer(round);
}

async function show(picture) {
  if (known.device.pack.kind === 'places') return showMask(picture);
  const said = await predict(picture);
  showAnswer(said);
  return said.seconds;
}

/** Answers what the browser's camera shows, until another round begins. */
async function answer(mine) {
  while (mine === round) {
    const begun = performance.now();
    try {
      await source.fresh();
      const picture = document.hidden ? null : await source.picture();
      if (mine !== round) return;
      if (picture) measured(await show(picture));
    } catch (error) {
      if (error.status === 404) {
        clearAnswers(NOTHING);
        await paused(5000);
      } else {
        // Too much at once, or the device is away: that frame is left out.
        if (error.status !== 503) find('speed').textContent = error.message;
        await paused(1000 * (error.after ?? 1));
      }
    }
    const left = EVERY - (performance.now() - begun);
    if (left > 0) await new Promise((done) => setTimeout(done, left));
  }
}

/** Waits, but no longer than until something was learned. */
function paused(time) {
  return new Promise((done) => {
    const timer = setTimeout(done, time);
    wake = () => { clearTimeout(timer); done(); };
  });
}

/** Counts answers of the last two seconds. */
function measured(taken) {
  const now = performance.now();
  times.push(now);
  while (times[0] < now - 2000) times.shift();
  const span = (now - times[0]) / 1000;
  const rate = span > 0.5 ? (times.length - 1) / span : null;
  const place = find('speed');
  place.dataset.rate = rate ?? '';
  place.textContent = [rate && `${rate.toFixed(0)} answers a second`, taken && `${seconds(taken)} each`].filter(Boolean).join(', ');
}
