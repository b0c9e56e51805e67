// A chart in SVG: lines with dashes and markers, error bars, axes with units, linear or logarithmic; a picture of its
// own when saved. `explore.js` adds reading and zooming.
import { COLOURS } from "./colours.js";
import { extent, print, scale } from "./scales.js";
import { parts, save } from "./tools.js";

const DASHES = ["", "7 4", "2 4", "9 3 2 3"];
// Shapes of radius about 1, as paths.
const MARKERS = ["M-1 0a1 1 0 1 0 2 0a1 1 0 1 0-2 0", "M-.9-.9h1.8v1.8h-1.8z", "M0-1.2L1.1.8h-2.2z", "M0-1.3L1.1 0 0 1.3-1.1 0z", "M0 1.2L1.1-.8h-2.2z",
  "M-1-1L1 1M1-1L-1 1", "M-1.2 0h2.4M0-1.2v2.4"];
const PLOT = 300, R = 18, B = 56, LINE = 18, LETTER = 7.6, DOTS = 40, FEW = 12;
let clips = 0;

const esc = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" }[c]));
const plain = (text) => parts(text).map(([t]) => t).join("");
// A symbol such as Δ_{0}, its parts lowered and raised.
function spans(text) {
  let shift = 0;
  return parts(text).map(([t, place]) => {
    const dy = -4 * place - shift;
    shift = -4 * place;
    return `<tspan${dy ? ` dy="${dy}"` : ""}${place ? ' font-size="75%"' : ""}>${esc(t)}</tspan>`;
  }).join("");
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

// Looks of the k-th line: colour, dash and marker all change, so that each alone tells lines apart.
export const look = (k) => ({ colour: COLOURS[k % COLOURS.length], dash: DASHES[(k + Math.floor(k / COLOURS.length)) % 4], marker: MARKERS[(k + Math.floor(k / COLOURS.length)) % MARKERS.length] });

// At most two points for each pixel across: the least and the largest, in their order.
function thinned(points, width) {
  if (points.length <= 4 * width) return points;
  const out = [], size = points.length / width;
  for (let c = 0; c < width; c++) {
    const piece = points.slice(Math.floor(c * size), Math.floor((c + 1) * size));
    let low = 0, high = 0;
    for (let i = 1; i < piece.length; i++) { if (piece[i][1] < piece[low][1]) low = i; if (piece[i][1] > piece[high][1]) high = i; }
    out.push(...(low === high ? [piece[low]] : [piece[Math.min(low, high)], piece[Math.max(low, high)]]));
  }
  return out;
}

// spec: {label, title: [words], x: {title, log, range, shown?}, y: {title, log, range}, legend,
//   lines: [{name, xs, values, errors?, points?}], none}; xs are numbers, or places among the words `x.shown`.
// Returns the plot, for `explore.js`; null where there is nothing to draw.
export function draw(box, spec) {
  const W = Math.round(Math.max(320, Math.min(680, box.clientWidth || 640)));
  const number = (v) => typeof v === "number" && isFinite(v), ok = (v) => number(v) && (!spec.y.log || v > 0);
  const logX = !spec.x.shown && spec.x.log, okX = (v) => number(v) && (!logX || v > 0);
  const lines = spec.lines.map((line, k) => ({ ...line, k, ...look(k), kept: line.xs.map((x, i) => [x, line.values[i], i]).filter(([x]) => okX(x)).sort((a, b) => a[0] - b[0]) }))
    .filter((line) => line.kept.some(([, v]) => ok(v)));
  if (!lines.length) {
    const text = spec.lines.some((line) => line.values.some(number)) ? "No positive value to show on a log scale." : spec.none;
    box.replaceChildren(Object.assign(document.createElement("p"), { className: "quiet", textContent: text }));
    return null;
  }
  const [x0, x1] = spec.x.range || (spec.x.shown && [-0.5, spec.x.shown.length - 0.5]) || extent(lines.flatMap((line) => line.kept.map(([x]) => x)));
  const inside = lines.flatMap((line) => line.kept.filter(([x, v]) => ok(v) && x >= x0 && x <= x1).map(([, v]) => v));
  let [low, high] = spec.y.range || extent(inside.length ? inside : lines.flatMap((line) => line.kept.map(([, v]) => v)), ok);
  if (spec.y.range) { /* as chosen */ } else if (spec.y.log) { const pad = (high / low) ** 0.04; low /= pad; high *= pad; }
  else { const pad = (high - low) * 0.05; if (low < 0 || low - pad > 0) low -= pad; high += pad; }

  // Words above the plot, so that they hide nothing of it.
  const title = [];
  for (const { item, row } of rows(spec.title || [], W, (t) => LETTER * (plain(t).length + 2))) (title[row] ||= []).push(item);
  const legend = spec.lines.length > 1 ? rows([{ name: spec.legend || "" }, ...lines], W - 30, (l) => LETTER * plain(l.name).length + (l.values ? 52 : 8)) : [];
  const T = 14 + LINE * (title.length + (legend.length ? legend[legend.length - 1].row + 1 : 0)), H = T + PLOT + B;

  const Y = scale(low, high, T + PLOT, T, spec.y.log);
  const most = (at, log) => (log ? undefined : Math.max(...at.ticks.map(Math.abs)));
  const side = (v) => print(v, most(Y, spec.y.log));
  const L = 40 + Math.max(...Y.ticks.map((v) => LETTER * side(v).length), 14);
  const X = scale(x0, x1, L, W - R, logX);
  if (spec.x.shown) X.ticks = spec.x.shown.map((_, i) => i).filter((i) => i >= x0 && i <= x1);
  const name = (v) => (spec.x.shown ? spec.x.shown[v] : print(v, most(X, logX)));
  // On a narrow screen labels would run into each other.
  const room = () => X.ticks.length * (14 + LETTER * Math.max(...X.ticks.map((v) => name(v).length))) > W - R - L;
  while (X.ticks.length > 2 && room()) X.ticks = X.ticks.filter((_, i) => i % 2 === 0);

  const out = [`<rect width="${W}" height="${H}" fill="var(--card, #fff)"/>`], clip = `clip${(clips += 1)}`;
  const write = (x, y, text, more = "") => out.push(`<text x="${x}" y="${y}" ${more}>${spans(text)}</text>`);
  out.push(`<clipPath id="${clip}"><rect x="${L}" y="${T}" width="${W - R - L}" height="${PLOT}"/></clipPath>`);
  for (const v of X.ticks) {
    out.push(`<line x1="${X(v)}" x2="${X(v)}" y1="${T}" y2="${T + PLOT}" stroke="var(--grid, #ddd)"/>`);
    write(X(v), T + PLOT + 18, name(v), 'text-anchor="middle"');
  }
  for (const v of Y.ticks) {
    out.push(`<line x1="${L}" x2="${W - R}" y1="${Y(v)}" y2="${Y(v)}" stroke="var(--grid, #ddd)"/>`);
    write(L - 8, Y(v) + 4, side(v), 'text-anchor="end"');
  }
  out.push(`<rect x="${L}" y="${T}" width="${W - R - L}" height="${PLOT}" fill="none" stroke="var(--quiet, #555)"/>`, `<g clip-path="url(#${clip})">`);
  for (const line of lines) {
    const { kept, colour, dash, marker, errors } = line, pieces = [[]];
    for (const point of kept) if (ok(point[1])) pieces[pieces.length - 1].push(point); else pieces.push([]);
    const d = pieces.filter((p) => p.length).map((p) => `M${thinned(p, W).map(([x, v]) => `${X(x).toFixed(1)} ${Y(v).toFixed(1)}`).join("L")}`).join("");
    if (!line.points) out.push(`<path class="line" d="${d}" fill="none" stroke="${colour}" stroke-width="2" stroke-dasharray="${dash}"/>`);
    const seen = kept.filter(([x, v]) => ok(v) && x >= x0 && x <= x1);
    if (errors) {
      const bars = seen.filter(([, , i]) => errors[i] > 0).map(([x, v, i]) => {
        const [a, b] = [v - errors[i], v + errors[i]].map((e) => Y(spec.y.log ? Math.max(e, low) : e).toFixed(1)), at = X(x);
        return `M${at.toFixed(1)} ${a}V${b}M${(at - 3).toFixed(1)} ${a}h6M${(at - 3).toFixed(1)} ${b}h6`;
      });
      out.push(`<path class="errors" d="${bars.join("")}" fill="none" stroke="${colour}" stroke-width="1.5"/>`);
    }
    // Of many points only some, not the same ones on each line.
    const step = line.points || seen.length <= DOTS ? Math.ceil(seen.length / 2000) || 1 : Math.ceil(seen.length / FEW), first = step > 1 ? Math.floor((step * ((line.k % 5) + 0.5)) / 5) : 0;
    for (let i = first; i < seen.length; i += step) {
      const [x, v] = seen[i];
      out.push(`<path class="dot" d="${marker}" transform="translate(${X(x).toFixed(1)} ${Y(v).toFixed(1)}) scale(3.2)" fill="${line.points ? "none" : colour}" stroke="${colour}" stroke-width=".5"/>`);
    }
  }
  out.push("</g>");
  title.forEach((texts, i) => write(W / 2, LINE * (i + 1), texts.join(", "), 'text-anchor="middle"'));
  for (const { item, x, row } of legend) {
    const y = LINE * (title.length + row + 1);
    if (item.values) {
      if (!item.points) out.push(`<line x1="${16 + x}" x2="${44 + x}" y1="${y - 4}" y2="${y - 4}" stroke="${item.colour}" stroke-width="2.5" stroke-dasharray="${item.dash}"/>`);
      out.push(`<path d="${item.marker}" transform="translate(${30 + x} ${y - 4}) scale(3.2)" fill="${item.points ? "none" : item.colour}" stroke="${item.colour}" stroke-width=".5"/>`);
    }
    write(16 + x + (item.values ? 34 : 0), y, item.name);
  }
  write((L + W - R) / 2, H - 14, spec.x.title, 'text-anchor="middle" font-size="15"');
  out.push(`<text transform="translate(18 ${T + PLOT / 2}) rotate(-90)" text-anchor="middle" font-size="15">${spans(spec.y.title)}</text>`);
  const label = spec.label || `${plain(spec.y.title)} against ${plain(spec.x.title)}`;
  box.innerHTML = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${W} ${H}" font-family="DejaVu Sans, Helvetica, sans-serif" font-size="13" fill="var(--text, #111)" role="img" aria-label="${esc(label)}">${out.join("")}</svg>`;
  return { svg: box.firstChild, lines, X, Y, name, left: L, right: W - R, top: T, bottom: T + PLOT };
}

function text(svg) {
  // On paper the page's colours are not known, and nobody reads values with a mouse.
  const copy = svg.cloneNode(true), { width, height } = svg.viewBox.baseVal;
  copy.querySelectorAll(".cross").forEach((e) => e.remove());
  return copy.outerHTML.replace(/var\(--[a-z]+, (#[0-9a-f]+)\)/g, "$1").replace("<svg ", `<svg width="${width}" height="${height}" `);
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
