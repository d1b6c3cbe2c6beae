// A state as one file: ustar, the files sorted by name, readable by their owner, without times: as `headstart-edge serve` writes it.

const BLOCK = 512;

/** An archive of files, `{name: content}`. */
export function pack(files) {
  const names = Object.keys(files).sort();
  const room = names.reduce((sum, name) => sum + BLOCK + padded(files[name].length), 2 * BLOCK);
  const archive = new Uint8Array(room);
  let at = 0;
  for (const name of names) {
    archive.set(header(name, files[name].length), at);
    archive.set(files[name], at + BLOCK);
    at += BLOCK + padded(files[name].length);
  }
  return archive;
}

/** The plain files of an archive. */
export function unpack(archive) {
  const files = {};
  const text = (from, length) => {
    const bytes = archive.subarray(from, from + length);
    const end = bytes.indexOf(0);
    return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end));
  };
  let at = 0;
  while (at + BLOCK <= archive.length && archive[at] !== 0) {
    const size = Number.parseInt(text(at + 124, 12), 8);
    const kind = String.fromCharCode(archive[at + 156]);
    const name = text(at, 100);
    const sum = Number.parseInt(text(at + 148, 8), 8);
    if (sum !== checkSum(archive.subarray(at, at + BLOCK)) || !(size >= 0)) throw new Error('the file is no archive of a state');
    if (at + BLOCK + size > archive.length) throw new Error(`${name}: the archive is cut`);
    if ((kind !== '0' && kind !== '\0') || !isOurs(name)) throw new Error(`${name} is no file of a state`);
    files[name] = archive.slice(at + BLOCK, at + BLOCK + size);
    at += BLOCK + padded(size);
  }
  const end = archive.subarray(archive.length - 2 * BLOCK);
  if (archive.length < 2 * BLOCK || end.some((byte) => byte !== 0)) throw new Error('the file does not end as an archive does');
  return files;
}

function isOurs(name) {
  return /^(head\.hshr|features\.hsfc|names\.hssn|rejected\.hsco|commit-[0-9a-f]+\.hsco|added-[0-9a-f]+\.hsfc|kept-samples\/[0-9a-f]{32}\.(jpg|png|webp|bmp|npy))$/.test(name);
}

function padded(length) {
  return Math.ceil(length / BLOCK) * BLOCK;
}

function header(name, size) {
  const block = new Uint8Array(BLOCK);
  const write = (at, text) => block.set(new TextEncoder().encode(text), at);
  const octal = (number, digits) => number.toString(8).padStart(digits, '0');
  write(0, name);
  write(100, octal(0o600, 7));
  write(124, octal(size, 11));
  write(136, octal(0, 11));
  write(156, '0');
  write(257, 'ustar\x0000');
  write(148, `${octal(checkSum(block), 6)}\0 `);
  return block;
}

/** The sum of a header's bytes; its own place counts as spaces. */
function checkSum(block) {
  return block.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
}
