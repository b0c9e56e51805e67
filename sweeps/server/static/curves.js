// Curves of any variable against any axis, a slider for each other axis; and two points side by side.
import { draw, isGeometric, savePng, saveSvg } from "./chart.js";
import { $, call, make, path, quantity, say, show, titled, words } from "./tools.js";

// The driver's own numbers of a point, told last.
const BOOKS = ["attempts", "cpu_time", "wall_time"];
const LINES = 24;

const numeric = (axes) => Object.entries(axes.variables).filter(([, v]) => v.numeric)
  .sort(([a], [b]) => BOOKS.includes(a) - BOOKS.includes(b));
const nothing = (box, error) => box.replaceChildren(make("p", { class: "error" }, error.message));

export class Curves {
  // `ended` tells whether the sweep goes on.
  constructor(ended) {
    this.ended = ended;
    $("svg").addEventListener("click", () => this.svg() && saveSvg(this.svg(), this.file()));
    $("png").addEventListener("click", () => this.svg() && savePng(this.svg(), this.file()));
  }

  svg() { return $("curve").querySelector("svg"); }
  file() { return `${this.name}-${this.variable}-${this.x}`; }
  dims() { return this.axes.variables[this.variable].dims; }
  values(dim) { return this.axes.coords[dim].values; }

  open(name, axes) {
    const keep = this.name === name;
    Object.assign(this, { name, axes });
    const usable = numeric(axes).map(([k]) => k);
    if (!keep || !usable.includes(this.variable)) {
      // A single point has one peak, but a whole course in time.
      this.variable = [axes.points > 1 ? "Delta0_peak" : "Delta0", usable[0]].find((v) => usable.includes(v));
      this.index = {};
      this.logY = false;
      this.axis();
    }
    this.controls();
    return this.refresh();
  }

  axis() {
    const long = this.dims().filter((d) => this.values(d).length > 1);
    this.x = this.dims().includes(this.x) && this.values(this.x).length > 1 ? this.x : long.includes("F0") ? "F0" : long[0] || this.dims()[1];
    if (this.hue === undefined || !long.includes(this.hue) || this.hue === this.x)
      this.hue = long.find((d) => d !== this.x && this.values(d).length <= 12 && !this.axes.own_dims.includes(d)) || "";
  }

  controls() {
    const choose = (label, key, options, change, told = {}) => make("label", { class: key }, label, make("select", { id: `curve-${key}`, onchange: (e) => {
      this[key] = e.target.value;
      change();
      this.controls();
      $(`curve-${key}`).focus();
      this.refresh();
    } }, ...options.map((o) => make("option", { value: o, selected: o === this[key], title: told[o] && told[o].long_name }, o || "–"))));
    const long = this.dims().filter((d) => this.values(d).length > 1);
    const rest = long.filter((d) => d !== this.x && d !== this.hue);
    $("curvecontrols").replaceChildren(
      choose("variable", "variable", numeric(this.axes).map(([k]) => k), () => this.axis(), this.axes.variables),
      choose("against", "x", long.length ? long : [this.x], () => { if (this.hue === this.x) this.hue = ""; }, this.axes.coords),
      choose("lines", "hue", ["", ...long.filter((d) => d !== this.x)], () => {}, this.axes.coords),
      make("label", { class: "check" }, make("input", { type: "checkbox", checked: this.logY, onchange: (e) => { this.logY = e.target.checked; this.paint(); } }), "log scale"),
      ...rest.map((d) => this.slider(d)));
  }

  slider(dim) {
    const values = this.values(dim);
    const word = (i) => quantity(values[i], this.axes.coords[dim].printed);
    const at = Math.min(this.index[dim] || 0, values.length - 1);
    const out = make("output", {}, word(at));
    const input = make("input", { type: "range", min: 0, max: values.length - 1, step: 1, value: at, "data-dim": dim, "aria-valuetext": word(at), oninput: () => {
      this.index[dim] = Number(input.value);
      out.textContent = word(this.index[dim]);
      input.setAttribute("aria-valuetext", word(this.index[dim]));
      this.refresh();
    } });
    return make("label", {}, dim, input, out);
  }

  at() {
    return this.dims().filter((d) => d !== this.x && d !== this.hue).map((d) => ["at", `${d}=${this.values(d)[this.index[d] || 0]}`]);
  }

  // One request at a time; a slider that moved meanwhile asks once more.
  async refresh() {
    if (this.busy) { this.again = true; return; }
    this.busy = true;
    try {
      do {
        this.again = false;
        const name = this.name, at = this.at();
        const query = new URLSearchParams([["variable", this.variable], ...at]);
        try {
          const data = await call(path(name, `slice?${query}`));
          if (name === this.name && !this.again) { this.data = data; this.paint(); this.links(at, query); }
        } catch (error) {
          // A server that is gone takes nothing away from what has been drawn.
          if (error.status) { nothing($("curve"), error); $("svg").disabled = $("png").disabled = true; }
        }
      } while (this.again);
    } finally { this.busy = false; }
  }

  links(at, query) {
    $("csv").href = `/api/${path(this.name, `slice?${query}&format=csv`)}`;
    $("netcdf").href = `/api/${path(this.name, `slice?${query}&format=netcdf`)}`;
    const own = this.axes.own_dims, fixed = at.filter(([, text]) => !own.includes(text.split("=")[0]));
    const plot = new URLSearchParams([["x", this.x], ["y", this.variable], ...(this.hue ? [["hue", this.hue]] : []), ...fixed]);
    const off = $("svg").disabled || (own.includes(this.x) && this.x !== "time") || own.includes(this.hue);
    $("plot").setAttribute("aria-disabled", off);
    // Without an address the keyboard passes it by too.
    if (off) $("plot").removeAttribute("href"); else $("plot").href = `/api/${path(this.name, `picture?${plot}`)}`;
  }

  paint() {
    const found = this.data && this.data.variables[this.variable];
    if (!found) return;
    const x = this.data.coords[this.x], hue = this.hue && this.data.coords[this.hue];
    const lines = !hue ? [{ name: this.variable, values: found.values }]
      : hue.values.slice(0, LINES).map((v, k) => ({ name: show(v),
        values: found.dims[0] === this.hue ? found.values[k] : found.values.map((row) => row[k]) }));
    const fixed = this.dims().filter((d) => d !== this.x && d !== this.hue);
    const drawn = draw($("curve"), { title: words(Object.fromEntries(fixed.map((d) => [d, this.values(d)[this.index[d] || 0]])), this.axes.coords),
      x: { title: titled(this.x, x.printed), values: x.values, log: isGeometric(x.values) },
      y: { title: titled(this.variable, found.printed), log: this.logY }, legend: hue ? `${titled(this.hue, hue.printed)}:` : "", lines,
      none: this.ended() ? "No point here has a value: see the map and the failures." : "No point here is in the cube yet; points appear within twenty seconds." });
    $("svg").disabled = $("png").disabled = !drawn;
    say("curvesays", `${this.variable}: ${found.long_name}.${hue && hue.values.length > LINES ? ` The first ${LINES} of ${hue.values.length} lines; the downloads contain all.` : ""}`);
  }
}

export class Pair {
  open(name, axes) {
    const other = this.name !== name;
    Object.assign(this, { name, axes });
    const all = numeric(axes);
    this.series = all.filter(([, v]) => v.dims.length === axes.dims.length + 1).map(([k]) => k);
    this.scalars = all.filter(([, v]) => v.dims.length === axes.dims.length).map(([k]) => k).filter((k) => !BOOKS.includes(k)).slice(0, 20);
    if (!other) return;
    this.variable = this.series[0];
    this.shown = {};
    for (const which of ["A", "B"]) $(`point${which}`).replaceChildren(make("h4", {}, which), make("p", { class: "quiet" }, "Select a point on the map."));
    $("paircontrols").replaceChildren(...(this.series.length ? [make("label", {}, "variable", make("select", { onchange: (e) => {
      this.variable = e.target.value;
      this.curves().catch((error) => nothing($("pointA"), error));
    } }, ...this.series.map((v) => make("option", { title: axes.variables[v].long_name }, v))))] : []));
  }

  async take(which, labels) {
    const box = $(`point${which}`), name = this.name;
    this.latest = { ...this.latest, [which]: labels };
    const text = Object.entries(labels).map(([k, v]) => `${k}=${v}`).join(",");
    try {
      const point = await call(path(name, `points/${encodeURIComponent(text)}`));
      if (name !== this.name || this.latest[which] !== labels) return;
      const facts = [...Object.entries(point.labels).map(([k, v]) => [k, quantity(v, this.axes.coords[k]?.printed)]),
        ["status", point.status], ...(point.message ? [["reason", point.message]] : []), ["wall time", point.wall_time == null ? "–" : `${show(point.wall_time)} s`],
        ["CPU time", point.cpu_time == null ? "–" : `${show(point.cpu_time)} s`], ["attempts", point.attempts], ["host", point.host || "–"], ["id", point.point_id]];
      const chart = make("div", { class: "chart" }), numbers = make("dl");
      box.replaceChildren(make("h4", {}, which), make("dl", {}, ...facts.flatMap(([k, v]) => [make("dt", {}, k), make("dd", {}, v)])), chart, numbers,
        ...(point.traceback ? [make("details", {}, make("summary", {}, "Traceback"), make("pre", {}, point.traceback))] : []),
        make("p", { class: "quiet" }, "Compute it again with full diagnostics:"), make("pre", {}, point.replay));
      const at = Object.entries(labels).filter(([k]) => this.axes.dims.includes(k)).map(([k, v]) => ["at", `${k}=${v}`]);
      this.shown[which] = { at, chart, ok: point.status === "ok" };
      if (point.status !== "ok") return;
      const data = await call(path(name, `slice?${new URLSearchParams([...this.scalars.map((s) => ["variable", s]), ...at])}`));
      numbers.replaceChildren(...Object.entries(data.variables).flatMap(([k, v]) => [make("dt", { title: v.long_name }, k), make("dd", {}, quantity(v.values, v.printed))]));
      await this.curves();
    } catch (error) { nothing(box, error); }
  }

  // Both on one scale, so that they compare.
  async curves() {
    const variable = this.variable, name = this.name, both = Object.values(this.shown).filter((p) => p.ok);
    if (!variable) return;
    const found = await Promise.all(both.map((p) => call(path(name, `slice?${new URLSearchParams([["variable", variable], ...p.at])}`))));
    if (variable !== this.variable || name !== this.name) return;
    const all = found.flatMap((d) => d.variables[variable].values.filter((v) => typeof v === "number"));
    // A point that ended a moment ago is not packed yet.
    if (!all.length) for (const { chart } of both) chart.replaceChildren(make("p", { class: "quiet" }, "Not in the cube yet; select it again in twenty seconds."));
    if (!all.length) return;
    const low = Math.min(...all), high = Math.max(...all), pad = (high - low) * 0.05;
    found.forEach((data, k) => {
      const v = data.variables[variable], dim = v.dims[0];
      draw(both[k].chart, { x: { title: titled(dim, data.coords[dim].printed), values: data.coords[dim].values },
        y: { title: titled(variable, v.printed), range: [low - pad, high + pad] }, lines: [{ name: variable, values: v.values }] });
    });
  }
}
