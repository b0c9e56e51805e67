// The canvas of the map: panels of cells with axes, a colour bar, lines, and marks of the points that are looked at.
import { RAMP, colourOf, pixel, rgb } from "./colours.js";
import { border, contours } from "./lines.js";
import { extent, print, scale, ticks } from "./scales.js";
import { labelAt, titleOf } from "./series.js";
import { measure, write } from "./tools.js";

const TITLE = 20, AXIS = 42, BAR = 46, GAP = 12, NARROW = 170, LONGEST = 8192;

export class Sheet {
  constructor(canvas) {
    this.canvas = canvas;
    this.still = document.createElement("canvas");
  }

  // data: a plane of the server; look: {axes, most, log, lines, threshold, title, under}.
  draw(data, look) {
    const { canvas, still } = this, width = canvas.clientWidth, ratio = window.devicePixelRatio || 1;
    if (!width) return;
    const style = getComputedStyle(canvas), pen = still.getContext("2d");
    this.font = (size, bold = "") => `${bold} ${size}px ${style.fontFamily}`;
    pen.font = this.font(13);
    this.data = data;
    this.flip = data.y && data.y_values.some((v) => typeof v === "number");
    const box = this.box = this.layout(pen, width, look);
    canvas.style.height = `${box.height}px`;
    for (const c of [canvas, still]) { c.width = width * ratio; c.height = box.height * ratio; }
    pen.scale(ratio, ratio);
    pen.font = this.font(13);
    pen.fillStyle = style.color;
    this.card = style.getPropertyValue("--card").trim() || "#fff";
    this.colours(look);
    for (let p = 0; p < box.panels; p++) this.panel(pen, p, look);
    pen.fillStyle = style.color;
    this.annotate(pen, look);
    if (data.values) this.bar(pen, look, style.color);
  }

  layout(pen, width, { axes, most }) {
    const { data } = this, [np, ny, nx] = data.shape, panels = Math.min(np, most);
    const shown = (key) => (data[key] ? data[`${key}_values`].map((v) => { const i = axes.coords[data[key]].values.indexOf(v); return i < 0 ? String(v) : labelAt(axes, data[key], i); }) : []);
    const rows = shown("y"), columns = shown("x"), titles = shown("panels");
    const left = data.y ? Math.min(width / 3, 34 + Math.max(...thin(rows, 40).map((t) => pen.measureText(t).width))) : 0;
    const across = panels === 1 ? 1 : Math.max(1, Math.min(panels, Math.floor((width - left) / NARROW)));
    const wide = (width - left - GAP * (across - 1)) / across, w = wide / nx;
    const tall = panels === 1 ? Math.max(32, Math.min(360, ny * Math.min(48, Math.max(22, w)))) : Math.max(32, Math.min(190, ny * Math.min(40, Math.max(12, w))));
    const top = data.panels ? TITLE : 0, down = Math.ceil(panels / across);
    const height = down * (top + tall) + (down - 1) * GAP + AXIS + (data.values ? BAR : 0) + (np > panels ? TITLE : 0);
    return { panels, left, across, down, wide, tall, top, w, h: tall / ny, width, height, rows, columns, titles };
  }

  corner(p) {
    const { left, across, wide, tall, top } = this.box;
    return [left + (p % across) * (wide + GAP), Math.floor(p / across) * (top + tall + GAP) + top];
  }

  // Place of cell (i, j) of a panel: its left upper corner.
  place(p, i, j) {
    const [x, y] = this.corner(p), { w, h } = this.box, ny = this.data.shape[1];
    return [x + i * w, y + (this.flip ? ny - 1 - j : j) * h];
  }

  colours({ log }) {
    const { data } = this;
    const usable = log ? (v) => v > 0 && Number.isFinite(v) : Number.isFinite;
    this.range = data.values && extent(data.values, usable);
    this.scale = this.range && scale(...this.range, 0, 255, log);
    this.states = data.kinds.map((kind) => pixel(rgb(colourOf(kind))));
    this.okay = data.kinds.indexOf("ok");
  }

  colour(k) {
    const { data } = this;
    if (!data.values || data.codes[k] !== this.okay) return this.states[data.codes[k]];
    const v = data.values[k];
    if (Number.isNaN(v) || !this.scale) return this.states[data.codes[k]] && pixel(rgb("#dddddd"));
    const at = this.scale(v);
    return RAMP[at >= 255 ? 255 : at > 0 ? Math.round(at) : 0];
  }

  panel(pen, p, look) {
    const { data, box } = this, [, ny, nx] = data.shape, { w, h, wide, tall } = box, [left, top] = this.corner(p), base = p * nx * ny;
    // A canvas has at most some ten thousand pixels a side; of longer axes every second, third, ... label is drawn.
    const stepX = Math.ceil(nx / LONGEST), stepY = Math.ceil(ny / LONGEST), W = Math.ceil(nx / stepX), H = Math.ceil(ny / stepY);
    const image = new ImageData(W, H), cells = new Uint32Array(image.data.buffer);
    for (let j = 0; j < H; j++) {
      const row = (this.flip ? H - 1 - j : j) * W;
      for (let i = 0; i < W; i++) cells[row + i] = this.colour(base + j * stepY * nx + i * stepX);
    }
    const tile = Object.assign(document.createElement("canvas"), { width: W, height: H });
    tile.getContext("2d").putImageData(image, 0, 0);
    pen.imageSmoothingEnabled = nx > wide || ny > tall;
    pen.drawImage(tile, left, top, wide, tall);
    if (w > 6 && h > 6) {
      pen.fillStyle = this.card;
      for (let i = 1; i < nx; i++) pen.fillRect(left + i * w - 0.5, top, 1, tall);
      for (let j = 1; j < ny; j++) pen.fillRect(left, top + j * h - 0.5, wide, 1);
    }
    if (w > 10 && h > 10) this.marks(pen, p);
    if (data.values && look.lines !== "none" && ny > 1 && nx > 1) this.lines(pen, p, look);
  }

  // Marks show what colours show, to those who see no colours.
  marks(pen, p) {
    const { data } = this, [, ny, nx] = data.shape, { w, h } = this.box;
    pen.strokeStyle = pen.fillStyle = "#000";
    pen.lineWidth = 1.5;
    for (let j = 0; j < ny; j++) {
      for (let i = 0; i < nx; i++) {
        const kind = data.kinds[data.codes[(p * ny + j) * nx + i]];
        if (kind === "ok" || kind === "missing") continue;
        const [x, y] = this.place(p, i, j), cx = x + w / 2, cy = y + h / 2;
        pen.beginPath();
        if (kind === "running") { pen.arc(cx, cy, 3, 0, 7); pen.fill(); continue; }
        for (const way of [-1, 1]) { pen.moveTo(cx - 4, cy - 4 * way); pen.lineTo(cx + 4, cy + 4 * way); }
        pen.stroke();
      }
    }
  }

  lines(pen, p, { lines, threshold }) {
    const { data, box } = this, [, ny, nx] = data.shape, [left, top] = this.corner(p);
    const values = data.values.subarray(p * nx * ny, (p + 1) * nx * ny);
    const levels = lines === "border" ? [threshold] : this.range ? this.scale.ticks.filter((v) => v > this.range[0] && v < this.range[1]) : [];
    const segments = levels.flatMap((level) => (lines === "border" ? border : contours)(values, nx, ny, level));
    const X = (i) => left + i * box.w, Y = (j) => top + (this.flip ? box.tall - j * box.h : j * box.h);
    const way = new Path2D();
    for (const [a, b, c, d] of segments) { way.moveTo(X(a), Y(b)); way.lineTo(X(c), Y(d)); }
    for (const [ink, size] of lines === "border" ? [["#fff", 4], ["#000", 2]] : [["#fff", 2.5], ["#000", 1]]) { pen.strokeStyle = ink; pen.lineWidth = size; pen.lineCap = "round"; pen.stroke(way); }
    this.drawn = { ...(this.drawn || {}), [p]: segments.length };
  }

  // Labels of the axes with their names and units, only as many as have room; names of the panels.
  annotate(pen, { axes, most }) {
    const { data, box } = this, { rows, columns, titles, left, across, panels, w, h, tall, wide, width } = box, [np, ny] = data.shape;
    const name = (key) => titleOf(axes, data[key]);
    const step = Math.max(1, Math.ceil((8 + Math.max(...thin(columns, 40).map((t) => pen.measureText(t).width))) / w)), jump = Math.max(1, Math.ceil(15 / h));
    for (let p = 0; p < panels; p++) {
      const [x, y] = this.corner(p), first = p % across === 0, last = p + across >= panels;
      pen.textAlign = "center";
      if (data.panels) write(pen, `${titleOf(axes, data.panels)}: ${titles[p]}`, x + wide / 2, y - 6);
      if (last) {
        columns.forEach((t, i) => { const at = x + (i + 0.5) * w; if (i % step === 0 && at + pen.measureText(t).width / 2 <= width) pen.fillText(t, at, y + tall + 16); });
        write(pen, name("x"), x + wide / 2, y + tall + 36);
      }
      if (!data.y || !first) continue;
      pen.textAlign = "right";
      rows.forEach((t, j) => { if (j % jump === 0) pen.fillText(t, left - 7, y + (this.flip ? ny - 1 - j + 0.5 : j + 0.5) * h + 4, left - 30); });
      pen.save();
      pen.translate(13, y + tall / 2);
      pen.rotate(-Math.PI / 2);
      pen.textAlign = "center";
      write(pen, name("y"), 0, 0);
      pen.restore();
    }
    pen.textAlign = "start";
    if (np > most) pen.fillText(`The first ${most} of ${np} panels.`, left, box.height - 5);
  }

  bar(pen, { title, log }, ink) {
    const { left, down, top, tall, width } = this.box, y = down * (top + tall) + (down - 1) * GAP + AXIS + 4, wide = width - left - 2;
    if (!this.range) { pen.fillText("no value here yet", left, y + 12); return; }
    const titleWidth = measure(pen, title) + 12, end = Math.max(80, wide - titleWidth);
    for (let k = 0; k < end; k++) {
      const c = RAMP[Math.round((255 * k) / (end - 1))];
      pen.fillStyle = `rgb(${c & 255} ${(c >> 8) & 255} ${(c >> 16) & 255})`;
      pen.fillRect(left + k, y, 1.5, 12);
    }
    pen.fillStyle = ink;
    write(pen, title, left + end + 10, y + 11);
    const at = scale(...this.range, left, left + end, log), [low, high] = at.range;
    let past = -Infinity;
    const most = Math.max(Math.abs(low), Math.abs(high));
    for (const v of log ? at.ticks : ticks(low, high, 6)) {
      const text = print(v, log ? undefined : most), half = pen.measureText(text).width / 2, x = Math.max(left + half, at(v));
      if (x - half < past + 6) continue;
      past = x + half;
      pen.fillRect(at(v) - 0.5, y + 12, 1, 4);
      pen.textAlign = "center";
      pen.fillText(text, x, y + 30);
    }
    pen.textAlign = "start";
  }

  // The map as drawn, with a frame around the cursor and around points A and B.
  overlay(cursor, taken) {
    const { canvas, still, box } = this;
    if (!box) return;
    const pen = canvas.getContext("2d"), ratio = still.width / box.width;
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(still, 0, 0);
    pen.scale(ratio, ratio);
    const frame = ([p, j, i]) => {
      const [x, y] = this.place(p, i, j), w = Math.max(box.w, 4), h = Math.max(box.h, 4);
      for (const [line, ink] of [[3, "#000"], [1, "#fff"]]) { pen.lineWidth = line; pen.strokeStyle = ink; pen.strokeRect(x + 1, y + 1, w - 2, h - 2); }
      return [x, y];
    };
    const named = {};
    for (const [which, cell] of taken) (named[cell] ||= []).push(which);
    pen.font = this.font(13, "bold");
    for (const [cell, names] of Object.entries(named)) {
      const [x, y] = frame(cell.split(",").map(Number));
      pen.fillStyle = "#fff"; pen.strokeStyle = "#000"; pen.lineWidth = 3;
      for (const draw of ["strokeText", "fillText"]) pen[draw](names.sort().join(" "), x + 4, y + 15);
    }
    frame(cursor);
  }

  // The map as drawn, with a line through a column of its only panel.
  column(i) {
    const { canvas, still, box } = this;
    if (!box) return;
    const pen = canvas.getContext("2d"), ratio = still.width / box.width, [left, top] = this.corner(0);
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(still, 0, 0);
    pen.scale(ratio, ratio);
    for (const [ink, size] of [["#000", 4], ["#fff", 2]]) { pen.fillStyle = ink; pen.fillRect(left + (i + 0.5) * box.w - size / 2, top, size, box.tall); }
  }

  // Panel, column and row under the mouse.
  cell(event) {
    if (!this.box) return [0, 0, 0];
    const at = this.canvas.getBoundingClientRect(), { left, across, wide, tall, top, w, h, panels } = this.box;
    const x = event.clientX - at.left, y = event.clientY - at.top;
    const column = Math.max(0, Math.min(across - 1, Math.floor((x - left) / (wide + GAP)))), row = Math.max(0, Math.floor(y / (top + tall + GAP)));
    const p = Math.min(panels - 1, row * across + column), corner = this.corner(p), ny = this.data.shape[1];
    const j = Math.floor((y - corner[1]) / h);
    return [p, Math.floor((x - corner[0]) / w), this.flip ? ny - 1 - j : j];
  }
}

// Some of many, for what only needs their size.
const thin = (list, most) => (list.length <= most ? (list.length ? list : [""]) : list.filter((_, i) => i % Math.ceil(list.length / most) === 0 || i === list.length - 1));
