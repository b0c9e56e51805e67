// The config editor: completion and help for each key, a check as one types, a form for the five axes, and the
// difference to the config that was submitted.
import { $, call, make, say, show } from "./tools.js";

const AXES = ["material", "F0", "omega_pump", "T", "tau_esc"];
const WAIT_MS = 600, MOST = 12;

export class Editor {
  // `changed` is called with the text when it changes; `may` tells whether this person may submit.
  constructor({ changed, may }) {
    Object.assign(this, { changed, may, keys: [], original: "" });
    this.area = $("config");
    this.area.addEventListener("input", () => this.typed());
    for (const event of ["click", "keyup"]) this.area.addEventListener(event, () => this.help());
    this.area.addEventListener("keydown", (e) => this.key(e));
    $("writeaxes").addEventListener("click", () => this.writeAxes());
    $("axesform").replaceChildren(...AXES.map((name) => make("label", {}, make("span", { id: `unit-${name}` }, name), make("input", { id: `axis-${name}`, spellcheck: "false", autocomplete: "off" }))));
  }

  async load() {
    this.keys = (await call("keys")).keys;
    for (const name of AXES) {
      const key = this.keys.find((k) => k.path === `axes.${name}`);
      $(`unit-${name}`).textContent = key?.unit ? `${name} (${key.unit})` : name;
      $(`axis-${name}`).title = key?.meaning ?? "";
    }
  }

  // Another text: what was submitted, or a draft over it.
  open(text, original) {
    this.original = original;
    this.area.value = text;
    this.typed();
  }

  typed() {
    this.changed(this.area.value);
    this.difference();
    this.help();
    clearTimeout(this.timer);
    say("checked", "");
    if (this.may()) this.timer = setTimeout(() => this.check(), WAIT_MS);
  }

  async check() {
    const text = this.area.value, mine = (this.turn = {});
    try {
      const found = await call("check", { config: text });
      if (mine !== this.turn || text !== this.area.value) return;
      this.fillAxes(found.axes);
      if (found.problem) throw new Error(found.problem);
      const shape = Object.entries(found.shape).filter(([, n]) => n > 1).map(([d, n]) => `${d} ${n}`).join(" × ");
      say("checked", `${found.points} point${found.points === 1 ? "" : "s"}${shape ? ` (${shape})` : ""}, ${show(found.bytes / 2 ** 20, 3)} MiB; ${found.exists ? `extends the cube ${found.name}` : `a new cube ${found.name}`}`);
      $("checked").className = "quiet";
    } catch (error) {
      if (mine !== this.turn || text !== this.area.value) return;
      say("checked", error.message);
      $("checked").className = "error";
    }
  }

  // Section of the line of the caret, the key as far as it is written, and whether the caret is still in the key.
  where() {
    const before = this.area.value.slice(0, this.area.selectionStart), lines = before.split("\n"), line = lines[lines.length - 1];
    const written = /^(\s*)([A-Za-z_]\w*)?(:?)/.exec(line), path = [];
    let indent = written[1].length;
    for (let i = lines.length - 2; i >= 0 && indent > 0; i--) {
      const above = /^(\s*)([A-Za-z_]\w*):/.exec(lines[i]);
      if (above && above[1].length < indent) { path.unshift(above[2]); indent = above[1].length; }
    }
    return { section: path.join("."), key: written[2] || "", inKey: !written[3] && /^\s*\w*$/.test(line) };
  }

  help() {
    const { section, key, inKey } = this.where(), before = section ? `${section}.` : "";
    const here = this.keys.filter((k) => k.path.startsWith(before) && !k.path.slice(before.length).includes("."));
    // A setting may be an axis.
    const known = here.find((k) => k.path === before + key) || (section === "axes" && this.keys.find((k) => k.path === `settings.${key}`));
    say("keyhelp", known ? describe(known) : "");
    const typed = inKey && !known ? here.filter((k) => k.path.slice(before.length).toLowerCase().startsWith(key.toLowerCase()) && (key || section)) : [];
    $("completions").replaceChildren(...typed.slice(0, MOST).map((k) => make("button", { type: "button", title: describe(k), onclick: () => this.complete(k.path.slice(before.length), key) }, k.path.slice(before.length))));
    $("completions").hidden = !typed.length;
  }

  complete(word, key) {
    const at = this.area.selectionStart;
    this.area.focus();
    this.area.setRangeText(`${word}: `, at - key.length, at, "end");
    this.typed();
  }

  key(event) {
    const first = $("completions").querySelector("button");
    // Ctrl and the space bar, as in other editors; Tab alone leaves the text.
    if (event.ctrlKey && event.key === " " && first) { first.click(); event.preventDefault(); }
    else if (event.key === "ArrowDown" && event.altKey && first) { first.focus(); event.preventDefault(); }
  }

  fillAxes(axes) {
    for (const name of AXES) {
      const input = $(`axis-${name}`);
      if (input !== document.activeElement) input.value = asText(axes[name]);
    }
  }

  // The five axes of the form into the text, each in its line; all else stays as it is written.
  writeAxes() {
    let lines = this.area.value.split("\n"), start = lines.findIndex((l) => /^axes:/.test(l));
    if (start < 0) { lines.push("axes:"); start = lines.length - 1; }
    lines[start] = "axes:";
    for (const name of AXES) {
      const text = asYaml($(`axis-${name}`).value);
      if (text === null) continue;
      let end = start + 1;
      while (end < lines.length && (/^\s+\S/.test(lines[end]) || /^\s*(#.*)?$/.test(lines[end]))) end++;
      const at = lines.findIndex((l, i) => i > start && i < end && new RegExp(`^\\s+${name}\\s*:`).test(l));
      if (at < 0) { lines.splice(start + 1 + AXES.indexOf(name), 0, `  ${name}: ${text}`); continue; }
      const indent = /^\s*/.exec(lines[at])[0];
      let next = at + 1;
      while (next < end && /\S/.test(lines[next]) && /^\s*/.exec(lines[next])[0].length > indent.length) next++;
      while (next < end && new RegExp(`^${indent}- `).test(lines[next])) next++;
      lines.splice(at, next - at, `${indent}${name}: ${text}`);
    }
    this.area.value = lines.join("\n");
    this.typed();
  }

  difference() {
    const changes = diff(this.original.trimEnd().split("\n"), this.area.value.trimEnd().split("\n"));
    $("difference").hidden = !changes.length;
    $("differences").replaceChildren(...changes.map(([sign, line]) => make(sign === "+" ? "ins" : "del", {}, `${sign} ${line}\n`)));
  }
}

const describe = (k) => `${k.path}${k.unit ? ` (${k.unit})` : ""}: ${k.meaning}${k.values ? ` Values: ${k.values}.` : ""}${k.default !== null && k.default !== "" ? ` Default: ${show(k.default)}.` : ""}`;

// An axis in the form: words or numbers with commas, or `log 0.01 5 6` and `lin 1 5 9`.
export function asText(axis) {
  if (axis == null) return "";
  if (Array.isArray(axis)) return axis.map((v) => (v === "inf" ? ".inf" : String(v))).join(", ");
  for (const [key, word] of [["geomspace", "log"], ["linspace", "lin"]]) if (Array.isArray(axis[key])) return `${word} ${axis[key].join(" ")}`;
  return typeof axis === "object" ? "" : String(axis);
}

export function asYaml(text) {
  const words = text.trim();
  if (!words) return null;
  const made = /^(log|lin)\s+(\S+)\s+(\S+)\s+(\d+)$/.exec(words);
  return made ? `{${made[1] === "log" ? "geomspace" : "linspace"}: [${made[2]}, ${made[3]}, ${made[4]}]}` : `[${words.split(/\s*,\s*/).join(", ")}]`;
}

// Lines that one text has and the other lacks, in order: [sign, line].
export function diff(a, b) {
  let start = 0, end = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start++;
  while (end < Math.min(a.length, b.length) - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end++;
  const [p, q] = [a.slice(start, a.length - end), b.slice(start, b.length - end)];
  if (p.length * q.length > 4e6) return [...p.map((l) => ["−", l]), ...q.map((l) => ["+", l])];
  // Lengths of the longest common part from each pair of lines on.
  const size = Array.from({ length: p.length + 1 }, () => new Uint16Array(q.length + 1));
  for (let i = p.length - 1; i >= 0; i--) for (let j = q.length - 1; j >= 0; j--) size[i][j] = p[i] === q[j] ? size[i + 1][j + 1] + 1 : Math.max(size[i + 1][j], size[i][j + 1]);
  const out = [];
  let i = 0, j = 0;
  while (i < p.length || j < q.length) {
    if (i < p.length && j < q.length && p[i] === q[j]) { i++; j++; }
    else if (i < p.length && (j === q.length || size[i + 1][j] >= size[i][j + 1])) out.push(["−", p[i++]]);
    else out.push(["+", q[j++]]);
  }
  return out;
}
