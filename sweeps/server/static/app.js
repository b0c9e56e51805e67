// The page: a list with live progress, and one sweep with its map, curves, points, failures and config.
import { Curves, Pair } from "./curves.js";
import { PointMap } from "./map.js";
import { $, call, clock, make, path, show } from "./tools.js";

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
const sweeps = new Map();
const curves = new Curves(), pair = new Pair();
const map = new PointMap((which, labels) => pair.take(which, labels));
let chosen = null, loaded = null, axes = null, seen = "", looked = 0, timer = null, source = null;

function words(s) {
  const ended = s.done + s.failed;
  const left = s.state === "running" && s.seconds_left != null ? `, ${clock(s.seconds_left)} left` : "";
  const failed = s.failed ? `, ${s.failed} failed` : "";
  const running = s.state === "running" ? `, ${s.running} running` : "";
  const state = s.stopping && s.state === "running" ? "stopping" : s.state;
  return s.total ? `${state}: ${ended}/${s.total}${failed}${running}${left}` : state;
}

function list() {
  const search = $("search").value.toLowerCase(), state = $("state").value;
  const found = [...sweeps.values()].filter((s) => (!state || s.state === state) && (!search || s.name.toLowerCase().includes(search) || matches.has(s.name)))
    .sort((a, b) => b.submitted - a.submitted);
  const names = found.map((s) => s.name).join("\n");
  const ul = $("sweeps");
  if (ul.dataset.names !== names) {
    ul.dataset.names = names;
    const focused = document.activeElement && document.activeElement.dataset.name;
    ul.replaceChildren(...found.map((s) => make("li", {}, make("button", { type: "button", "data-name": s.name, onclick: () => choose(s.name) },
      make("b", {}, s.name), make("span", { class: "quiet" }), make("progress", { max: 1, value: 0, "aria-label": `progress of ${s.name}` })))));
    if (focused) ul.querySelector(`[data-name="${CSS.escape(focused)}"]`)?.focus();
  }
  for (const s of found) {
    const button = ul.querySelector(`[data-name="${CSS.escape(s.name)}"]`);
    button.setAttribute("aria-current", s.name === chosen);
    button.querySelector("span").textContent = words(s);
    const bar = button.querySelector("progress");
    bar.max = s.total || 1;
    bar.value = s.done + s.failed;
  }
  $("none").hidden = sweeps.size > 0;
}

let matches = new Set(), searching = null;
function search() {
  list();
  clearTimeout(searching);
  searching = setTimeout(async () => {
    const found = await call(`sweeps?${new URLSearchParams({ search: $("search").value })}`);
    matches = new Set(found.sweeps.map((s) => s.name));
    for (const s of found.sweeps) if (!sweeps.has(s.name)) sweeps.set(s.name, s);
    list();
  }, 250);
}

function overview() {
  const s = sweeps.get(chosen);
  $("overview").hidden = !s;
  if (!s) return;
  $("name").textContent = s.name;
  $("bar").max = s.total || 1;
  $("bar").value = s.done + s.failed;
  const rate = s.state === "running" && s.points_per_s ? `, ${show(s.points_per_s, 3)} points/s` : "";
  $("numbers").textContent = `${words(s)}${rate}, cluster ${s.cluster}`;
  $("message").textContent = s.message;
  $("cancel").disabled = ENDED.includes(s.state) || s.stopping;
  $("resume").disabled = !ENDED.includes(s.state) || (s.total > 0 && s.done + s.failed >= s.total);
  $("retry").disabled = !ENDED.includes(s.state) || !s.failed;
}

async function choose(name) {
  chosen = name;
  loaded = axes = null;
  seen = "";
  for (const id of ["mapcard", "curvecard", "pointscard", "failures"]) $(id).hidden = true;
  list();
  overview();
  history.replaceState(null, "", `#${encodeURIComponent(name)}`);
  const found = await call(path(name));
  if (chosen !== name) return;
  $("config").value = found.config;
  $("refused").textContent = $("said").textContent = "";
  $("confirm").hidden = true;
  await details();
}

// What changes while a sweep runs, at most once a second.
async function details() {
  const name = chosen, s = sweeps.get(name);
  // A sweep without counts has no cube yet.
  if (!s || !s.total) return;
  const now = JSON.stringify([s.state, s.done, s.failed, s.running, s.started]);
  if (now === seen) return;
  if (Date.now() - looked < 1000 && !ENDED.includes(s.state)) {
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
      await Promise.all([map.open(name, axes), curves.open(name, axes)]);
      loaded = name;
    } else await Promise.all([map.refresh(), curves.refresh()]);
    if (s.failed) await failures(name);
    else $("failures").hidden = true;
  } catch (error) {
    if (error.status !== 404) $("message").textContent = error.message;
    // The cube is made a moment after its sweep starts.
    if (!ENDED.includes(s.state)) { seen = ""; clearTimeout(timer); timer = setTimeout(details, 1000); }
  }
}

async function failures(name) {
  const found = await call(path(name, "status"));
  if (chosen !== name) return;
  $("failures").hidden = !found.reasons.length;
  $("reasons").replaceChildren(...found.reasons.map((r) => make("li", {}, make("b", {}, `${r.count} ${r.status}: `), r.message,
    make("p", { class: "quiet" }, `such as ${Object.entries(r.labels).map(([k, v]) => `${k} = ${show(v)}`).join(", ")}; to replay it:`),
    make("pre", { tabindex: 0 }, r.replay),
    make("button", { type: "button", onclick: async (e) => {
      const button = e.currentTarget;
      try { await navigator.clipboard.writeText(r.replay); button.textContent = "Copied"; } catch { button.textContent = "Select it and copy"; }
    } }, "Copy"))));
}

async function submit(confirm) {
  const config = $("config").value;
  $("refused").textContent = $("said").textContent = "";
  try {
    const s = await call("sweeps", { config, ...(confirm ? { confirm_points: confirm } : {}) });
    $("confirm").hidden = true;
    sweeps.set(s.name, s);
    await choose(s.name);
    $("said").textContent = `submitted as ${s.name}`;
  } catch (error) { refused(error); }
}

function refused(error) {
  $("refused").textContent = error.message;
  $("confirm").hidden = !error.points;
  $("confirm").onclick = () => submit(error.points);
}

async function check() {
  $("refused").textContent = "";
  $("said").textContent = "timing a few points …";
  $("check").disabled = true;
  try {
    const e = await call("dry-run", { config: $("config").value });
    $("said").textContent = `${e.points} points, ${show(e.bytes / 2 ** 20, 3)} MiB, ${show(e.seconds_per_point, 3)} s a point, about ${clock(e.estimated_seconds)} with ${e.workers} workers`;
  } catch (error) { $("said").textContent = ""; refused(error); }
  $("check").disabled = false;
}

async function act(what) {
  try {
    const s = await call(path(chosen, what), null, "POST");
    sweeps.set(s.name, s);
    list();
    overview();
  } catch (error) { $("message").textContent = error.message; }
}

function listen() {
  source = new EventSource("/api/events");
  source.onopen = () => { $("connection").textContent = ""; };
  source.onerror = () => { $("connection").textContent = "connection lost, trying again"; };
  source.onmessage = (event) => {
    const s = JSON.parse(event.data);
    const fresh = !sweeps.has(s.name);
    sweeps.set(s.name, s);
    list();
    if (s.name === chosen) { overview(); details(); }
    else if (fresh && !chosen && decodeURIComponent(location.hash.slice(1)) === s.name) choose(s.name);
  };
}

async function begin() {
  try {
    const s = await call("server");
    $("login").hidden = true;
    $("server").textContent = `version ${s.version}; materials: ${s.materials.join(", ")}`;
    const found = await call("sweeps");
    for (const sweep of found.sweeps) sweeps.set(sweep.name, sweep);
    list();
    listen();
    const wanted = decodeURIComponent(location.hash.slice(1));
    if (sweeps.has(wanted)) await choose(wanted);
  } catch (error) {
    if (error.status === 401) { $("login").hidden = false; $("token").focus(); } else $("connection").textContent = error.message;
  }
}

$("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    await call("login", { token: $("token").value });
    $("token").value = "";
    await begin();
  } catch (error) { $("login").querySelector(".error").textContent = error.message; }
});
$("search").addEventListener("input", search);
$("state").addEventListener("change", list);
$("new").addEventListener("click", () => {
  chosen = loaded = null;
  for (const id of ["overview", "mapcard", "curvecard", "pointscard", "failures"]) $(id).hidden = true;
  history.replaceState(null, "", location.pathname);
  $("config").value = EXAMPLE;
  list();
  $("config").focus();
});
$("submit").addEventListener("click", () => submit());
$("check").addEventListener("click", check);
for (const what of ["cancel", "resume", "retry"]) $(what).addEventListener("click", () => act(what));
$("config").value = EXAMPLE;
begin();
