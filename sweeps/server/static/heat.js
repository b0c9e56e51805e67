// A series of spectra of point A, such as f(E, t): a heat map over time, the spectrum at one time, a slider, and play.
import { draw } from "./chart.js";
import { isGeometric } from "./scales.js";
import { Sheet } from "./sheet.js";
import { $, call, make, path, quantity, say, titled, words } from "./tools.js";

const FRAME_MS = 80, CALM_MS = 500;

export class Heat {
  constructor() {
    this.canvas = $("heat");
    this.sheet = new Sheet(this.canvas);
    this.canvas.addEventListener("click", (e) => this.go(this.sheet.cell(e)[1]));
    this.canvas.addEventListener("keydown", (e) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[e.key];
      if (step) { this.go(this.time + step); e.preventDefault(); }
    });
    $("heattime").addEventListener("input", () => this.go(Number($("heattime").value)));
    $("play").addEventListener("click", () => this.play());
    new ResizeObserver(() => this.paint()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  // Variables over time and one more dim of the outputs.
  open(name, axes) {
    const other = this.name !== name;
    Object.assign(this, { name, axes });
    this.usable = Object.entries(axes.variables).filter(([, v]) => v.numeric && v.dims.includes("time") && v.dims.length === axes.dims.length + 2).map(([k]) => k)
      .sort((a, b) => (a.length > 1) - (b.length > 1));  // f and n first
    $("heatcard").hidden = !this.usable.length;
    this.stop();
    if (!this.usable.length) return null;
    if (other || !this.usable.includes(this.variable)) Object.assign(this, { variable: this.usable[0], log: false, time: 0, data: null, labels: Object.fromEntries(axes.dims.map((d) => [d, axes.coords[d].values[0]])) });
    $("heatcontrols").replaceChildren(
      make("label", { class: "variable" }, "variable", make("select", { id: "heat-variable", onchange: (e) => { this.variable = e.target.value; this.refresh(); } },
        ...this.usable.map((v) => make("option", { value: v, selected: v === this.variable, title: axes.variables[v].long_name }, v)))),
      make("label", { class: "check" }, make("input", { id: "heat-log", type: "checkbox", checked: this.log, onchange: (e) => { this.log = e.target.checked; this.paint(); } }), "log"));
    return this.refresh();
  }

  take(labels) {
    this.labels = labels;
    if (this.usable?.length) this.refresh().catch((error) => say("heatsays", error.message));
  }

  async refresh() {
    const { name, variable, labels } = this;
    const at = this.axes.dims.map((d) => ["at", `${d}=${labels[d]}`]);
    const data = await call(path(name, `slice?${new URLSearchParams([["variable", variable], ...at])}`));
    if (name !== this.name || variable !== this.variable || labels !== this.labels) return;
    const found = data.variables[variable], y = found.dims.find((d) => d !== "time"), first = found.dims[0] === "time";
    const times = data.coords.time.values, ys = data.coords[y].values, values = new Float32Array(times.length * ys.length);
    const at_ = (i, j) => (first ? found.values[i][j] : found.values[j][i]);
    for (let j = 0; j < ys.length; j++) for (let i = 0; i < times.length; i++) values[j * times.length + i] = at_(i, j) ?? NaN;
    this.data = { shape: [1, ys.length, times.length], x: "time", y, panels: null, x_values: times, y_values: ys, panels_values: [], values, codes: new Uint8Array(values.length), kinds: ["ok"], at: {} };
    $("heattime").max = times.length - 1;
    this.time = Math.min(this.time, times.length - 1);
    this.paint();
  }

  paint() {
    if (!this.data) return;
    const v = this.axes.variables[this.variable];
    say("heatsays", `${v.long_name}; point ${words(this.labels, this.axes.coords).join(", ")}`);
    this.sheet.draw(this.data, { axes: this.axes, most: 1, log: this.log, lines: "none", threshold: 0, title: titled(v.symbol, v.printed) });
    this.go(this.time);
  }

  go(i) {
    if (!this.data) return;
    const { data, axes } = this, [, ny, nx] = data.shape, v = axes.variables[this.variable], y = axes.coords[data.y];
    this.time = Math.max(0, Math.min(nx - 1, i));
    const text = `time = ${quantity(data.x_values[this.time], axes.coords.time.printed)}`;
    $("heattime").value = this.time;
    $("heattime").setAttribute("aria-valuetext", text);
    $("heatat").textContent = text;
    this.sheet.column(this.time);
    const [low, high] = this.sheet.range || [0, 1], pad = (high - low) * 0.05;
    draw($("spectrum"), { label: `${titled(this.variable, v.printed)} against ${titled(data.y, y.printed)} at ${text}`, title: [text],
      x: { title: titled(y.symbol, y.printed), log: isGeometric(data.y_values) }, y: { title: titled(v.symbol, v.printed), log: this.log, range: this.log ? [low, high] : [low - pad, high + pad] },
      lines: [{ name: this.variable, xs: data.y_values, values: Array.from({ length: ny }, (_, j) => data.values[j * nx + this.time]) }], none: "No value at this point." });
  }

  play() {
    if (this.timer) { this.stop(); return; }
    if (this.time >= this.data.shape[2] - 1) this.go(0);
    $("play").textContent = "Pause";
    this.timer = setInterval(() => {
      if (this.time >= this.data.shape[2] - 1) this.stop(); else this.go(this.time + 1);
    }, matchMedia("(prefers-reduced-motion: reduce)").matches ? CALM_MS : FRAME_MS);
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    $("play").textContent = "Play";
  }
}
