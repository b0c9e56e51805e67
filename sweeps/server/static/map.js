// The map of a sweep: one cell a point of two axes, on a canvas that mouse and arrow keys both read.
import { $, call, make, path, say, show, titled, words } from "./tools.js";

const STATES = { ok: "#009E73", running: "#56B4E9", missing: "#b9c0c7", error: "#D55E00", not_converged: "#E69F00",
  timeout: "#CC79A7", lost: "#8c510a", memory: "#7b3294", nan: "#a6611a" };
const colour = (status) => STATES[status] || "#333333";

const CELLS = 40000; // as many as the server gives

export class PointMap {
  constructor(onTake) {
    this.onTake = onTake;
    this.canvas = $("map");
    this.cursor = [0, 0];
    this.taken = {};
    this.canvas.addEventListener("mousemove", (e) => this.move(this.cell(e)));
    this.canvas.addEventListener("click", (e) => { this.move(this.cell(e)); this.take(e.shiftKey ? "B" : $("take").value); });
    this.canvas.addEventListener("keydown", (e) => this.key(e));
    new ResizeObserver(() => this.paint()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.paint());
  }

  open(name, axes) {
    Object.assign(this, { name, axes, data: null, cursor: [0, 0], taken: {} });
    const long = axes.dims.filter((d) => this.values(d).length > 1);
    this.x = long.includes("F0") ? "F0" : long[0] || axes.dims[1];
    this.y = long.find((d) => d !== this.x && this.values(d).length * this.values(this.x).length <= CELLS) || "";
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
    $("mapcontrols").replaceChildren(pick("x", "across"), pick("y", "down", true), ...rest.map((d) => make("label", {}, titled(d, this.axes.coords[d].printed),
      make("select", { onchange: (e) => { this.at[d] = Number(e.target.value); this.refresh(); } },
        ...this.values(d).map((v, i) => make("option", { value: i, selected: i === this.at[d] }, show(v)))))));
  }

  refresh() { return (this.latest = this.load()); }

  async load() {
    const name = this.name, mine = (this.turn = {});
    const query = new URLSearchParams([["x", this.x], ...(this.y ? [["y", this.y]] : []),
      ...this.axes.dims.filter((d) => d !== this.x && d !== this.y).map((d) => ["at", `${d}=${this.values(d)[this.at[d]]}`])]);
    let data = null;
    try { data = await call(path(name, `map?${query}`)); } catch (error) {
      if (error.status !== 413) throw error;
      say("cursor", error.message);
    }
    if (name !== this.name) return;
    // Another plane was chosen meanwhile.
    if (mine !== this.turn) { await this.latest; return; }
    this.canvas.hidden = $("legend").hidden = !data;
    if (!data) { this.data = null; return; }
    if (!this.data) say("cursor", "");
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

  // Where the cells lie on the canvas, beside the labels of the axes.
  layout(pen, width) {
    const { data } = this, [nx, ny] = this.size();
    const rows = data.y ? data.y_values.map((v) => show(v)) : [];
    const left = data.y ? Math.min(width / 3, 34 + Math.max(...rows.map((t) => pen.measureText(t).width))) : 0;
    const w = (width - left) / nx, tall = Math.max(32, Math.min(360, ny * Math.min(48, Math.max(22, w))));
    return { rows, left, w, h: tall / ny, tall, right: width };
  }

  paint() {
    if (!this.data) return;
    const { canvas } = this, width = canvas.clientWidth, ratio = window.devicePixelRatio || 1;
    if (!width) return;
    const pen = canvas.getContext("2d"), style = getComputedStyle(canvas), font = (size, bold = "") => `${bold} ${size}px ${style.fontFamily}`;
    pen.font = font(13);
    const box = this.box = this.layout(pen, width), { left, w, h, tall } = box, gap = w > 6 && h > 6 ? 1 : 0;
    canvas.style.height = `${tall + 42}px`;
    canvas.width = width * ratio;
    canvas.height = (tall + 42) * ratio;
    pen.scale(ratio, ratio);
    pen.font = font(13);
    pen.fillStyle = style.color;
    this.annotate(pen, box);
    this.data.status.forEach((row, j) => row.forEach((s, i) => {
      const x = left + i * w, y = j * h, cx = x + (w - gap) / 2, cy = y + (h - gap) / 2;
      pen.fillStyle = colour(s);
      pen.fillRect(x, y, w - gap, h - gap);
      if (w <= 10 || h <= 10 || s === "ok" || s === "missing") return;
      // Marks tell what colours tell, to those who see no colours.
      pen.strokeStyle = pen.fillStyle = "#000";
      pen.lineWidth = 1.5;
      pen.beginPath();
      if (s === "running") pen.arc(cx, cy, 3, 0, 7);
      else for (const way of [-1, 1]) { pen.moveTo(cx - 4, cy - 4 * way); pen.lineTo(cx + 4, cy + 4 * way); }
      if (s === "running") pen.fill(); else pen.stroke();
    }));
    const frame = ([i, j]) => {
      for (const [line, ink] of [[3, "#000"], [1, "#fff"]]) {
        pen.lineWidth = line; pen.strokeStyle = ink; pen.strokeRect(left + i * w + 1, j * h + 1, w - 3, h - 3);
      }
    };
    const named = {};
    for (const [which, where] of Object.entries(this.taken)) if (where.view === this.view()) (named[where.cell] ||= []).push(which);
    pen.font = font(13, "bold");
    for (const [cell, names] of Object.entries(named)) {
      const [i, j] = cell.split(",").map(Number);
      frame([i, j]);
      pen.fillStyle = "#fff"; pen.strokeStyle = "#000"; pen.lineWidth = 3;
      for (const draw of ["strokeText", "fillText"]) pen[draw](names.sort().join(" "), left + i * w + 4, j * h + 15);
    }
    frame(this.cursor);
  }

  // Labels of both axes with their names and units; only as many as have room.
  annotate(pen, { rows, left, w, h, tall, right }) {
    const { data } = this, name = (d) => titled(d, this.axes.coords[d].printed);
    const columns = data.x_values.map((v) => show(v)), every = (room, size) => Math.max(1, Math.ceil(size / room));
    const step = every(w, 8 + Math.max(...columns.map((t) => pen.measureText(t).width)));
    pen.textAlign = "center";
    columns.forEach((t, i) => {
      const x = left + (i + 0.5) * w;
      if (i % step === 0 && x + pen.measureText(t).width / 2 <= right) pen.fillText(t, x, tall + 16);
    });
    pen.fillText(name(data.x), left + (right - left) / 2, tall + 36);
    if (data.y) {
      pen.textAlign = "right";
      rows.forEach((t, j) => { if (j % every(h, 15) === 0) pen.fillText(t, left - 7, (j + 0.5) * h + 4, left - 30); });
      pen.save();
      pen.translate(13, tall / 2);
      pen.rotate(-Math.PI / 2);
      pen.textAlign = "center";
      pen.fillText(name(data.y), 0, 0, tall);
      pen.restore();
    }
    pen.textAlign = "start";
  }

  view() { return JSON.stringify([this.x, this.y, this.data && this.data.at]); }

  cell(event) {
    if (!this.box) return [0, 0];
    const at = this.canvas.getBoundingClientRect(), { left, w, h } = this.box;
    return [Math.floor((event.clientX - at.left - left) / w), Math.floor((event.clientY - at.top) / h)];
  }

  move([i, j]) {
    if (!this.data) return;
    const [nx, ny] = this.size();
    this.cursor = [Math.max(0, Math.min(nx - 1, i)), Math.max(0, Math.min(ny - 1, j))];
    say("cursor", `${this.data.status[this.cursor[1]][this.cursor[0]]}: ${words(this.labels(), this.axes.coords).join(", ")}`);
    this.paint();
  }

  labels() {
    const [i, j] = this.cursor, d = this.data;
    const found = { ...d.at, [d.x]: d.x_values[i], ...(d.y ? { [d.y]: d.y_values[j] } : {}) };
    return Object.fromEntries(this.axes.dims.map((dim) => [dim, found[dim]]));
  }

  key(event) {
    // Alt and an arrow are the browser's.
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (step) this.move([this.cursor[0] + step[0], this.cursor[1] + step[1]]);
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
    this.move([where(this.x), this.y ? where(this.y) : 0]);
    this.take("A");
  }

  take(which) {
    if (!this.data) return;
    this.taken[which] = { view: this.view(), cell: [...this.cursor] };
    this.paint();
    this.onTake(which, this.labels());
  }
}
