// The map of a sweep: one cell a point of two axes, on a canvas that mouse and arrow keys both read.
import { $, call, make, path, show, titled, unit } from "./tools.js";

const STATES = { ok: "#009E73", running: "#56B4E9", missing: "#b9c0c7", error: "#D55E00", not_converged: "#E69F00",
  timeout: "#CC79A7", lost: "#8c510a", memory: "#7b3294", nan: "#a6611a" };
const colour = (status) => STATES[status] || "#333333";

export class PointMap {
  constructor(onTake) {
    this.onTake = onTake;
    this.canvas = $("map");
    this.cursor = [0, 0];
    this.taken = {};
    this.canvas.addEventListener("mousemove", (e) => this.move(this.cell(e)));
    this.canvas.addEventListener("click", (e) => { this.move(this.cell(e)); this.take(e.shiftKey ? "B" : "A"); });
    this.canvas.addEventListener("keydown", (e) => this.key(e));
    new ResizeObserver(() => this.paint()).observe(this.canvas);
  }

  open(name, axes) {
    Object.assign(this, { name, axes, data: null, cursor: [0, 0], taken: {} });
    const long = axes.dims.filter((d) => this.values(d).length > 1);
    this.x = long.includes("F0") ? "F0" : long[0] || axes.dims[1];
    this.y = long.find((d) => d !== this.x) || "";
    this.at = Object.fromEntries(axes.dims.map((d) => [d, 0]));
    $("cursor").textContent = "";
    this.controls();
    return this.refresh();
  }

  values(dim) { return this.axes.coords[dim].values; }

  controls() {
    const pick = (key, label, optional) => make("label", {}, label, make("select", { onchange: (e) => {
      this[key] = e.target.value;
      if (this.x === this.y) this.y = "";
      this.controls();
      this.refresh();
    } }, ...(optional ? [make("option", { value: "" }, "–")] : []), ...this.axes.dims.filter((d) => this.values(d).length > 1 || d === this[key])
      .map((d) => make("option", { value: d, selected: d === this[key] }, d))));
    const rest = this.axes.dims.filter((d) => d !== this.x && d !== this.y && this.values(d).length > 1);
    $("mapcontrols").replaceChildren(pick("x", "across"), pick("y", "down", true), ...rest.map((d) => make("label", {}, titled(d, this.axes.coords[d].units),
      make("select", { onchange: (e) => { this.at[d] = Number(e.target.value); this.refresh(); } },
        ...this.values(d).map((v, i) => make("option", { value: i, selected: i === this.at[d] }, show(v)))))));
  }

  async refresh() {
    const name = this.name;
    const query = new URLSearchParams([["x", this.x], ...(this.y ? [["y", this.y]] : []),
      ...this.axes.dims.filter((d) => d !== this.x && d !== this.y).map((d) => ["at", `${d}=${this.values(d)[this.at[d]]}`])]);
    const data = await call(path(name, `map?${query}`));
    if (name !== this.name) return;
    // A cube that grew in the meantime has labels that the selectors lack.
    this.grown = data.x_values.length !== this.values(data.x).length || (data.y && data.y_values.length !== this.values(data.y).length);
    if (!data.y) data.status = [data.status[0]];
    this.data = data;
    const count = {};
    for (const row of data.status) for (const s of row) count[s] = (count[s] || 0) + 1;
    $("legend").replaceChildren(...Object.entries(count).sort().map(([s, n]) => {
      const swatch = make("i");
      swatch.style.background = colour(s);
      return make("li", {}, swatch, `${s} ${n}`);
    }));
    if ($("cursor").textContent) this.move(this.cursor);
    this.paint();
  }

  size() { return [this.data.x_values.length, this.data.status.length]; }

  paint() {
    if (!this.data) return;
    const [nx, ny] = this.size(), ratio = window.devicePixelRatio || 1;
    const width = this.canvas.clientWidth, height = Math.max(48, Math.min(360, ny * Math.min(48, Math.max(22, width / nx))));
    if (!width) return;
    this.canvas.style.height = `${height}px`;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    const pen = this.canvas.getContext("2d");
    pen.scale(ratio, ratio);
    const w = width / nx, h = height / ny, gap = w > 6 && h > 6 ? 1 : 0;
    this.data.status.forEach((row, j) => row.forEach((s, i) => {
      pen.fillStyle = colour(s);
      pen.fillRect(i * w, j * h, w - gap, h - gap);
      if (!["ok", "missing", "running"].includes(s) && w > 10 && h > 10) {
        pen.strokeStyle = "#fff";
        pen.beginPath();
        pen.moveTo(i * w + w / 2 - 4, j * h + h / 2 - 4); pen.lineTo(i * w + w / 2 + 4, j * h + h / 2 + 4);
        pen.moveTo(i * w + w / 2 + 4, j * h + h / 2 - 4); pen.lineTo(i * w + w / 2 - 4, j * h + h / 2 + 4);
        pen.stroke();
      }
    }));
    const frame = ([i, j], text) => {
      pen.lineWidth = 3; pen.strokeStyle = "#000"; pen.strokeRect(i * w + 1, j * h + 1, w - 3, h - 3);
      pen.lineWidth = 1; pen.strokeStyle = "#fff"; pen.strokeRect(i * w + 1, j * h + 1, w - 3, h - 3);
      if (text) {
        pen.font = "bold 13px sans-serif"; pen.fillStyle = "#fff"; pen.strokeStyle = "#000"; pen.lineWidth = 3;
        pen.strokeText(text, i * w + 4, j * h + 15); pen.fillText(text, i * w + 4, j * h + 15);
      }
    };
    for (const [which, where] of Object.entries(this.taken)) if (where.view === this.view()) frame(where.cell, which);
    frame(this.cursor);
  }

  view() { return JSON.stringify([this.x, this.y, this.data && this.data.at]); }

  cell(event) {
    if (!this.data) return [0, 0];
    const box = this.canvas.getBoundingClientRect(), [nx, ny] = this.size();
    return [Math.floor((event.clientX - box.left) / box.width * nx), Math.floor((event.clientY - box.top) / box.height * ny)];
  }

  move([i, j]) {
    if (!this.data) return;
    const [nx, ny] = this.size();
    this.cursor = [Math.max(0, Math.min(nx - 1, i)), Math.max(0, Math.min(ny - 1, j))];
    const labels = this.labels();
    $("cursor").textContent = `${this.data.status[this.cursor[1]][this.cursor[0]]}: ${Object.entries(labels)
      .map(([k, v]) => `${k} = ${show(v)} ${unit((this.axes.coords[k] || {}).units)}`.trim()).join(", ")}`;
    this.paint();
  }

  labels() {
    const [i, j] = this.cursor, d = this.data;
    return { ...d.at, [d.x]: d.x_values[i], ...(d.y ? { [d.y]: d.y_values[j] } : {}) };
  }

  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) this.move([this.cursor[0] + step[0], this.cursor[1] + step[1]]);
    else if (event.key === "Enter" || event.key === "a") this.take("A");
    else if (event.key === "b" || event.key === "B") this.take("B");
    else return;
    event.preventDefault();
  }

  take(which) {
    if (!this.data) return;
    this.taken[which] = { view: this.view(), cell: [...this.cursor] };
    this.paint();
    this.onTake(which, this.labels());
  }
}
