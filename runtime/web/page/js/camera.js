// The browser's camera.

import { find } from './dom.js';

const canvas = document.createElement('canvas');

export const video = find('video');

export async function start() {
  const size = { width: { ideal: 640 }, height: { ideal: 480 } };
  video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'environment', ...size }, audio: false });
  await video.play();
  for (const id of ['no-picture', 'picture']) find(id).hidden = true;
}

export function stop() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  video.srcObject = null;
}

/** Draws what it shows now, no larger than `shortest` at its shorter side; null where that is nothing. */
function draw(shortest) {
  const { videoWidth: width, videoHeight: height } = video;
  if (!width || !height) return null;
  const scale = Math.min(1, shortest / Math.min(width, height));
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  const context = canvas.getContext('2d', { alpha: false, willReadFrequently: true });
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return context;
}

/** The pixels of what it shows now. */
export function pixels(shortest) {
  const context = draw(shortest);
  if (!context) return null;
  const { data, width, height } = context.getImageData(0, 0, canvas.width, canvas.height);
  return { data, width, height };
}

/** What it shows now as a PNG file: its pixels are those that were seen. */
export async function picture(shortest) {
  if (!draw(shortest)) return null;
  const blob = await new Promise((done) => canvas.toBlob(done, 'image/png'));
  return new Uint8Array(await blob.arrayBuffer());
}
