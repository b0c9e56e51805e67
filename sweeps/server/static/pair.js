// Two points side by side: outcome, numbers, and a series of each on one scale.
import { draw } from "./chart.js";
import { BOOKS, nothing, numeric } from "./curves.js";
import { $, call, make, path, quantity, show, titled } from "./tools.js";

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
      const symbol = (name, from) => this.axes[from][name].symbol;
      draw(both[k].chart, { label: `${titled(variable, v.printed)} against ${titled(dim, data.coords[dim].printed)}`,
        x: { title: titled(symbol(dim, "coords"), data.coords[dim].printed) }, y: { title: titled(symbol(variable, "variables"), v.printed), range: [low - pad, high + pad] },
        lines: [{ name: variable, xs: data.coords[dim].values, values: v.values }] });
    });
  }
}
