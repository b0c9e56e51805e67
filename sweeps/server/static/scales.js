// Scales of axes: from numbers to places, with ticks.
import { show } from "./tools.js";

export function isGeometric(values) {
  const x = [...new Set(values)].sort((a, b) => a - b);
  return x.length > 2 && x[0] > 0 && x[x.length - 1] >= 10 * x[0] && x[1] - x[0] < 0.2 * (x[x.length - 1] - x[0]) / (x.length - 1);
}

export function scale(low, high, from, to, log) {
  if (low === high) { low -= Math.abs(low) * 0.1 || 1; high += Math.abs(high) * 0.1 || 1; if (log && low <= 0) low = high / 10; }
  const f = log ? Math.log10 : (v) => v, back = log ? (v) => 10 ** v : (v) => v;
  const a = f(low), b = f(high);
  const at = (v) => from + (to - from) * (f(v) - a) / (b - a);
  at.invert = (p) => back(a + (b - a) * (p - from) / (to - from));
  at.ticks = log ? logTicks(low, high) : ticks(low, high);
  at.range = [low, high];
  return at;
}

export function ticks(low, high, count = 5) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= raw);
  const out = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) out.push(Number((i * step).toPrecision(12)));
  return out;
}

export function logTicks(low, high) {
  const out = [];
  for (let p = Math.floor(Math.log10(low)); p <= Math.ceil(Math.log10(high)); p++) out.push(10 ** p);
  const inside = out.filter((v) => v >= low * 0.999 && v <= high * 1.001);
  if (inside.length >= 2) return inside;
  return ticks(low, high).filter((v) => v > 0);
}

// A number as print has it: a minus, and powers of ten raised; of an axis all alike, by its largest.
export function print(v, largest = Math.abs(v)) {
  const [digits, power] = (v && (largest < 1e-3 || largest >= 1e6) ? v.toExponential(3) : show(v, 6)).split("e");
  const raised = power && [...String(Number(power))].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"["0123456789-".indexOf(c)]).join("");
  const mantissa = String(Number(digits)).replace("-", "−");
  return !power ? mantissa : mantissa === "1" ? `10${raised}` : `${mantissa}·10${raised}`;
}

// Least and largest of the numbers; of millions too, for which Math.min takes too many arguments.
export function extent(values, usable = Number.isFinite) {
  let low = Infinity, high = -Infinity;
  for (const v of values) if (usable(v)) { if (v < low) low = v; if (v > high) high = v; }
  return low <= high ? [low, high] : null;
}
