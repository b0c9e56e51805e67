// Reading and zooming a chart: a cross at the nearest label with the values of all lines, by mouse, touch and keyboard.
import { print } from "./scales.js";

const SVG = "http://www.w3.org/2000/svg";

export class Explorer {
  // `read` is called with the text of the cross, `zoom` with {x: [low, high], y: [low, high]}, or null for all.
  constructor(box, { read, zoom }) {
    Object.assign(this, { box, read, zoom, at: null, from: null });
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.addEventListener("pointermove", (e) => this.moved(e));
    box.addEventListener("pointerdown", (e) => this.pressed(e));
    box.addEventListener("pointerup", (e) => this.released(e));
    box.addEventListener("pointerleave", () => { if (!this.from && document.activeElement !== box) this.clear(); });
    box.addEventListener("dblclick", () => this.zoom(null));
    box.addEventListener("keydown", (e) => this.key(e));
  }

  // A new drawing: the cross stays at its label if that is still there.
  show(plot) {
    this.plot = plot;
    this.marks = null;
    const labels = plot ? plot.lines.flatMap((line) => line.kept.map(([x]) => x)) : [];
    this.labels = [...new Set(labels)].filter((x) => x >= plot.X.range[0] - 1e-12 && x <= plot.X.range[1] + 1e-12).sort((a, b) => a - b);
    if (this.at !== null && this.labels.includes(this.at)) this.cross(this.at); else this.at = null;
  }

  // Place of an event in the drawing's own units.
  place(event) {
    const { svg } = this.plot, box = svg.getBoundingClientRect(), { width, height } = svg.viewBox.baseVal;
    return [((event.clientX - box.left) * width) / box.width, ((event.clientY - box.top) * height) / box.height];
  }

  within([x, y]) { const p = this.plot; return x >= p.left && x <= p.right && y >= p.top && y <= p.bottom; }

  layer() {
    if (!this.marks || !this.marks.isConnected) {
      this.marks = document.createElementNS(SVG, "g");
      this.marks.setAttribute("class", "cross");
      this.plot.svg.append(this.marks);
    }
    return this.marks;
  }

  put(name, attributes) {
    const element = document.createElementNS(SVG, name);
    for (const [k, v] of Object.entries(attributes)) element.setAttribute(k, v);
    this.layer().append(element);
  }

  clear() {
    this.marks?.remove();
    this.at = null;
    this.read("");
  }

  cross(x) {
    const { plot } = this, px = plot.X(x);
    this.at = x;
    this.layer().replaceChildren();
    this.put("line", { x1: px, x2: px, y1: plot.top, y2: plot.bottom, stroke: "var(--quiet)", "stroke-dasharray": "3 3" });
    const found = [];
    for (const line of plot.lines) {
      const point = line.kept.find(([at]) => at === x);
      if (!point || typeof point[1] !== "number") continue;
      const py = plot.Y(point[1]), error = line.errors?.[point[2]];
      if (py >= plot.top && py <= plot.bottom) this.put("circle", { cx: px, cy: py, r: 5, fill: "none", stroke: line.colour, "stroke-width": 2 });
      found.push(`${line.plain ?? line.name}: ${print(Number(point[1].toPrecision(6)))}${error > 0 ? ` ± ${print(Number(error.toPrecision(1)))}` : ""}`);
    }
    this.read([plot.name(x), ...found]);
  }

  nearest(px) {
    let best = null, least = Infinity;
    for (const x of this.labels) { const d = Math.abs(this.plot.X(x) - px); if (d < least) { least = d; best = x; } }
    return best;
  }

  moved(event) {
    if (!this.plot) return;
    const at = this.place(event);
    if (this.from) { this.band(at); return; }
    if (this.within(at) && this.labels.length) this.cross(this.nearest(at[0]));
  }

  pressed(event) {
    // A finger scrolls the page; it reads by a tap.
    if (!this.plot || event.button || event.pointerType === "touch" || !this.within(this.place(event))) return;
    this.from = this.place(event);
    this.box.setPointerCapture(event.pointerId);
  }

  band([x, y]) {
    const p = this.plot, clip = ([a, b]) => [Math.max(p.left, Math.min(p.right, a)), Math.max(p.top, Math.min(p.bottom, b))];
    const [a, b] = [clip(this.from), clip([x, y])];
    this.layer().replaceChildren();
    this.put("rect", { x: Math.min(a[0], b[0]), y: Math.min(a[1], b[1]), width: Math.abs(a[0] - b[0]), height: Math.abs(a[1] - b[1]), fill: "var(--main)", "fill-opacity": 0.15, stroke: "var(--main)" });
    return [a, b];
  }

  released(event) {
    if (!this.from) return;
    const [a, b] = this.band(this.place(event)), p = this.plot;
    this.from = null;
    this.marks?.remove();
    if (Math.abs(a[0] - b[0]) < 8 || Math.abs(a[1] - b[1]) < 8) return;
    const range = (at, u, v) => [at.invert(u), at.invert(v)].sort((m, n) => m - n);
    this.zoom({ x: range(p.X, a[0], b[0]), y: range(p.Y, a[1], b[1]) });
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.plot || !this.labels.length) return;
    const here = this.labels.indexOf(this.at), last = this.labels.length - 1;
    const to = { ArrowRight: here + 1, ArrowLeft: here - 1, Home: 0, End: last }[event.key];
    if (to !== undefined) this.cross(this.labels[Math.max(0, Math.min(last, to))]);
    else if (event.key === "+" || event.key === "-") this.closer(event.key === "+" ? 0.5 : 2);
    else if (event.key === "Escape" || event.key === "0") this.zoom(null);
    else return;
    event.preventDefault();
  }

  // Closer around the cross, or around the middle.
  closer(factor) {
    const p = this.plot, middle = this.at === null ? (p.left + p.right) / 2 : p.X(this.at), half = ((p.right - p.left) / 2) * factor;
    this.zoom({ x: [p.X.invert(middle - half), p.X.invert(middle + half)], y: null });
  }
}
