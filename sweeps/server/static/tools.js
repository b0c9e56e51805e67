// What all parts of the page share: requests, elements, numbers.

export const $ = (id) => document.getElementById(id);

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || `the server answered ${status}`);
    this.status = status;
    this.points = problem.points;
  }
}

// A person's name, noted with each action.
export const person = { get name() { try { return localStorage.getItem("name") || ""; } catch { return ""; } },
  set name(text) { try { localStorage.setItem("name", text); } catch { /* Not kept in a private window. */ } } };

async function asked(path, options) {
  const answer = await fetch(`/api/${path}`, options).catch(() => { throw new Refused(0, { detail: "the server does not answer" }); });
  if (answer.status === 401) document.dispatchEvent(new Event("token"));
  if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
  return answer;
}

export async function call(path, body, method) {
  const options = { method: method || (body ? "POST" : "GET"), headers: {} };
  if (options.method !== "GET" && person.name) options.headers["X-Photogap-Name"] = encodeURIComponent(person.name);
  if (body) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  const answer = await asked(path, options);
  return answer.status === 204 ? null : answer.json();
}

// A head in JSON, then numbers: `values` (float32, if the head names a variable) and `codes` (one byte a point).
export async function plane(path) {
  const bytes = await (await asked(path)).arrayBuffer();
  const size = new DataView(bytes).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, size)));
  const count = head.shape.reduce((a, b) => a * b, 1), end = 4 + size + (head.variable ? 4 * count : 0);
  return { ...head, values: head.variable ? new Float32Array(bytes, 4 + size, count) : null, codes: new Uint8Array(bytes, end, count) };
}

export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.filter((c) => c != null));
  return element;
}

// The same words again are no news to a screen reader.
export function say(id, text) { if ($(id).textContent !== text) $(id).textContent = text; }

export const path = (name, rest = "") => `sweeps/${encodeURIComponent(name)}${rest ? `/${rest}` : ""}`;

export function show(value, digits = 4) {
  if (typeof value !== "number") return value == null ? "–" : String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return String(value);
  return String(Number(value.toPrecision(digits)));
}

// Units come as print writes them, the server's `printed`.
export const titled = (name, unit) => (unit ? `${name} (${unit})` : name);
export const quantity = (value, unit) => `${show(value)} ${unit || ""}`.trim();
// Parts of a symbol such as Δ_{0}: [text, place], the place -1 if lowered, 1 if raised.
export const parts = (text) => [...String(text).matchAll(/([_^])\{([^}]*)\}|(?:(?![_^]\{).)+/gs)]
  .map((m) => (m[1] ? [m[2], m[1] === "_" ? -1 : 1] : [m[0], 0]));

// Width of such a text on a canvas, and the text itself at a place, aligned as `pen.textAlign` says.
const small = (pen) => pen.font.replace(/([\d.]+)px/, (_, s) => `${Math.max(10, s * 0.75)}px`);
export function measure(pen, text) {
  const font = pen.font;
  const width = parts(text).reduce((sum, [t, place]) => { pen.font = place ? small(pen) : font; const w = pen.measureText(t).width; pen.font = font; return sum + w; }, 0);
  return width;
}
export function write(pen, text, x, y) {
  const font = pen.font, align = pen.textAlign, width = measure(pen, text);
  let at = align === "center" ? x - width / 2 : align === "right" ? x - width : x;
  pen.textAlign = "left";
  for (const [t, place] of parts(text)) {
    pen.font = place ? small(pen) : font;
    pen.fillText(t, at, y - 4 * place);
    at += pen.measureText(t).width;
    pen.font = font;
  }
  pen.textAlign = align;
}

// Labels in words, such as "F0 = 1 mJ/cm²"; a material says what it is.
// `drawn`: with symbols, as in plots.
export const words = (labels, coords, drawn = false) => Object.entries(labels).map(([k, v]) => {
  const c = coords[k], i = c ? c.values.indexOf(v) : -1, shown = i < 0 ? show(v) : c.shown[i];
  if (k === "material") return drawn ? shown : show(v);
  if (!drawn) return `${k} = ${quantity(v, c?.printed)}`;
  return typeof v === "number" ? `${c.symbol} = ${shown} ${c.printed}`.trim() : `${c?.symbol ?? k}: ${shown}`;
});

export const pace = (rate) => (rate >= 1 ? `${show(rate, 3)} points/s` : `a point every ${show(1 / rate, 3)} s`);

export function clock(seconds) {
  if (seconds == null || !isFinite(seconds)) return "";
  const s = Math.round(seconds), pad = (n) => String(n).padStart(2, "0");
  return s >= 3600 ? `${Math.floor(s / 3600)}:${pad(Math.floor(s / 60) % 60)}:${pad(s % 60)}`
    : `${Math.floor(s / 60)}:${pad(s % 60)}`;
}

export function save(blob, name) {
  const link = make("a", { href: URL.createObjectURL(blob), download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}
