// The map of a sweep: one cell a point of two axes, a panel for each label of a third; coloured by status or by a
// variable. Mouse and arrow keys both read it.
import { colourOf } from "./colours.js";
import { Sheet } from "./sheet.js";
import { $, make, path, plane, quantity, say, show, titled, words } from "./tools.js";

const BOOKS = ["attempts", "cpu_time", "wall_time"];
const PANELS = 12;

export class PointMap {
  constructor(onTake) {
    this.onTake = onTake;
    this.canvas = $("map");
    this.sheet = new Sheet(this.canvas);
    this.cursor = [0, 0, 0];
    this.taken = {};
    this.canvas.addEventListener("mousemove", (e) => this.move(this.sheet.cell(e)));
    this.canvas.addEventListener("click", (e) => { this.move(this.sheet.cell(e)); this.take(e.shiftKey ? "B" : $("take").value); });
    this.canvas.addEventListener("keydown", (e) => this.key(e));
    new ResizeObserver(() => this.paint()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  open(name, axes) {
    const keep = this.name === name;
    Object.assign(this, { name, axes });
    if (!keep) {
      Object.assign(this, { data: null, cursor: [0, 0, 0], taken: {}, panels: "", log: false, threshold: 0, lines: "border" });
      const long = axes.dims.filter((d) => this.values(d).length > 1);
      this.x = long.includes("F0") ? "F0" : long[0] || axes.dims[1];
      this.y = long.find((d) => d !== this.x) || "";
      this.at = Object.fromEntries(axes.dims.map((d) => [d, 0]));
      this.variable = ["Delta0_peak", "gap_duration"].find((v) => this.variables().includes(v)) || "";
      $("cursor").textContent = "";
    }
    this.controls();
    return this.refresh();
  }

  values(dim) { return this.axes.coords[dim].values; }

  // Numbers of each point first, then largest values of series, the driver's own numbers last.
  variables() {
    const rank = ([name, v]) => (BOOKS.includes(name) ? 2 : v.dims.length > this.axes.dims.length ? 1 : 0);
    const found = Object.entries(this.axes.variables).filter(([, v]) => v.numeric && this.axes.dims.every((d) => v.dims.includes(d)));
    return found.sort((a, b) => rank(a) - rank(b)).map(([name]) => name);
  }

  over() { return this.variable ? this.axes.variables[this.variable].dims.filter((d) => !this.axes.dims.includes(d)) : []; }

  controls() {
    const focused = document.activeElement?.id;
    const pick = (key, label, options, told = (o) => o || "–") => make("label", {}, label, make("select", { id: `map-${key}`, onchange: (e) => {
      this[key] = e.target.value;
      if (this.y === this.x) this.y = "";
      if (this.panels === this.x || this.panels === this.y) this.panels = "";
      this.controls();
      this.refresh();
    } }, ...options.map((o) => make("option", { value: o, selected: o === this[key] }, told(o)))));
    const long = (more) => this.axes.dims.filter((d) => this.values(d).length > 1 || d === this[more]);
    const series = (v) => this.axes.variables[v].dims.length > this.axes.dims.length;
    const rest = this.axes.dims.filter((d) => ![this.x, this.y, this.panels].includes(d) && this.values(d).length > 1);
    const draw = (key, value) => { this[key] = value; this.controls(); this.paint(); };
    $("mapcontrols").replaceChildren(
      pick("variable", "colour by", ["", ...this.variables()], (v) => (!v ? "status" : series(v) ? `largest ${v}` : v)),
      pick("x", "across", long("x")), pick("y", "up", ["", ...long("y")]),
      pick("panels", "panels", ["", ...long("panels").filter((d) => d !== this.x && d !== this.y)]),
      ...(this.variable ? [
        make("label", {}, "lines", make("select", { id: "map-lines", onchange: (e) => draw("lines", e.target.value) },
          ...[["border", "border"], ["contours", "contours"], ["none", "none"]].map(([o, text]) => make("option", { value: o, selected: o === this.lines }, text)))),
        ...(this.lines === "border" ? [make("label", {}, titled("above", this.axes.variables[this.variable].printed), make("input", { id: "map-threshold", type: "number", step: "any", value: this.threshold,
          onchange: (e) => draw("threshold", Number(e.target.value) || 0) }))] : []),
        make("label", { class: "check" }, make("input", { id: "map-log", type: "checkbox", checked: this.log, onchange: (e) => draw("log", e.target.checked) }), "log colours"),
      ] : []),
      ...rest.map((d) => make("label", {}, titled(d, this.axes.coords[d].printed),
        make("select", { id: `map-at-${d}`, onchange: (e) => { this.at[d] = Number(e.target.value); this.refresh(); } },
          ...this.values(d).map((v, i) => make("option", { value: i, selected: i === this.at[d] }, this.axes.coords[d].shown[i]))))));
    if (focused?.startsWith("map-")) document.getElementById(focused)?.focus();
  }

  query() {
    const fixed = this.axes.dims.filter((d) => ![this.x, this.y, this.panels].includes(d));
    return new URLSearchParams([["x", this.x], ...(this.y ? [["y", this.y]] : []), ...(this.panels ? [["panels", this.panels]] : []),
      ...(this.variable ? [["variable", this.variable]] : []), ...fixed.map((d) => ["at", `${d}=${this.values(d)[this.at[d]]}`])]);
  }

  refresh() { return (this.latest = this.load()); }

  async load() {
    const name = this.name, mine = (this.turn = {});
    let data = null;
    try { data = await plane(path(name, `plane?${this.query()}`)); } catch (error) {
      if (error.status !== 413) throw error;
      if (mine === this.turn) say("cursor", error.message);
    }
    if (name !== this.name) return;
    // Another plane was chosen meanwhile.
    if (mine !== this.turn) { await this.latest; return; }
    this.canvas.hidden = $("legend").hidden = !data;
    if (!data) { this.data = null; return; }
    if (!this.data) say("cursor", "");
    // A cube that grew in the meantime has labels that the selectors lack.
    this.grown = ["x", "y", "panels"].some((k) => data[k] && data[`${k}_values`].length !== this.values(data[k]).length);
    this.data = data;
    this.cursor = this.cursor.map((at, k) => Math.min(at, data.shape[k] - 1));
    this.legend();
    this.paint();
  }

  legend() {
    const count = new Array(this.data.kinds.length).fill(0);
    for (const code of this.data.codes) count[code] += 1;
    $("legend").replaceChildren(...this.data.kinds.map((kind, k) => {
      const mark = make("i");
      if (!(this.variable && kind === "ok")) mark.style.background = colourOf(kind);
      return make("li", {}, mark, `${kind} ${count[k]}`);
    }));
  }

  paint() {
    if (!this.data) return;
    const v = this.variable && this.axes.variables[this.variable];
    const text = v && `${this.over().length ? "largest " : ""}${v.symbol}`;
    this.sheet.draw(this.data, { axes: this.axes, most: PANELS, log: this.log, lines: this.variable ? this.lines : "none",
      threshold: this.threshold, title: v ? titled(text, v.printed) : "" });
    this.overlay();
  }

  overlay() {
    const here = Object.entries(this.taken).filter(([, where]) => where.view === this.view());
    this.sheet.overlay(this.cursor, here.map(([name, where]) => [name, where.cell]));
  }

  view() { return JSON.stringify([this.x, this.y, this.panels, this.data && this.data.at]); }

  move([p, i, j]) {
    if (!this.data) return;
    const [np, ny, nx] = this.data.shape, within = (v, n) => Math.max(0, Math.min(n - 1, v));
    this.cursor = [within(p, Math.min(np, PANELS)), within(j, ny), within(i, nx)];
    const k = (this.cursor[0] * ny + this.cursor[1]) * nx + this.cursor[2], value = this.data.values?.[k];
    const v = this.variable && this.axes.variables[this.variable];
    const read = v ? `${Number.isNaN(value) ? this.data.kinds[this.data.codes[k]] : `${this.variable} = ${quantity(Number(value.toPrecision(6)), v.printed)}`}` : this.data.kinds[this.data.codes[k]];
    say("cursor", `${read}: ${words(this.labels(), this.axes.coords).join(", ")}`);
    this.overlay();
  }

  labels() {
    const [p, j, i] = this.cursor, d = this.data;
    const found = { ...d.at, [d.x]: d.x_values[i], ...(d.y ? { [d.y]: d.y_values[j] } : {}), ...(d.panels ? { [d.panels]: d.panels_values[p] } : {}) };
    return Object.fromEntries(this.axes.dims.map((dim) => [dim, found[dim]]));
  }

  key(event) {
    // Alt and an arrow are the browser's.
    if (event.ctrlKey || event.metaKey || event.altKey || !this.data) return;
    const [p, j, i] = this.cursor, up = this.sheet.flip ? 1 : -1;
    const step = { ArrowLeft: [p, i - 1, j], ArrowRight: [p, i + 1, j], ArrowUp: [p, i, j + up], ArrowDown: [p, i, j - up],
      PageUp: [p - 1, i, j], PageDown: [p + 1, i, j] }[event.key];
    if (step) this.move(step);
    else if (event.key === "Enter") this.take($("take").value);
    else if (["a", "b", "A", "B"].includes(event.key)) this.take(event.key.toUpperCase());
    else return;
    event.preventDefault();
  }

  // Go to the point of these labels, whatever plane it lies in, and take it.
  async go(labels) {
    const where = (d) => Math.max(0, this.values(d).findIndex((v) => show(v, 6) === show(labels[d], 6)));
    for (const d of this.axes.dims) this.at[d] = where(d);
    this.controls();
    await this.refresh();
    this.canvas.focus();
    this.move([this.panels ? where(this.panels) : 0, where(this.x), this.y ? where(this.y) : 0]);
    this.take("A");
  }

  take(which) {
    if (!this.data) return;
    this.taken[which] = { view: this.view(), cell: [...this.cursor] };
    this.overlay();
    this.onTake(which, this.labels());
  }
}
