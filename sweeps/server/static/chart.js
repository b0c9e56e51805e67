// A chart in SVG: lines with markers, axes with units, linear or logarithmic; a picture of its own when saved.
import { save, show } from "./tools.js";

// Okabe and Ito's colours, told apart by every kind of eye, the light ones darkened to stand out from white; lines differ
// in dashes too.
export const COLOURS = ["#0072B2", "#D55E00", "#009E73", "#B0608F", "#B07A00", "#3A8DC4", "#7f7f7f"];
const DASHES = ["", "7 4", "2 4", "9 3 2 3"];
const PLOT = 300, R = 18, B = 56, LINE = 18, LETTER = 7.6;

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

// A number as print has it: a minus, and powers of ten raised; of an axis all alike, by its largest.
function print(v, largest = Math.abs(v)) {
  const [digits, power] = (v && (largest < 1e-3 || largest >= 1e6) ? v.toExponential(3) : show(v, 6)).split("e");
  const raised = power && [...String(Number(power))].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"["0123456789-".indexOf(c)]).join("");
  const mantissa = String(Number(digits)).replace("-", "−");
  return !power ? mantissa : mantissa === "1" ? `10${raised}` : `${mantissa}·10${raised}`;
}

// Items one after the other in rows no wider than W; each with its place.
function rows(items, W, width) {
  let x = 0, row = 0;
  return items.map((item) => {
    if (x && x + width(item) > W) { x = 0; row += 1; }
    x += width(item);
    return { item, x: x - width(item), row };
  });
}

// spec: {title: [words], x: {title, values, log}, y: {title, log, range}, legend, lines: [{name, values, colour?}], none};
// whether there was anything to draw.
export function draw(box, spec) {
  const W = Math.round(Math.max(320, Math.min(640, box.clientWidth || 640)));
  const categories = spec.x.values.some((v) => typeof v !== "number");
  const xs = categories ? spec.x.values.map((_, i) => i) : spec.x.values;
  const order = xs.map((_, i) => i).sort((a, b) => xs[a] - xs[b]);
  const number = (v) => typeof v === "number" && isFinite(v), ok = (v) => number(v) && (!spec.y.log || v > 0);
  const lines = spec.lines.map((line, k) => ({ ...line, k, colour: line.colour || COLOURS[k % COLOURS.length],
    dash: DASHES[Math.floor(k / COLOURS.length) % 4] })).filter((line) => line.values.some(ok));
  const all = lines.flatMap((line) => line.values.filter(ok));
  if (!all.length) {
    const text = spec.lines.some((line) => line.values.some(number)) ? "No positive value to show on a log scale." : spec.none;
    box.replaceChildren(Object.assign(document.createElement("p"), { className: "quiet", textContent: text }));
    return false;
  }
  const logX = !categories && spec.x.log && Math.min(...xs) > 0;
  let low = Math.min(...all), high = Math.max(...all);
  if (spec.y.range) [low, high] = spec.y.range;
  else if (spec.y.log) { const pad = (high / low) ** 0.04; low /= pad; high *= pad; }
  else { const pad = (high - low) * 0.05; if (low < 0 || low - pad > 0) low -= pad; high += pad; }

  // Words above the plot, so that they hide nothing of it.
  const title = [];
  for (const { item, row } of rows(spec.title || [], W, (t) => LETTER * (t.length + 2))) (title[row] ||= []).push(item);
  const legend = spec.lines.length > 1 ? rows([{ name: spec.legend || "" }, ...lines], W - 30, (l) => LETTER * l.name.length + (l.values ? 48 : 8)) : [];
  const T = 14 + LINE * (title.length + (legend.length ? legend[legend.length - 1].row + 1 : 0)), H = T + PLOT + B;

  const Y = scale(low, high, T + PLOT, T, spec.y.log);
  const most = (at, log) => (log ? undefined : Math.max(...at.ticks.map(Math.abs)));
  const side = (v) => print(v, most(Y, spec.y.log));
  const L = 40 + Math.max(...Y.ticks.map((v) => LETTER * side(v).length), 14);
  const X = scale(Math.min(...xs), Math.max(...xs), L, W - R, logX);
  if (categories) X.ticks = xs;
  const name = (v) => (categories ? show(spec.x.values[v]) : print(v, most(X, logX)));
  // On a narrow screen labels would run into each other.
  const room = () => X.ticks.length * (14 + LETTER * Math.max(...X.ticks.map((v) => name(v).length))) > W - R - L;
  while (X.ticks.length > 2 && room()) X.ticks = X.ticks.filter((_, i) => i % 2 === 0);

  const parts = [`<rect width="${W}" height="${H}" fill="var(--card, #fff)"/>`];
  const write = (x, y, text, more = "") => parts.push(`<text x="${x}" y="${y}" ${more}>${esc(text)}</text>`);
  for (const v of X.ticks) {
    parts.push(`<line x1="${X(v)}" x2="${X(v)}" y1="${T}" y2="${T + PLOT}" stroke="var(--grid, #ddd)"/>`);
    write(X(v), T + PLOT + 18, name(v), 'text-anchor="middle"');
  }
  for (const v of Y.ticks) {
    parts.push(`<line x1="${L}" x2="${W - R}" y1="${Y(v)}" y2="${Y(v)}" stroke="var(--grid, #ddd)"/>`);
    write(L - 8, Y(v) + 4, side(v), 'text-anchor="end"');
  }
  parts.push(`<rect x="${L}" y="${T}" width="${W - R - L}" height="${PLOT}" fill="none" stroke="var(--quiet, #555)"/>`);
  for (const { values, colour, dash } of lines) {
    let d = "", pen = "M";
    const dots = [];
    for (const i of order) {
      const v = values[i];
      if (!ok(v)) { pen = "M"; continue; }
      const px = X(xs[i]).toFixed(2), py = Y(v).toFixed(2);
      d += `${pen}${px} ${py}`;
      pen = "L";
      if (order.length <= 40) dots.push(`<circle cx="${px}" cy="${py}" r="3" fill="${colour}"><title>${esc(name(xs[i]))}: ${esc(print(v))}</title></circle>`);
    }
    parts.push(`<path class="line" d="${d}" fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/>`, ...dots);
  }
  title.forEach((texts, i) => write(W / 2, LINE * (i + 1), texts.join(", "), 'text-anchor="middle"'));
  for (const { item, x, row } of legend) {
    const y = LINE * (title.length + row + 1);
    if (item.values) parts.push(`<line x1="${16 + x}" x2="${40 + x}" y1="${y - 4}" y2="${y - 4}" stroke="${item.colour}" stroke-width="3" stroke-dasharray="${item.dash}"/>`);
    write(16 + x + (item.values ? 30 : 0), y, item.name);
  }
  write((L + W - R) / 2, H - 14, spec.x.title, 'text-anchor="middle" font-size="15"');
  parts.push(`<text transform="translate(18 ${T + PLOT / 2}) rotate(-90)" text-anchor="middle" font-size="15">${esc(spec.y.title)}</text>`);
  const label = `${spec.y.title} against ${spec.x.title}. ${(spec.title || []).join(", ")}`;
  box.innerHTML = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${W} ${H}" font-family="DejaVu Sans, Helvetica, sans-serif" font-size="13" fill="var(--text, #111)" role="img" aria-label="${esc(label)}">${parts.join("")}</svg>`;
  return true;
}

function text(svg) {
  // On paper the page's colours are not known.
  const { width, height } = svg.viewBox.baseVal;
  return svg.outerHTML.replace(/var\(--[a-z]+, (#[0-9a-f]+)\)/g, "$1").replace("<svg ", `<svg width="${width}" height="${height}" `);
}

export function saveSvg(svg, name) {
  save(new Blob([text(svg)], { type: "image/svg+xml" }), `${name}.svg`);
}

export async function savePng(svg, name) {
  const { width, height } = svg.viewBox.baseVal;
  const url = URL.createObjectURL(new Blob([text(svg)], { type: "image/svg+xml" }));
  const image = new Image();
  await new Promise((done, failed) => { image.onload = done; image.onerror = failed; image.src = url; });
  const canvas = Object.assign(document.createElement("canvas"), { width: 2 * width, height: 2 * height });
  canvas.getContext("2d").drawImage(image, 0, 0, 2 * width, 2 * height);
  URL.revokeObjectURL(url);
  save(await new Promise((done) => canvas.toBlob(done, "image/png")), `${name}.png`);
}
