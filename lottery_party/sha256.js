// SHA-256 and HMAC (FIPS 180-4, RFC 2104). A file page of some phones has no crypto.subtle.

const PRIMES = [];
for (let n = 2; PRIMES.length < 64; n++) if (PRIMES.every(prime => n % prime)) PRIMES.push(n);
const fraction = root => Math.floor((root - Math.floor(root)) * 2 ** 32) | 0;
const START = PRIMES.slice(0, 8).map(prime => fraction(Math.sqrt(prime)));
const ROUND = PRIMES.map(prime => fraction(Math.cbrt(prime)));
const WORDS = new Int32Array(64);

function compress(state, bytes, from) {
  for (let t = 0, at = from; t < 16; t++, at += 4) {
    WORDS[t] = bytes[at] << 24 | bytes[at + 1] << 16 | bytes[at + 2] << 8 | bytes[at + 3];
  }
  for (let t = 16; t < 64; t++) {
    const x = WORDS[t - 15], y = WORDS[t - 2];
    WORDS[t] = WORDS[t - 16] + WORDS[t - 7] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3)
      + ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10) | 0;
  }
  let a = state[0], b = state[1], c = state[2], d = state[3], e = state[4], f = state[5], g = state[6], h = state[7];
  for (let t = 0; t < 64; t++) {
    const first = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) + (e & f ^ ~e & g)
      + ROUND[t] + WORDS[t] | 0;
    const second = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c) | 0;
    h = g; g = f; f = e; e = d + first | 0; d = c; c = b; b = a; a = first + second | 0;
  }
  return [a + state[0] | 0, b + state[1] | 0, c + state[2] | 0, d + state[3] | 0, e + state[4] | 0, f + state[5] | 0,
    g + state[6] | 0, h + state[7] | 0];
}

function sha256(bytes, state = START, before = 0) {  // `before` bytes have led to the state
  const padded = new Uint8Array((bytes.length + 72) >> 6 << 6);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  const bits = (before + bytes.length) * 8, view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(bits / 2 ** 32));
  view.setUint32(padded.length - 4, bits >>> 0);
  for (let from = 0; from < padded.length; from += 64) state = compress(state, padded, from);
  state.forEach((word, at) => view.setInt32(at * 4, word));
  return padded.slice(0, 32);
}

function hmac(key) {
  const block = new Uint8Array(64);
  block.set(key.length > 64 ? sha256(key) : key);
  const [inner, outer] = [0x36, 0x5c].map(pad => compress(START, block.map(byte => byte ^ pad), 0));
  return message => sha256(sha256(message, inner, 64), outer, 64);
}

const encoder = new TextEncoder();
const utf8 = text => encoder.encode(text);
const PAIRS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
const hex = bytes => Array.from(bytes, byte => PAIRS[byte]).join("");
const unhex = text => Uint8Array.from(text.match(/../g) || [], pair => parseInt(pair, 16));
