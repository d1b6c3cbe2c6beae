// One thread, plain vectors, in turn: Headstart's module beside onnxruntime-web and TensorFlow.js, in one page.

import * as ort from '/node_modules/onnxruntime-web/dist/ort.wasm.min.mjs';
import { Device } from '/package/headstart.js';
import { mobilenetV2 } from '/tfjs-mobilenet.mjs';

/** Each runs so long before the next one has its turn, in milliseconds. */
const TURN = 250;
const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());

/** A `.npy` file of float32, as the device takes the model's own input. */
function npy(shape, values) {
  const text = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape.join(', ')}), }`.padEnd(117) + '\n';
  const file = new Uint8Array(128 + values.byteLength);
  file.set([0x93, ...new TextEncoder().encode('NUMPY'), 1, 0, 118, 0]);
  file.set(new TextEncoder().encode(text), 10);
  file.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), 128);
  return file;
}

async function headstart(folder, shape, values) {
  const device = await Device.open(await bytes(`/prepared/${folder}/model.hspk`));
  const other = (by) => npy(shape.slice(1), values.map((value, place) => value + by * ((place * 7919) % 13)));
  device.learn({ a: { 1: other(0), 2: other(0.01) }, b: { 1: other(0.5), 2: other(0.51) } });
  return () => device.predictValues(values);
}

async function onnx(path, shape, values) {
  const session = await ort.InferenceSession.create(await bytes(path), { executionProviders: ['wasm'], graphOptimizationLevel: 'all' });
  const feeds = { [session.inputNames[0]]: new ort.Tensor('float32', values, shape) };
  return () => session.run(feeds);
}

async function tensorflow(shape, ...form) {
  const model = mobilenetV2(shape, ...form);
  const x = tf.randomNormal([1, ...shape]);
  return async () => {
    const y = tf.tidy(() => model.predict(x));
    await y.data();
    y.dispose();
  };
}

async function measure({ folder, shape, tfjs }, seconds) {
  const values = new Float32Array((await bytes(`/prepared/${folder}/input.f32`)).buffer);
  const contestants = {
    headstart: await headstart(folder, shape, values),
    'onnxruntime-web int8': await onnx(`/prepared/${folder}/int8.onnx`, shape, values),
    'onnxruntime-web float': await onnx(`/prepared/${folder}/float.onnx`, shape, values),
  };
  if (tfjs) contestants['tensorflow.js float'] = await tensorflow(...tfjs);
  const times = Object.fromEntries(Object.keys(contestants).map((name) => [name, []]));
  for (const run of Object.values(contestants)) for (let again = 0; again < 5; again += 1) await run();
  const end = performance.now() + 1000 * seconds;
  while (performance.now() < end) {
    for (const [name, run] of Object.entries(contestants)) {
      const stop = performance.now() + TURN;
      let [begun, count] = [performance.now(), 0];
      // A page's clock is coarse: of small networks some runs are timed together.
      do {
        await run();
        count += 1;
        const now = performance.now();
        if (now - begun > 5) {
          times[name].push((now - begun) / count);
          [begun, count] = [now, 0];
        }
      } while (performance.now() < stop);
    }
  }
  const median = (all) => all.sort((a, b) => a - b)[all.length >> 1];
  return Object.fromEntries(Object.entries(times).map(([name, all]) => [name, { median: median(all), least: all[0], times: all.length }]));
}

const result = { browser: navigator.userAgent };
try {
  ort.env.wasm.numThreads = 1;
  ort.env.wasm.wasmPaths = '/node_modules/onnxruntime-web/dist/';
  tf.wasm.setWasmPaths('/node_modules/@tensorflow/tfjs-backend-wasm/dist/');
  tf.wasm.setThreadsCount(1);
  await tf.setBackend('wasm');
  await tf.ready();
  result.tensorflow = `${tf.version.tfjs} ${tf.getBackend()}`;
  const seconds = Number(new URLSearchParams(location.search).get('seconds') ?? 20);
  result['MobileNetV2 224'] = await measure({ folder: 'mobilenet_v2_imagenet', shape: [1, 3, 224, 224], tfjs: [[224, 224, 3], 1, [2, 1, 2, 2, 2, 1, 2, 1], 1280] }, seconds);
  result['KWS MobileNetV2-0.15 59x49'] = await measure({ folder: 'mltk_keyword_spotting_mobilenetv2', shape: [1, 1, 59, 49], tfjs: [[59, 49, 1], 0.15, [2, 1, 2, 2, 2, 1, 2, 1], 384] }, seconds / 2);
} catch (error) {
  result.error = `${error.message}\n${error.stack}`;
}
await fetch('/result', { method: 'POST', body: JSON.stringify(result) });
