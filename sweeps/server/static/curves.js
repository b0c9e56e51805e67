// Curves of any variable against any axis, a slider for each other one, next to those of another sweep and of a table.
import { draw, savePng, saveSvg } from "./chart.js";
import { Explorer } from "./explore.js";
import { along, labelAt, linesOf, placed, pointsOf, table, titleOf } from "./series.js";
import { isGeometric } from "./scales.js";
import { snippet } from "./snippet.js";
import { $, call, make, path, quantity, say, titled, words } from "./tools.js";

// The driver's own numbers of a point, told last.
export const BOOKS = ["attempts", "cpu_time", "wall_time"];
const LINES = 24, FILE = 5e6, LARGEST = -1;

export const numeric = (axes) => Object.entries(axes.variables).filter(([, v]) => v.numeric)
  .sort(([a], [b]) => BOOKS.includes(a) - BOOKS.includes(b));
export const nothing = (box, error) => box.replaceChildren(make("p", { class: "error" }, error.message));

export class Curves {
  // `ended` tells whether the sweep goes on, `others` names the sweeps to compare with, `store` the cube's path.
  constructor({ ended, others, store }) {
    Object.assign(this, { ended, others, store, other: null, file: null, compare: "" });
    this.explorer = new Explorer($("curve"), {
      read: (found) => this.read(found),
      zoom: (ranges) => { this.zoomed = ranges && { x: ranges.x, y: ranges.y || undefined }; this.paint(); },
    });
    $("svg").addEventListener("click", () => this.svg() && saveSvg(this.svg(), this.name_of()));
    $("png").addEventListener("click", () => this.svg() && savePng(this.svg(), this.name_of()));
    $("unzoom").addEventListener("click", () => { this.zoomed = null; this.paint(); });
    $("measured").addEventListener("change", async (e) => {
      await this.upload(e.target.files[0]);
      // So that the same file, edited, can be chosen again.
      e.target.value = "";
    });
    $("unmeasure").addEventListener("click", () => { this.file = null; $("measured").value = ""; say("filesays", ""); this.paint(); });
    $("copysnippet").addEventListener("click", async (e) => {
      const button = e.currentTarget;
      try { await navigator.clipboard.writeText($("snippet").textContent); button.textContent = "Copied"; } catch { button.textContent = "Select it and copy"; }
    });
  }

  svg() { return $("curve").querySelector("svg"); }
  dims() { return this.axes.variables[this.variable].dims; }
  values(dim) { return this.axes.coords[dim].values; }
  own(dim) { return this.axes.own_dims.includes(dim); }
  // Dims of the outputs of which the largest value is drawn.
  largest() { return this.rest().filter((d) => this.own(d) && this.index[d] === LARGEST); }
  rest() { return this.dims().filter((d) => d !== this.x && d !== this.hue); }

  // Of files: the variable and its slice.
  name_of() {
    const fixed = this.rest().filter((d) => this.values(d).length > 1).map((d) => `${d}=${this.index[d] === LARGEST ? "largest" : this.values(d)[this.index[d] || 0]}`);
    return [this.name, this.variable, this.x, ...fixed].join("-").replace(/[^\w.=-]+/g, "_");
  }

  open(name, axes) {
    const keep = this.name === name;
    Object.assign(this, { name, axes });
    const usable = numeric(axes).map(([k]) => k);
    if (!keep || !usable.includes(this.variable)) {
      // A single point has one peak, but a whole course in time.
      this.variable = [axes.points > 1 ? "Delta0_peak" : "Delta0", usable[0]].find((v) => usable.includes(v));
      Object.assign(this, { index: {}, logY: false, logX: null, zoomed: null, hue: undefined, x: undefined, compare: "", other: null });
      this.axis();
    }
    this.controls();
    return this.refresh();
  }

  // A series opens against time, a number of each point against an axis.
  axis() {
    const long = this.dims().filter((d) => this.values(d).length > 1), series = long.includes("time");
    if (series && (this.x === undefined || !this.series)) this.x = "time";
    this.series = series;
    this.x = this.dims().includes(this.x) && this.values(this.x).length > 1 ? this.x : long.includes("F0") ? "F0" : long[0] || this.dims()[1];
    if (this.hue === undefined || (this.hue && !long.includes(this.hue)) || this.hue === this.x)
      this.hue = long.find((d) => d !== this.x && this.values(d).length <= 12 && !this.own(d)) || "";
  }

  controls() {
    const focused = document.activeElement?.id;
    const choose = (key, label, options, change, told = {}, text = (o) => o || "–") => make("label", { class: key }, label, make("select", { id: `curve-${key}`, onchange: (e) => {
      this[key] = e.target.value;
      this.zoomed = null;
      change();
      this.controls();
      this.refresh();
    } }, ...options.map((o) => make("option", { value: o, selected: o === this[key], title: told[o] && told[o].long_name }, text(o)))));
    const check = (key, text, on) => make("label", { class: "check" }, make("input", { id: `curve-${key}`, type: "checkbox", checked: on, onchange: (e) => { this[key] = e.target.checked; this.zoomed = null; this.paint(); } }), text);
    const long = this.dims().filter((d) => this.values(d).length > 1);
    // Against an axis, a series counts with its largest value until a time is chosen.
    for (const d of this.rest()) if (this.own(d) && this.index[d] === undefined) this.index[d] = LARGEST;
    const others = this.others();
    $("curvecontrols").replaceChildren(
      choose("variable", "variable", numeric(this.axes).map(([k]) => k), () => this.axis(), this.axes.variables),
      choose("x", "against", long.length ? long : [this.x], () => { if (this.hue === this.x) this.hue = ""; this.logX = null; }, this.axes.coords),
      choose("hue", "lines", ["", ...long.filter((d) => d !== this.x)], () => {}, this.axes.coords),
      ...(others.length ? [choose("compare", "compare with", ["", ...others], () => {})] : []),
      make("div", { class: "checks" }, check("logX", "log x", this.isLogX()), check("logY", "log y", this.logY)),
      ...this.rest().filter((d) => this.values(d).length > 1).map((d) => this.slider(d)));
    if (focused?.startsWith("curve-")) document.getElementById(focused)?.focus();
  }

  isLogX() { return this.logX ?? isGeometric(this.values(this.x).filter((v) => typeof v === "number")); }

  slider(dim) {
    const values = this.values(dim), least = this.own(dim) ? LARGEST : 0;
    const word = (i) => (i === LARGEST ? `largest over ${dim}` : quantity(values[i], this.axes.coords[dim].printed));
    const at = Math.min(this.index[dim] ?? least, values.length - 1);
    const out = make("output", {}, word(at));
    const input = make("input", { type: "range", min: least, max: values.length - 1, step: 1, value: at, "data-dim": dim, "aria-valuetext": word(at), oninput: () => {
      this.index[dim] = Number(input.value);
      out.textContent = word(this.index[dim]);
      input.setAttribute("aria-valuetext", word(this.index[dim]));
      this.refresh();
    } });
    return make("label", {}, dim, input, out);
  }

  at() {
    const largest = this.largest();
    return this.rest().filter((d) => !largest.includes(d)).map((d) => ["at", `${d}=${this.values(d)[this.index[d] || 0]}`]);
  }

  query(axes = this.axes, at = this.at()) {
    const errors = axes.variables[this.variable]?.error ? [["variable", `${this.variable}_error`]] : [];
    return new URLSearchParams([["variable", this.variable], ...errors, ...at, ...this.largest().map((d) => ["largest", d])]);
  }

  // One request at a time; a slider that moved meanwhile asks once more.
  async refresh() {
    if (this.busy) { this.again = true; return; }
    this.busy = true;
    try {
      do {
        this.again = false;
        const name = this.name, query = this.query();
        try {
          const data = await call(path(name, `slice?${query}`));
          if (name === this.name && !this.again) {
            this.data = data;
            await this.beside();
            this.paint();
            this.links(query);
          }
        } catch (error) {
          // A server that is gone takes nothing away from what has been drawn.
          if (error.status) { nothing($("curve"), error); this.explorer.show(null); $("svg").disabled = $("png").disabled = true; }
        }
      } while (this.again);
    } finally { this.busy = false; }
  }

  // The same slice of the sweep to compare with; axes that only one of both has stay at their first label.
  async beside() {
    say("comparesays", "");
    if (!this.compare) { this.other = null; return; }
    try {
      const axes = await call(path(this.compare, "axes")), dims = axes.variables[this.variable]?.dims;
      if (!dims?.includes(this.x)) throw new Error(`${this.compare} has no ${this.variable} against ${this.x}.`);
      const mine = Object.fromEntries(this.at().map(([, text]) => text.split("=")));
      const hue = dims.includes(this.hue) ? this.hue : "";
      const at = dims.filter((d) => d !== this.x && d !== hue && !this.largest().includes(d))
        .map((d) => ["at", `${d}=${mine[d] !== undefined && axes.coords[d].values.length > 1 ? mine[d] : axes.coords[d].values[0]}`]);
      const data = await call(path(this.compare, `slice?${this.query(axes, at)}`));
      this.other = { name: this.compare, axes, data, hue };
      const differs = at.map(([, text]) => text).filter((text) => { const [d, v] = text.split("="); return mine[d] !== undefined && mine[d] !== v; });
      if (differs.length) say("comparesays", `${this.compare} is drawn at ${differs.join(", ")}.`);
    } catch (error) {
      this.other = null;
      say("comparesays", error.message);
    }
  }

  async upload(file) {
    if (!file) return;
    try {
      if (file.size > FILE) throw new Error(`the file must have at most ${FILE / 1e6} MB. It has ${(file.size / 1e6).toFixed(1)} MB.`);
      const found = table(await file.text());
      this.file = { points: pointsOf(found, file.name), x: this.x };
      say("filesays", `${file.name}: ${found.columns[0].length} rows against ${this.x} (${found.head[0]}). The file stays in this browser.`);
    } catch (error) {
      this.file = null;
      say("filesays", `${file.name}: ${error.message}`);
    }
    this.paint();
  }

  links(query) {
    $("csv").href = `/api/${path(this.name, `slice?${query}&format=csv`)}`;
    $("netcdf").href = `/api/${path(this.name, `slice?${query}&format=netcdf`)}`;
    const own = this.axes.own_dims, fixed = this.at().filter(([, text]) => !own.includes(text.split("=")[0]));
    const plot = new URLSearchParams([["x", this.x], ["y", this.variable], ...(this.hue ? [["hue", this.hue]] : []), ...fixed]);
    const off = $("svg").disabled || (own.includes(this.x) && this.x !== "time") || own.includes(this.hue);
    for (const [id, more] of [["plot", ""], ["pdf", "&format=pdf&style=paper&columns=1"]]) {
      $(id).setAttribute("aria-disabled", off);
      // Without an address the keyboard passes it by too.
      if (off) $(id).removeAttribute("href"); else $(id).href = `/api/${path(this.name, `picture?${plot}${more}`)}`;
    }
    $("snippet").textContent = snippet({ store: this.store(), variable: this.variable, x: this.x, hue: this.hue, at: this.at().map(([, text]) => text.split("=")[0]).map((d) => [d, this.values(d)[this.index[d] || 0]]),
      largest: this.largest(), logX: this.isLogX(), logY: this.logY });
  }

  paint() {
    const found = this.data && this.data.variables[this.variable];
    if (!found || !this.data.coords[this.x]) return;
    const x = this.axes.coords[this.x], hue = this.hue && this.axes.coords[this.hue], v = this.axes.variables[this.variable];
    let lines = linesOf(this.data, this.axes, { variable: this.variable, x: this.x, hue: this.hue, most: LINES });
    if (this.other) lines.push(...linesOf(this.other.data, this.other.axes, { variable: this.variable, x: this.x, hue: this.other.hue, most: LINES, suffix: ` – ${this.other.name}` }));
    const inWords = x.values.some((value) => typeof value !== "number");
    if (inWords) lines = placed(lines, x.shown, x.values);
    else if (this.file?.x === this.x) lines.push(...this.file.points);
    const fixed = this.rest(), largest = this.largest();
    const labels = Object.fromEntries(fixed.filter((d) => !largest.includes(d)).flatMap((d) => along(this.axes, d).map((n) => [n, this.axes.coords[n].values[this.index[d] || 0]])));
    const title = `${largest.length ? `largest ${v.symbol}` : v.symbol}`;
    const plot = draw($("curve"), {
      title: words(labels, this.axes.coords, true),
      label: `${titled(this.variable, found.printed)} against ${titled(this.x, x.printed)}. ${words(labels, this.axes.coords).join(", ")}`,
      x: { title: titleOf(this.axes, this.x), log: this.isLogX(), range: this.zoomed?.x, shown: inWords ? x.values.map((_, i) => labelAt(this.axes, this.x, i)) : undefined },
      y: { title: titled(title, found.printed), log: this.logY, range: this.zoomed?.y },
      legend: hue ? `${titleOf(this.axes, this.hue)}:` : "", lines,
      none: this.ended() ? "No point here has a value: see the map and the failures." : "No point here is in the cube yet; points appear within twenty seconds." });
    this.explorer.show(plot);
    $("unzoom").hidden = !this.zoomed;
    $("unmeasure").hidden = this.file?.x !== this.x;
    $("svg").disabled = $("png").disabled = !plot;
    say("curvesays", `${this.variable}: ${found.long_name}.${hue && hue.values.length > LINES ? ` The first ${LINES} of ${hue.values.length} lines; the downloads contain all.` : ""}`);
  }

  read(found) {
    if (!found) { say("curveread", ""); return; }
    const x = this.axes.coords[this.x];
    say("curveread", `${this.x} = ${found[0]} ${x.printed}; ${found.slice(1).join("; ")}`);
  }
}
