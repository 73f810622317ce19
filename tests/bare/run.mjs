// Runs the program: node run.mjs FILE.wasm
import { readFile } from "node:fs/promises";

const decoder = new TextDecoder();
const write = (bytes, len) =>
  process.stdout.write(decoder.decode(new Uint8Array(instance.exports.memory.buffer, bytes, len)));
const { instance } = await WebAssembly.instantiate(await readFile(process.argv[2]), { env: { write } });
instance.exports._start();
