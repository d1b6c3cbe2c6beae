// A small ONNX network with random weights, of the kinds of nodes that the carried model has not: activations of several forms, a
// squeeze-and-excite block, maps that are resized, concatenated and pooled.

/** Bytes of a protocol buffer. */
function varint(number) {
  const bytes = [];
  for (; number > 127; number = Math.floor(number / 128)) bytes.push((number % 128) | 128);
  return Buffer.from([...bytes, number]);
}

/** A field: a whole number, a text or bytes. */
function field(number, value) {
  if (typeof value === 'number') return Buffer.concat([varint(number * 8), varint(value)]);
  const bytes = Buffer.from(value);
  return Buffer.concat([varint(number * 8 + 2), varint(bytes.length), bytes]);
}

const fields = (number, values) => Buffer.concat(values.map((value) => field(number, value)));
const [FLOAT, INTEGERS, TEXT] = [1, 7, 3];

function attribute(name, value) {
  const form = typeof value === 'string' ? [field(4, value), TEXT]
    : Array.isArray(value) ? [fields(8, value), INTEGERS] : [field(3, value), 2];
  return Buffer.concat([field(1, name), form[0], field(20, form[1])]);
}

/** Numbers from −1 to 1, the same on every run. */
function draw(seed) {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  };
}

class Model {
  nodes = [];
  constants = [];
  number = draw(7);

  node(op, inputs, attributes = {}) {
    const output = `${op}.${this.nodes.length}`;
    const said = Object.entries(attributes).map(([name, value]) => attribute(name, value));
    this.nodes.push(Buffer.concat([fields(1, inputs), field(2, output), field(3, output), field(4, op), fields(5, said)]));
    return output;
  }

  constant(shape, values) {
    const name = `constant.${this.constants.length}`;
    this.constants.push(Buffer.concat([fields(1, shape), field(2, FLOAT), field(8, name), field(9, new Uint8Array(Float32Array.from(values).buffer))]));
    return name;
  }

  weights(shape) {
    const each = shape.slice(1).reduce((product, extent) => product * extent, 1);
    return this.constant(shape, Array.from({ length: shape[0] * each }, () => this.number() * (3 / each) ** 0.5));
  }

  /** A convolution of `shape`, `[out, in / groups, rows, columns]`. */
  convolution(x, shape, stride = 1, group = 1) {
    const pad = shape[2] >> 1;
    const bias = this.constant([shape[0]], Array.from({ length: shape[0] }, () => this.number() / 4));
    return this.node('Conv', [x, this.weights(shape), bias], { strides: [stride, stride], pads: [pad, pad, pad, pad], kernel_shape: shape.slice(2), group });
  }

  emit(inputs, outputs) {
    const value = ([name, shape]) => {
      const dims = fields(1, shape.map((extent) => field(1, extent)));
      return Buffer.concat([field(1, name), field(2, field(1, Buffer.concat([field(1, FLOAT), field(2, dims)])))]);
    };
    const graph = Buffer.concat([fields(1, this.nodes), field(2, 'network'), fields(5, this.constants), fields(11, inputs.map(value)), fields(12, outputs.map(value))]);
    return Buffer.concat([field(1, 8), field(2, 'tests'), field(7, graph), field(8, Buffer.concat([field(1, ''), field(2, 14)]))]);
  }
}

/** The file of a network that sees 32 × 32 pixels. */
export function network() {
  const model = new Model();
  const swish = (x) => model.node('HardSwish', [x]);
  let x = swish(model.convolution('image', [12, 3, 3, 3], 2));
  const wide = model.convolution(x, [20, 12, 1, 1]);
  x = model.node('Mul', [wide, model.node('Sigmoid', [wide])]);
  x = model.node('PRelu', [model.convolution(x, [20, 1, 5, 5], 2, 20), model.constant([20, 1, 1], Array.from({ length: 20 }, () => model.number() / 2))]);
  let squeezed = model.node('GlobalAveragePool', [x]);
  squeezed = model.node('Relu', [model.convolution(squeezed, [5, 20, 1, 1])]);
  squeezed = model.node('HardSigmoid', [model.convolution(squeezed, [20, 5, 1, 1])]);
  x = model.node('Mul', [x, squeezed]);
  const small = model.node('MaxPool', [x], { kernel_shape: [2, 2], strides: [2, 2] });
  const deep = model.node('LeakyRelu', [model.convolution(small, [24, 20, 3, 3])]);
  const twice = model.node('Resize', [deep, '', model.constant([4], [1, 1, 2, 2])], { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' });
  const between = model.node('Resize', [deep, '', model.constant([4], [1, 1, 2, 2])], { mode: 'linear', coordinate_transformation_mode: 'half_pixel' });
  x = model.node('Concat', [x, model.node('Tanh', [twice]), between], { axis: 1 });
  x = model.node('Add', [swish(model.convolution(x, [33, 68, 1, 1])), model.convolution(x, [33, 68, 1, 1])]);
  const features = model.node('Flatten', [model.node('GlobalAveragePool', [x])]);
  const logits = model.node('Gemm', [features, model.weights([4, 33]), model.constant([4], [0, 0, 0, 0])], { transB: 1 });
  return model.emit([['image', [1, 3, 32, 32]]], [[logits, [1, 4]]]);
}
