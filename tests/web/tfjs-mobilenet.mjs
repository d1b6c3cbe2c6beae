// MobileNetV2 in TensorFlow.js's layers, up to its features: the converter of its models needs TensorFlow, and what a layer takes does not
// depend on its weights. BatchNormalization is folded, as the converter does it.

const BLOCKS = [[1, 16, 1], [6, 24, 2], [6, 32, 3], [6, 64, 4], [6, 96, 3], [6, 160, 3], [6, 320, 1]];

/** Channels as the paper rounds them: a multiple of eight, and no less than nine tenths. */
function channels(count, multiplier) {
  const rounded = Math.max(8, Math.floor((count * multiplier + 4) / 8) * 8);
  return rounded < 0.9 * count * multiplier ? rounded + 8 : rounded;
}

/** `strides` are those of the stem and of each group of blocks; `features` are the last convolution's channels. */
export function mobilenetV2(shape, multiplier, strides, features) {
  const input = tf.input({ shape });
  const conv = (filters, kernelSize, stride, x, active = true) => {
    const y = tf.layers.conv2d({ filters, kernelSize, strides: stride, padding: 'same' }).apply(x);
    return active ? tf.layers.reLU({ maxValue: 6 }).apply(y) : y;
  };
  let x = conv(channels(32, multiplier), 3, strides[0], input);
  BLOCKS.forEach(([expansion, count, repeats], group) => {
    for (let block = 0; block < repeats; block += 1) {
      const [before, stride, depth] = [x, block === 0 ? strides[group + 1] : 1, x.shape[3]];
      const filters = channels(count, multiplier);
      if (expansion > 1) x = conv(expansion * depth, 1, 1, x);
      x = tf.layers.depthwiseConv2d({ kernelSize: 3, strides: stride, padding: 'same' }).apply(x);
      x = conv(filters, 1, 1, tf.layers.reLU({ maxValue: 6 }).apply(x), false);
      if (stride === 1 && depth === filters) x = tf.layers.add().apply([before, x]);
    }
  });
  x = conv(features, 1, 1, x);
  return tf.model({ inputs: input, outputs: tf.layers.globalAveragePooling2d({}).apply(x) });
}
