// Colours of status, lines and numbers, for all kinds of colour vision.

// Okabe and Ito's colours, the light ones darkened to stand out from white; lines differ in dashes and markers too.
export const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#B0608F", "#B07A00", "#3A8DC4", "#7f7f7f"];

export const STATES = { ok: "#009E73", running: "#56B4E9", missing: "#b9c0c7", error: "#D55E00", not_converged: "#E69F00",
  timeout: "#CC79A7", lost: "#8c510a", memory: "#7b3294", nan: "#a6611a" };
export const colourOf = (status) => STATES[status] || "#333333";

// Seventeen colours of the map of the figures, `MAP` of sweeps/figures/style.py; a test compares them.
export const MAP = ["#00224e", "#002e6a", "#1a386f", "#32436d", "#434e6c", "#535a6d", "#61656f", "#6f7073", "#7d7c78",
  "#8c8878", "#9b9476", "#aba072", "#bcae6c", "#cdbb63", "#dec958", "#f0d846", "#fee838"];

export const rgb = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));

// 256 colours between those of `MAP`, as ImageData has them in a Uint32Array.
export const RAMP = Uint32Array.from({ length: 256 }, (_, k) => {
  const at = (k / 255) * (MAP.length - 1), i = Math.min(MAP.length - 2, Math.floor(at));
  const [a, b] = [rgb(MAP[i]), rgb(MAP[i + 1])];
  return pixel(a.map((v, c) => Math.round(v + (b[c] - v) * (at - i))));
});

// Little-endian, as every machine with a browser is.
export function pixel([r, g, b]) { return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0; }
