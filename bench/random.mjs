// Seeded randomness for workloads and benchmarks: xoshiro128**, seeded by splitmix32.

export function seededRandom(seed) {
  let mix = seed >>> 0;
  const next = () => {
    mix = (mix + 0x9e3779b9) >>> 0;
    let z = mix;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  };
  const state = new Uint32Array([next(), next(), next(), next()]);
  const rotate = (x, bits) => (x << bits) | (x >>> (32 - bits));

  /** Uniform in [0, 1). */
  function uniform() {
    const result = Math.imul(rotate(Math.imul(state[1], 5), 7), 9) >>> 0;
    const carried = state[1] << 9;
    state[2] ^= state[0];
    state[3] ^= state[1];
    state[1] ^= state[2];
    state[0] ^= state[3];
    state[2] ^= carried;
    state[3] = rotate(state[3], 11);
    return result / 2 ** 32;
  }

  /** Mean 0, deviation 1. */
  function gauss() {
    return Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
  }

  /** How many events happen when `mean` are expected. */
  function count(mean) {
    if (mean > 30) return Math.max(0, Math.round(mean + Math.sqrt(mean) * gauss()));
    const limit = Math.exp(-mean);
    let events = 0;
    for (let product = uniform(); product > limit; product *= uniform()) events++;
    return events;
  }

  return { uniform, gauss, count };
}
