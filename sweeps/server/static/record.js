// The record of a sweep: its runs, the resources that it used, notes, tags, archive, who did what, and links.
import { $, call, clock, make, path, say, show } from "./tools.js";

const when = (s) => new Date(1000 * s).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
const size = (bytes) => (bytes >= 2 ** 30 ? `${show(bytes / 2 ** 30, 3)} GiB` : bytes >= 2 ** 20 ? `${show(bytes / 2 ** 20, 3)} MiB` : `${show(bytes / 1024, 3)} KiB`);

export class Record {
  constructor() {
    $("notes").addEventListener("input", () => this.changed());
    $("tags").addEventListener("input", () => this.changed());
    $("archived").addEventListener("change", () => this.changed());
    $("savenote").addEventListener("click", () => this.save());
  }

  async open(name) {
    const other = this.name !== name;
    this.name = name;
    const found = await call(path(name, "history"));
    if (name !== this.name) return;
    $("recordcard").hidden = false;
    $("whole").href = `/api/${path(name, "cube")}`;
    this.show(found);
    // What somebody is writing stays.
    if (other || !this.dirty) this.fill(found.note);
  }

  fill(note) {
    this.note = note;
    this.dirty = false;
    $("notes").value = note.text;
    $("tags").value = note.tags.join(" ");
    $("archived").checked = note.archived;
    $("savenote").disabled = true;
  }

  changed() {
    this.dirty = true;
    $("savenote").disabled = false;
    say("notesays", "");
  }

  show(found) {
    const facts = [["core hours", show(found.core_hours, 3)], ["wall hours of points", show(found.wall_hours, 3)], ["size of the cube", size(found.bytes)], ["runs", found.runs.length]];
    $("facts").replaceChildren(...facts.flatMap(([k, v]) => [make("dt", {}, k), make("dd", {}, String(v))]));
    $("runs").replaceChildren(...found.runs.map((r) => make("tr", {}, make("td", {}, when(r.start)), make("td", {}, r.end ? clock(r.end - r.start) || "0:00" : "–"), make("td", {}, r.outcome),
      make("td", {}, r.computed == null ? "–" : String(r.computed)), make("td", {}, r.host), make("td", {}, make("code", { title: r.git || "" }, r.git ? r.git.slice(0, 9) + (r.git.endsWith("+") ? "+" : "") : "–")),
      make("td", { title: Object.entries(r.versions).map(([k, v]) => `${k} ${v}`).join(", ") }, `photogap ${r.versions.photogap ?? "–"}`))));
    $("actions").replaceChildren(...found.actions.slice(0, 20).map((a) => make("li", {}, `${when(a.at)}: ${a.what}${a.who ? ` by ${a.who}` : ""}`)));
    $("noactions").hidden = found.actions.length > 0;
  }

  async save() {
    const name = this.name;
    try {
      const tags = $("tags").value.split(/[\s,]+/).filter(Boolean);
      const found = await call(path(name, "note"), { text: $("notes").value, tags, archived: $("archived").checked, version: this.note.version });
      if (name !== this.name) return;
      this.show(found);
      this.fill(found.note);
      say("notesays", "saved");
    } catch (error) {
      say("notesays", error.message);
      // Somebody else's words come first; one's own stay to be copied.
      if (error.status === 409) this.note = (await call(path(name, "history"))).note;
    }
  }
}
