// A lesson in TypeScript, as a page would write it: held against the package's types, not run.

import { Device, HeadstartError } from 'headstart-web';
import type { Answer, Learned, LearnOptions, Places, Samples, Status } from 'headstart-web';

const isOfPlaces = (answer: Answer | Places): answer is Places => 'shares' in answer;

export async function lesson(pack: ArrayBuffer, pictures: Samples, camera: ImageData): Promise<string> {
  const device = await Device.open(pack, { module: fetch('headstart.wasm'), onStep: (done, all) => console.log(done / all) });
  device.onStep = undefined;
  const before: Status = device.status();
  const [height, width, channels]: [number, number, number] = before.input;
  const options: LearnOptions = { learner: 'ridge', false_accepts: 0.01, keep_samples: true };
  const learned: Learned = device.learn(pictures, options);
  if (!learned.committed) throw new Error(learned.report.rejected ?? 'rejected');
  const answer = device.predictPixels(camera);
  const values = device.predictValues(new Float32Array(height * width * channels));
  const features: Int8Array = device.features(pack);
  console.log(values, features.length, device.evaluate(pictures), device.confusion());
  device.rename('cup', 'mug');
  device.relabel(device.samples('mug', true).map((sample) => String(sample.id)), 'jar');
  device.forget({ classes: ['jar'] });
  device.rollback();
  device.rollback(device.history().commits.length);
  const archive: Uint8Array = device.archive();
  device.restore(archive);
  const again = await Device.open(pack, { state: device.state() });
  if (isOfPlaces(answer)) return answer.shares.map(({ name, share }) => `${name} ${share}`).join();
  const said: string = answer.unknown ? 'unknown' : (answer.label ?? '');
  return `${said} ${answer.probability?.toFixed(2)} of ${again.samples().length}`;
}

export const faultOf = (error: unknown): 'input' | 'caller' | 'machine' | null => (error instanceof HeadstartError ? error.fault : null);

export async function refusedByTypes(device: Device): Promise<void> {
  // @ts-expect-error A learner that is none.
  device.learn({}, { learner: 'best' });
  // @ts-expect-error An answer may be one of places.
  device.predict(new Uint8Array()).label;
  // @ts-expect-error A device is opened, not made.
  new Device();
}
