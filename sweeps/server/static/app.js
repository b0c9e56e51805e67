// The page: a list with live progress, and one sweep with its map, curves, points, failures and config.
import { Curves } from "./curves.js";
import { Editor } from "./editor.js";
import { Heat } from "./heat.js";
import { PointMap } from "./map.js";
import { Pair } from "./pair.js";
import { Record } from "./record.js";
import { $, call, clock, make, pace, path, person, say, show, words } from "./tools.js";

const EXAMPLE = `# Photo-induced gap against fluence. Units: F0 mJ/cm2, omega_pump meV, T K, tau_esc ps, time ps.
name: my-sweep
axes:
  material: [K3C60]
  F0: {geomspace: [0.01, 5, 6]}
  omega_pump: [170]
  T: [30]
  tau_esc: [0.02]
  damping: [full, real]
settings: {t_start: -0.6, t_stop: 0.7, n_times: 53}
plot: {x: F0, hue: damping}
`;
const ENDED = ["done", "cancelled", "failed"];
const sweeps = new Map(), drafts = new Map();
const ended = (s) => ENDED.includes(s?.state);
const curves = new Curves({ ended: () => ended(sweeps.get(chosen)), store: () => store,
  others: () => [...sweeps.values()].filter((s) => s.total && s.name !== chosen).map((s) => s.name).sort() });
const pair = new Pair();
const editor = new Editor({ changed: (text) => edited(text), may: () => !document.body.classList.contains("reader") });
const heat = new Heat(), record = new Record();
const map = new PointMap((which, labels) => {
  if (which === "A") heat.take(labels);
  return pair.take(which, labels);
});
let original = EXAMPLE, chosen = null, loaded = null, axes = null, seen = "", looked = 0, timer = null, source = null, store = "", recorded = "", grouped = "";

function progress(s) {
  const count = s.done + s.failed;
  const left = s.state === "running" && s.seconds_left != null ? `, ${clock(s.seconds_left)} left` : "";
  const failed = s.failed ? `, ${s.failed} failed` : "";
  const running = s.state === "running" ? `, ${s.running} running` : "";
  const state = s.stopping && s.state === "running" ? "stopping" : s.state;
  return s.total ? `${state}: ${count}/${s.total}${failed}${running}${left}` : state;
}

function fill(bar, s) {
  const share = (n) => `${(100 * n) / (s.total || 1)}%`;
  bar.setAttribute("aria-valuenow", Math.round((100 * (s.done + s.failed)) / (s.total || 1)));
  bar.setAttribute("aria-valuetext", progress(s));
  bar.style.setProperty("--done", share(s.done));
  bar.style.setProperty("--ended", share(s.done + s.failed));
}

function list() {
  const search = $("search").value.toLowerCase(), state = $("state").value;
  const found = [...sweeps.values()].filter((s) => (state === "archived" ? s.archived : (!s.archived || s.name === chosen) && (!state || s.state === state))
    && (!search || s.name.toLowerCase().includes(search) || s.tags.some((t) => t.toLowerCase().includes(search)) || matches.has(s.name)))
    .sort((a, b) => b.submitted - a.submitted);
  const names = found.map((s) => s.name).join("\n");
  const ul = $("sweeps");
  if (ul.dataset.names !== names) {
    ul.dataset.names = names;
    const focused = document.activeElement && document.activeElement.dataset.name;
    ul.replaceChildren(...found.map((s) => make("li", {}, make("button", { type: "button", "data-name": s.name, onclick: () => choose(s.name) },
      make("b", {}, s.name), make("span", { class: "quiet" }), make("div", { class: "tags" }), make("div", { class: "bar", role: "progressbar", "aria-label": `progress of ${s.name}` })))));
    if (focused) ul.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
  }
  for (const s of found) {
    const button = ul.querySelector(`[data-name="${CSS.escape(s.name)}"]`);
    button.setAttribute("aria-current", s.name === chosen);
    button.querySelector("span").textContent = progress(s);
    const tags = button.querySelector(".tags");
    if (tags.dataset.tags !== s.tags.join(" ")) { tags.dataset.tags = s.tags.join(" "); tags.replaceChildren(...s.tags.map((t) => make("span", { class: "chip" }, t))); }
    fill(button.querySelector(".bar"), s);
  }
  $("none").hidden = found.length > 0;
  say("none", sweeps.size ? "No sweep matches." : "No sweep yet. Write a config and submit it.");
}

let readToken = null;
let matches = new Set(), searching = null;
function search() {
  list();
  clearTimeout(searching);
  searching = setTimeout(async () => {
    try {
      const found = await call(`sweeps?${new URLSearchParams({ search: $("search").value })}`);
      matches = new Set(found.sweeps.map((s) => s.name));
      for (const s of found.sweeps) if (!sweeps.has(s.name)) sweeps.set(s.name, s);
      list();
    } catch { /* The line above the list tells that the server is gone. */ }
  }, 250);
}

function overview() {
  const s = sweeps.get(chosen);
  $("overview").hidden = !s;
  if (!s) return;
  $("name").textContent = s.name;
  fill($("bar"), s);
  const end = s.state === "running" && s.seconds_left != null ? `, ends about ${new Date(Date.now() + 1000 * s.seconds_left).toLocaleTimeString([], { timeStyle: "short" })}` : "";
  const rate = s.state === "running" && s.points_per_s ? `, ${pace(s.points_per_s)}` : "";
  say("numbers", `${progress(s)}${rate}${end}, ${s.elsewhere ? "by another process, such as the command line" : `cluster ${s.cluster}`}`);
  say("message", s.message);
  document.title = `${s.name} (${progress(s).split(",")[0]}) – photogap`;
  $("cancel").disabled = ended(s) || s.stopping;
  $("resume").disabled = !ended(s) || (s.total > 0 && s.done + s.failed >= s.total);
  $("retry").disabled = !ended(s) || !s.failed;
  $("dask").hidden = !s.dask;
  $("dask").href = `/api/${path(s.name, "dask")}`;
}

// Another sweep, or none: what belonged to the last one goes.
function turn(name) {
  chosen = name;
  recorded = grouped = "";
  loaded = axes = null;
  seen = "";
  clearTimeout(timer);
  for (const id of ["mapcard", "curvecard", "pointscard", "heatcard", "recordcard", "failures"]) $(id).hidden = true;
  heat.stop();
  say("refused", "");
  say("said", "");
  document.title = "photogap";
  list();
  overview();
  if (name !== hash()) history.pushState(null, "", name ? `#${encodeURIComponent(name)}` : location.pathname);
}

async function choose(name) {
  turn(name);
  if ($("detail").getBoundingClientRect().top > innerHeight / 2) $("detail").scrollIntoView();
  try {
    const found = await call(path(name));
    if (chosen === name) { store = found.store; edit(found.config); }
  } catch (error) { say("refused", error.message); }
  if (chosen === name) await details();
}

// The sweep that the address names; links and the browser's Back come here.
function hash() {
  try { return decodeURIComponent(location.hash.slice(1)) || null; } catch { return null; }
}

async function go() {
  const name = hash();
  if (name === chosen) return;
  if (sweeps.has(name)) await choose(name);
  else {
    turn(null);
    edit(EXAMPLE);
    if (name) say("refused", `This server has no sweep ${name}.`);
  }
}

// Configs as edited and not submitted are kept while others are looked at.
function edit(text) {
  original = text;
  editor.open(drafts.get(chosen) ?? text, text);
}

function edited(text) {
  if (text === original) drafts.delete(chosen); else drafts.set(chosen, text);
  $("revert").hidden = text === original;
  $("confirm").hidden = true;
}

// What changes while a sweep runs, at most once a second.
async function details() {
  const name = chosen, s = sweeps.get(name);
  // A sweep without counts has no cube yet.
  if (!s || !s.total) return;
  const now = JSON.stringify([s.state, s.done, s.failed, s.running, s.started]);
  if (now === seen) return;
  if (Date.now() - looked < 1000 && !ended(s)) {
    clearTimeout(timer);
    timer = setTimeout(details, 1050 - (Date.now() - looked));
    return;
  }
  looked = Date.now();
  seen = now;
  try {
    if (loaded !== name || map.grown) {
      const found = await call(path(name, "axes"));
      if (chosen !== name) return;
      axes = found;
      for (const id of ["mapcard", "curvecard", "pointscard"]) $(id).hidden = false;
      pair.open(name, axes);
      await Promise.all([map.open(name, axes), curves.open(name, axes), heat.open(name, axes)]);
      loaded = name;
    } else await Promise.all([map.refresh(), curves.refresh()]);
    if (recorded !== `${name} ${s.state} ${s.started}`) {
      recorded = `${name} ${s.state} ${s.started}`;
      await record.open(name);
    }
    const wrong = JSON.stringify([name, s.state, s.started, s.failed]);
    if (!s.failed) $("failures").hidden = true;
    else if (wrong !== grouped) await failures(name);
    grouped = wrong;
  } catch (error) {
    if (error.status && error.status !== 404) say("message", error.message);
    // The cube is made a moment after its sweep starts; what a token is asked for comes with the next event.
    if (error.status === 401) seen = "";
    else if (!ended(s)) { seen = ""; clearTimeout(timer); timer = setTimeout(details, 1000); }
  }
}

async function failures(name) {
  const found = await call(path(name, "status"));
  if (chosen !== name) return;
  $("failures").hidden = !found.reasons.length;
  const focused = document.activeElement.dataset.key;
  $("reasons").replaceChildren(...found.reasons.map((r, k) => make("li", {}, make("b", {}, `${r.count} ${r.status}: `), r.message,
    make("p", { class: "quiet" }, `for example ${words(r.labels, axes.coords).join(", ")}; replay with:`),
    make("pre", {}, r.replay),
    make("div", { class: "row" },
      make("button", { type: "button", "data-key": `show ${k}`, onclick: () => map.go(r.labels).catch((error) => say("message", error.message)) }, "Show as point A"),
      make("button", { type: "button", "data-key": `copy ${k}`, onclick: async (e) => {
        const button = e.currentTarget;
        try { await navigator.clipboard.writeText(r.replay); button.textContent = "Copied"; } catch { button.textContent = "Select it and copy"; }
      } }, "Copy"),
      make("button", { type: "button", class: "writes", "data-key": `retry ${k}`, disabled: !ended(sweeps.get(name)), onclick: () => act(`retry?like=${r.point_id.slice(0, 16)}`) }, r.count === 1 ? "Retry this one" : `Retry these ${r.count}`)))));
  if (focused) $("reasons").querySelector(`[data-key="${focused}"]`)?.focus();
}

async function submit(confirm) {
  const config = $("config").value;
  say("refused", "");
  say("said", "");
  $("confirm").hidden = true;
  try {
    const s = await call("sweeps", { config, ...(confirm ? { confirm_points: confirm } : {}) });
    sweeps.set(s.name, s);
    drafts.delete(chosen);
    $("detail").focus();
    await choose(s.name);
    say("said", `submitted as ${s.name}`);
  } catch (error) { refused(error); }
}

function refused(error) {
  say("refused", error.message);
  $("confirm").hidden = !error.points;
  $("confirm").textContent = `Submit all ${error.points} points`;
  $("confirm").onclick = () => submit(error.points);
}

async function check() {
  say("refused", "");
  say("said", "timing a few points …");
  $("check").disabled = true;
  try {
    const e = await call("dry-run", { config: $("config").value });
    say("said", e.words.join("\n"));
  } catch (error) { say("said", ""); refused(error); }
  $("check").disabled = false;
}

async function act(what) {
  try {
    const s = await call(path(chosen, what), null, "POST");
    sweeps.set(s.name, s);
    list();
    overview();
  } catch (error) { say("message", error.message); }
}

function lost() { say("connection", "The server does not answer. Retrying …"); }

function listen() {
  source?.close();
  source = new EventSource("/api/events");
  source.onopen = () => say("connection", "");
  source.onerror = () => {
    lost();
    // A browser gives up on an answer that is no stream, such as a refusal.
    if (source.readyState === EventSource.CLOSED) setTimeout(begin, 3000);
  };
  source.onmessage = (event) => {
    const s = JSON.parse(event.data);
    const fresh = !sweeps.has(s.name);
    sweeps.set(s.name, s);
    list();
    if (s.name === chosen) { overview(); details(); }
    else if (fresh && hash() === s.name) go();
  };
}

// The address that the server prints brings its token: it is kept as a cookie, not in the address.
async function enter() {
  if (!location.hash.startsWith("#token=")) return;
  // A link may name a sweep after the token.
  const [token, name] = location.hash.slice("#token=".length).split("/").map(decodeURIComponent);
  history.replaceState(null, "", name ? `#${encodeURIComponent(name)}` : location.pathname);
  await call("login", { token });
}

async function begin() {
  try {
    await enter();
    const s = await call("server");
    $("login").hidden = true;
    $("main").hidden = false;
    document.body.classList.toggle("reader", !s.may_write);
    $("reading").hidden = s.may_write;
    $("notes").readOnly = $("tags").readOnly = !s.may_write;
    $("archived").disabled = !s.may_write;
    readToken = s.read_token;
    $("share").hidden = !readToken;
    await editor.load();
    if (!$("config").value) edit(EXAMPLE);
    $("server").replaceChildren(`version ${s.version}; materials: ${s.materials.join(", ")}; clusters: ${s.clusters.join(", ")}; `,
      make("a", { href: "/api/openapi.json" }, "API"));
    for (const sweep of (await call("sweeps")).sweeps) sweeps.set(sweep.name, sweep);
    list();
    listen();
    await go();
  } catch (error) {
    if (error.status === 401) return;
    lost();
    setTimeout(begin, 3000);
  }
}

document.addEventListener("token", () => {
  source?.close();
  say("connection", "");
  $("login").hidden = false;
  $("main").hidden = true;
  $("token").focus();
});

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await call("login", { token: $("token").value });
    $("token").value = "";
    await begin();
  } catch (error) { say("denied", error.message); }
});
$("who").value = person.name;
$("who").addEventListener("change", () => { person.name = $("who").value.trim(); });
$("share").addEventListener("click", async () => {
  const link = `${location.origin}/#token=${encodeURIComponent(readToken)}${chosen ? `/${encodeURIComponent(chosen)}` : ""}`;
  try { await navigator.clipboard.writeText(link); $("share").textContent = "Copied"; } catch { prompt("Read-only link", link); }
});
$("search").addEventListener("input", search);
$("state").addEventListener("change", list);
$("new").addEventListener("click", () => {
  turn(null);
  edit(EXAMPLE);
  $("config").focus();
});
$("revert").addEventListener("click", () => {
  drafts.delete(chosen);
  edit(original);
  $("config").focus();
});
$("submit").addEventListener("click", () => submit());
$("check").addEventListener("click", check);
for (const what of ["cancel", "resume", "retry"]) $(what).addEventListener("click", () => act(what));
addEventListener("popstate", () => (location.hash.startsWith("#token=") ? begin() : go()));
begin();
