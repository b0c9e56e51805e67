// What all parts of the page share: requests, elements, numbers.

export const $ = (id) => document.getElementById(id);

export class Refused extends Error {
  constructor(status, problem) {
    super(problem.detail || `the server answered ${status}`);
    this.status = status;
    this.points = problem.points;
  }
}

export async function call(path, body, method) {
  const options = { method: method || (body ? "POST" : "GET"), headers: {} };
  if (body) {
    options.body = JSON.stringify(body);
    options.headers["Content-Type"] = "application/json";
  }
  const answer = await fetch(`/api/${path}`, options).catch(() => { throw new Refused(0, { detail: "the server does not answer" }); });
  if (answer.status === 401) document.dispatchEvent(new Event("token"));
  if (!answer.ok) throw new Refused(answer.status, await answer.json().catch(() => ({})));
  return answer.status === 204 ? null : answer.json();
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
// Labels in words, such as "F0 = 1 mJ/cm²"; a material says what it is.
export const words = (labels, coords) => Object.entries(labels)
  .map(([k, v]) => (k === "material" ? show(v) : `${k} = ${quantity(v, coords[k]?.printed)}`));

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
