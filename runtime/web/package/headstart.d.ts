/** The content of a file. */
export type Bytes = Uint8Array | ArrayBuffer;

/** Pictures by class and by name: `{mug: {'1.jpg': content}}`. */
export type Samples = Record<string, Record<string, Bytes>>;

/** How to learn; without an option, as the state does it, or as suits most. */
export interface LearnOptions {
  learner?: 'auto' | 'sgd' | 'ridge' | 'imprint' | 'lda';
  /** How often each new picture is shown to the backbone, 1 to 5; 0 chooses. */
  views?: number;
  /** The most false accepts, 0 to 1. */
  false_accepts?: number;
  /** Keeps weights as float16. */
  half?: boolean;
  /** The most bytes of features to keep. */
  max_bytes?: number;
  /** Keeps a copy of each sample's file in the state. */
  keep_samples?: boolean;
  /** Makes the head current even if it answers what was known before worse. */
  force?: boolean;
}

/** What was learned, as `headstart-edge learn --json` says it. */
export interface Learned {
  /** Whether it answers from now on. */
  committed: boolean;
  report: {
    samples: number;
    new_samples: number;
    classes: { name: string; samples: number }[];
    held_out_accuracy: number | null;
    learner: string;
    seconds: number;
    rejected: string | null;
    [more: string]: unknown;
  };
}

/** An answer for the whole sample. */
export interface Answer {
  /** `null` for "unknown". */
  label: string | null;
  best: string | null;
  probability: number | null;
  unknown: boolean;
  /** The probability below which it is unknown. */
  unknown_threshold: number;
  bars: { name: string; probability: number }[];
}

/** Classes of places. */
export interface Places {
  shares: { name: string; share: number }[];
  classes: string[];
  height: number;
  width: number;
}

export interface Status {
  /** Rows, columns and channels of the model's input. */
  input: [number, number, number];
  per_place: boolean;
  /** The instruction set of the kernels: `simd128`. */
  kernels: string;
  /** As `headstart-edge status --json` says it; `null` where nothing was learned yet, and the pack ships no head. */
  status: ({ classes: { name: string; samples: number }[] } & Record<string, unknown>) | null;
}

export interface OpenOptions {
  /** The module; without, `headstart.wasm` beside this file is fetched. */
  module?: BufferSource | WebAssembly.Module | Response | Promise<Response>;
  /** The files of a state, by their names in its folder. */
  state?: Record<string, Uint8Array>;
  /** Hears of long work: steps done, and of how many. */
  onStep?: (done: number, all: number) => void;
}

/** A call that was refused, in the device's words. */
export class HeadstartError extends Error {
  readonly fault: 'input' | 'caller' | 'machine';
}

/** A pack and what was learned with it, in this page's memory. Calls compute before they return: put it in a worker. */
export class Device {
  private constructor();
  static open(pack: Bytes, options?: OpenOptions): Promise<Device>;
  set onStep(tell: ((done: number, all: number) => void) | undefined);
  status(): Status;
  learn(samples: Samples, options?: LearnOptions): Learned;
  evaluate(samples: Samples): Record<string, unknown>;
  /** Answers the content of a JPEG, PNG, WebP or BMP picture, or a `.npy` array. */
  predict(content: Bytes): Answer | Places;
  /** Answers pixels as a canvas gives them. */
  predictPixels(image: ImageData): Answer | Places;
  /** Answers the model's own input values, in its own order. */
  predictValues(values: Float32Array): Answer | Places;
  features(content: Bytes): Int8Array;
  forget(what?: { classes?: string[]; samples?: string[] }): Record<string, unknown>;
  rename(from: string, to: string): Record<string, unknown>;
  relabel(samples: string[], to: string): Record<string, unknown>;
  rollback(to?: number | null): Record<string, unknown>;
  samples(of?: string | null, doubtful?: boolean): Record<string, unknown>[];
  history(): { commits: Record<string, unknown>[]; damaged: { problem: string }[] };
  confusion(): Record<string, unknown>;
  /** The files of the state: what a folder of `headstart-edge` holds. */
  state(): Record<string, Uint8Array>;
  /** The state as a tar archive, which `headstart-edge serve` restores. */
  archive(): Uint8Array;
  restore(archive: Bytes): void;
}
