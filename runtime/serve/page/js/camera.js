// Where pictures come from: the browser's camera, or the device's own.

import { blob } from './api.js';
import { find } from './dom.js';
import { known } from './known.js';

/** JPEG's quality: what a backbone sees hardly changes from here on. */
const QUALITY = 0.85;
/** A picture is so much larger than the network's input: what resizing needs, and people can still look at. */
const LARGER = 1.5;
const [SMALLEST, LARGEST] = [96, 480];

const canvas = document.createElement('canvas');

/** Draws what `shown` shows, as small as the network can use, and gives a JPEG file. */
export function shrink(shown, width, height, shortest = side()) {
  const scale = Math.min(1, shortest / Math.min(width, height));
  canvas.width = Math.round(width * scale);
  canvas.height = Math.round(height * scale);
  canvas.getContext('2d', { alpha: false }).drawImage(shown, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, 'image/jpeg', QUALITY));
}

function side() {
  const { height, width } = known.device.pack.input;
  return Math.min(LARGEST, Math.max(SMALLEST, Math.round(LARGER * Math.max(height, width))));
}

/** Browsers give the camera to secure pages only. */
export const mayAsk = () => Boolean(navigator.mediaDevices?.getUserMedia);

/** The browser's camera. */
export class BrowserCamera {
  video = find('video');
  cameras = [];

  async start(deviceId) {
    this.stop();
    const which = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: 'environment' };
    const size = { width: { ideal: 640 }, height: { ideal: 480 } };
    this.stream = await navigator.mediaDevices.getUserMedia({ video: { ...which, ...size }, audio: false });
    this.video.srcObject = this.stream;
    await this.video.play();
    const all = await navigator.mediaDevices.enumerateDevices();
    this.cameras = all.filter((one) => one.kind === 'videoinput').map((one) => one.deviceId);
    this.id = this.stream.getVideoTracks()[0].getSettings().deviceId;
  }

  stop() {
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.video.srcObject = null;
  }

  /** The next of several cameras. */
  next() {
    return this.start(this.cameras[(this.cameras.indexOf(this.id) + 1) % this.cameras.length]);
  }

  /** Waits for a frame that was not seen yet. */
  fresh() {
    return new Promise((done) => {
      const timer = setTimeout(done, 1000);
      const come = () => { clearTimeout(timer); done(); };
      if (this.video.requestVideoFrameCallback) this.video.requestVideoFrameCallback(come);
      else requestAnimationFrame(come);
    });
  }

  /** What it shows now; null where that is nothing. */
  async picture() {
    const { videoWidth: width, videoHeight: height } = this.video;
    return width && height ? shrink(this.video, width, height) : null;
  }
}

/** The device's own camera: its frames are answered there, and shown here. */
export class DeviceCamera {
  image = find('frame');
  isAsking = false;

  /** Shows the frame that was answered last, never more than one on the way. */
  async show() {
    if (this.isAsking) return;
    this.isAsking = true;
    try {
      const frame = URL.createObjectURL(await blob('camera'));
      const before = this.image.src;
      this.image.src = frame;
      await this.image.decode().catch(() => null);
      if (before.startsWith('blob:')) URL.revokeObjectURL(before);
    } catch {
      // The next frame shows whether it is over.
    } finally {
      this.isAsking = false;
    }
  }

  picture() {
    return blob('camera');
  }
}
