// From slices of cubes and from tables to the lines of a chart.
import { titled } from "./tools.js";

// Labels that share a dim: the axis itself and those that are zipped with it.
export const along = (axes, dim) => [dim, ...Object.keys(axes.coords).filter((n) => n !== dim && axes.coords[n].dim === dim)];

// The i-th label of an axis in print, with those zipped with it.
export const labelAt = (axes, dim, i) => along(axes, dim).map((n) => axes.coords[n].shown[i]).join(", ");
export const titleOf = (axes, dim) => along(axes, dim).map((n) => titled(axes.coords[n].symbol, axes.coords[n].printed)).join(", ");

// A slice as lines over `x`, one for each of the first `most` labels of `hue`.
export function linesOf(data, axes, { variable, x, hue, most, suffix = "" }) {
  const found = data.variables[variable], errors = data.variables[`${variable}_error`], xs = data.coords[x].values;
  const row = (array, k) => {
    if (!array) return undefined;
    const rest = array.dims.filter((d) => d === x || d === hue);
    if (!rest.includes(x)) return xs.map(() => (hue && rest.includes(hue) ? array.values[k] : array.values));
    if (!hue || !rest.includes(hue)) return array.values;
    return rest[0] === hue ? array.values[k] : array.values.map((r) => r[k]);
  };
  const count = hue ? Math.min(most, data.coords[hue].values.length) : 1;
  return Array.from({ length: count }, (_, k) => {
    const name = hue ? labelAt(axes, hue, k) : axes.variables[variable].symbol;
    return { name: name + suffix, plain: (hue ? name : variable) + suffix, xs, values: row(found, k), errors: row(errors, k) };
  });
}

// Places of labels that are not all numbers, and the words at those places; the others keep their numbers.
export function placed(lines, shown, labels) {
  const where = new Map(labels.map((label, i) => [String(label), i]));
  return lines.map((line) => ({ ...line, xs: line.xs.map((x) => where.get(String(x)) ?? NaN) }));
}

// A table of numbers separated by commas, semicolons, tabs or blanks: {head, columns}; lines that begin with # are
// comments. Raises an Error that names the line.
export function table(text) {
  const rows = text.replace(/^\ufeff/, "").split(/\r?\n/).map((line, i) => [line.trim(), i + 1]).filter(([line]) => line && !line.startsWith("#"));
  if (!rows.length) throw new Error("the file must have rows of numbers. It has none.");
  const sign = [";", "\t", ","].find((s) => rows[0][0].includes(s));
  const cells = rows.map(([line, number]) => [(sign ? line.split(sign) : line.split(/\s+/)).map((c) => c.trim().replace(/^"(.*)"$/, "$1")), number]);
  // Where columns are separated by semicolons, a comma is a decimal point.
  const value = (cell) => (cell === "" || /^nan$/i.test(cell) ? NaN : /^[-+]?(\d|\.\d)/.test(cell) ? Number(sign === ";" ? cell.replace(",", ".") : cell) : undefined);
  const head = cells[0][0].some((c) => value(c) === undefined) ? cells.shift()[0] : cells[0][0].map((_, i) => (i ? `column ${i + 1}` : "x"));
  if (head.length < 2) throw new Error("the file must have at least two columns: x and a value.");
  const columns = head.map(() => []);
  for (const [row, number] of cells) {
    if (row.length !== head.length) throw new Error(`line ${number}: must have ${head.length} columns. It has ${row.length}.`);
    row.forEach((cell, i) => {
      const v = value(cell);
      if (v === undefined || (Number.isNaN(v) && cell !== "" && !/^nan$/i.test(cell))) throw new Error(`line ${number}, column ${i + 1}: must be a number. Got '${cell.slice(0, 40)}'.`);
      columns[i].push(v);
    });
  }
  return { head, columns };
}

const ERROR = /(^|[^a-z])(err|error|errors|sigma|std|uncertainty|±)([^a-z]|$)/i;

// Points of a table: the first column is x, a column named as an error belongs to the one before it.
export function pointsOf({ head, columns }, file) {
  const out = [];
  for (let i = 1; i < head.length; i++) {
    if (out.length && ERROR.test(head[i])) out[out.length - 1].errors = columns[i];
    else out.push({ name: `${head[i]} (${file})`, xs: columns[0], values: columns[i], points: true });
  }
  return out;
}
