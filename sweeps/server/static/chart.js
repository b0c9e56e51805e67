// A chart in SVG: lines with markers, axes with units, linear or logarithmic; a picture of its own when saved.
import { save, show } from "./tools.js";

// Okabe and Ito's colours, told apart by every kind of eye; lines differ in dashes too.
export const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7f7f7f"];
const DASHES = ["", "7 4", "2 4", "9 3 2 3"];
const H = 400, L = 78, R = 16, T = 34, B = 56;

const esc = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[c]));

export function isGeometric(values) {
  const x = [...new Set(values)].sort((a, b) => a - b);
  return x.length > 2 && x[0] > 0 && x[x.length - 1] >= 10 * x[0] && x[1] - x[0] < 0.2 * (x[x.length - 1] - x[0]) / (x.length - 1);
}

function scale(low, high, from, to, log) {
  if (low === high) { low -= Math.abs(low) * 0.1 || 1; high += Math.abs(high) * 0.1 || 1; if (log && low <= 0) low = high / 10; }
  const f = log ? Math.log10 : (v) => v;
  const a = f(low), b = f(high);
  const at = (v) => from + (to - from) * (f(v) - a) / (b - a);
  at.ticks = log ? logTicks(low, high) : ticks(low, high);
  return at;
}

function ticks(low, high) {
  const raw = (high - low) / 5, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const out = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) out.push(Number((i * step).toPrecision(12)));
  return out;
}

function logTicks(low, high) {
  const out = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++) out.push(10 ** p);
  const inside = out.filter((v) => v >= low * 0.999 && v <= high * 1.001);
  if (inside.length >= 2) return inside;
  return ticks(low, high).filter((v) => v > 0);
}

// spec: {title, x: {title, values, log}, y: {title, log}, lines: [{name, values, colour?}]}
export function draw(box, spec) {
  const W = Math.round(Math.max(320, Math.min(640, box.clientWidth || 640)));
  const words = spec.x.values.some((v) => typeof v !== "number");
  const xs = words ? spec.x.values.map((_, i) => i) : spec.x.values;
  const order = xs.map((_, i) => i).sort((a, b) => xs[a] - xs[b]);
  const ok = (v) => typeof v === "number" && isFinite(v) && (!spec.y.log || v > 0);
  const all = spec.lines.flatMap((line) => line.values.filter(ok));
  if (!all.length) {
    box.replaceChildren(Object.assign(document.createElement("p"), { className: "quiet", textContent: "No finished point here yet." }));
    return;
  }
  const logX = !words && spec.x.log && Math.min(...xs) > 0;
  let low = Math.min(...all), high = Math.max(...all);
  if (spec.y.range) [low, high] = spec.y.range;
  else if (!spec.y.log) { const pad = (high - low) * 0.05; if (low < 0 || low - pad > 0) low -= pad; high += pad; }
  const X = scale(Math.min(...xs), Math.max(...xs), L, W - R, logX), Y = scale(low, high, H - B, T, spec.y.log);
  if (words) X.ticks = xs;
  const parts = [`<rect width="${W}" height="${H}" fill="var(--card, #fff)"/>`];
  const name = (v) => (words ? spec.x.values[v] : show(v, 6));
  // On a narrow screen labels would run into each other.
  while (X.ticks.length > W / 60) X.ticks = X.ticks.filter((_, i) => i % 2 === 0);
  for (const v of X.ticks) parts.push(`<line x1="${X(v)}" x2="${X(v)}" y1="${T}" y2="${H - B}" stroke="var(--grid, #ddd)"/>`,
    `<text x="${X(v)}" y="${H - B + 18}" text-anchor="middle">${esc(name(v))}</text>`);
  for (const v of Y.ticks) parts.push(`<line x1="${L}" x2="${W - R}" y1="${Y(v)}" y2="${Y(v)}" stroke="var(--grid, #ddd)"/>`,
    `<text x="${L - 8}" y="${Y(v) + 4}" text-anchor="end">${esc(show(v, 6))}</text>`);
  parts.push(`<rect x="${L}" y="${T}" width="${W - R - L}" height="${H - B - T}" fill="none" stroke="var(--quiet, #555)"/>`);
  spec.lines.forEach((line, k) => {
    const colour = line.colour || COLOURS[k % COLOURS.length];
    let d = "", pen = "M";
    const dots = [];
    for (const i of order) {
      const v = line.values[i];
      if (!ok(v)) { pen = "M"; continue; }
      const px = X(xs[i]).toFixed(2), py = Y(v).toFixed(2);
      d += `${pen}${px} ${py}`;
      pen = "L";
      if (order.length <= 80) dots.push(`<circle cx="${px}" cy="${py}" r="3" fill="${colour}"><title>${esc(name(xs[i]))}: ${esc(show(v, 6))}</title></circle>`);
    }
    parts.push(`<path class="line" d="${d}" fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${DASHES[Math.floor(k / 2) % 4]}"/>`, ...dots);
  });
  if (spec.lines.length > 1) spec.lines.slice(0, 12).forEach((line, k) => {
    const y = T + 16 + 17 * k, colour = line.colour || COLOURS[k % COLOURS.length];
    parts.push(`<line x1="${L + 10}" x2="${L + 34}" y1="${y - 4}" y2="${y - 4}" stroke="${colour}" stroke-width="2" stroke-dasharray="${DASHES[Math.floor(k / 2) % 4]}"/>`,
      `<text x="${L + 40}" y="${y}" stroke="var(--card, #fff)" stroke-width="4" paint-order="stroke">${esc(line.name)}</text>`);
  });
  parts.push(`<text x="${(L + W - R) / 2}" y="${H - 14}" text-anchor="middle" font-size="15">${esc(spec.x.title)}</text>`,
    `<text transform="translate(18 ${(T + H - B) / 2}) rotate(-90)" text-anchor="middle" font-size="15">${esc(spec.y.title)}</text>`,
    `<text x="${W / 2}" y="20" text-anchor="middle" font-size="${Math.min(13, (W - 12) / (0.62 * Math.max(1, (spec.title || "").length))).toFixed(1)}">${esc(spec.title || "")}</text>`);
  box.innerHTML = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${W} ${H}" font-family="DejaVu Sans, Helvetica, sans-serif" font-size="13" fill="var(--text, #111)" role="img" aria-label="${esc(`${spec.y.title} against ${spec.x.title}. ${spec.title || ""}`)}">${parts.join("")}</svg>`;
}

function text(svg) {
  // On paper the page's colours are not known.
  const { width: W } = svg.viewBox.baseVal;
  return svg.outerHTML.replace(/var\(--[a-z]+, (#[0-9a-f]+)\)/g, "$1").replace("<svg ", `<svg width="${W}" height="${H}" `);
}

export function saveSvg(svg, name) {
  save(new Blob([text(svg)], { type: "image/svg+xml" }), `${name}.svg`);
}

export async function savePng(svg, name) {
  const { width: W } = svg.viewBox.baseVal;
  const url = URL.createObjectURL(new Blob([text(svg)], { type: "image/svg+xml" }));
  const image = new Image();
  await new Promise((done, failed) => { image.onload = done; image.onerror = failed; image.src = url; });
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * W, height: 2 * H });
  canvas.getContext("2d").drawImage(image, 0, 0, 2 * W, 2 * H);
  URL.revokeObjectURL(url);
  save(await new Promise((done) => canvas.toBlob(done, "image/png")), `${name}.png`);
}
