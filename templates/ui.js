// The page of `goldmaster ui`: shows what the program holds, plays excerpts, and asks for masters.
import { Player } from "./player.js";
import { ask, byId, clock, failed, keyed, make, noteItems, number, say, setText } from "./ui-dom.js";
import { dropped, send } from "./ui-drop.js";
import { drawMasters } from "./ui-masters.js";
import { drawWave } from "./ui-wave.js";

const MASTERS = ["gentle", "balanced", "loud", "warm", "open", "yours"];
/** A control that moves is heard when it has rested for so long, ms. */
const REST_MS = 80;

let state = { songs: [], references: [], exports: [], characters: [], destinations: [] };
/** The song that is shown. */
let songId = null;
/** Records that are followed. */
const followed = new Set();
/** Masters of the song that were made, by name; each as the program told it. */
let heard = {};
/** Those of them that are being made anew. */
let stale = new Set();
/** The master that an export makes: its name, and settings that no control shows. */
let current = { name: "balanced", hidden: [] };
/** Masters that are still to be asked for, the one that is being made, and a number for every new list. */
let wanted = [];
let busy = null;
let run = 0;
let leaving = new AbortController();
/** The song whose masters were asked for, and the one whose mix is on its way. */
let begun = null;
let loading = null;

const song = () => state.songs.find((s) => s.id === songId);
// ---- Sounds

const player = new Player(show);

function soundNames() {
  const names = ["mix", ...MASTERS.filter((name) => heard[name])];
  for (const id of followed) if (player.has("reference-" + id)) names.push("reference-" + id);
  return names;
}

function label(name) {
  if (!name.startsWith("reference-")) return name;
  const reference = state.references.find((r) => "reference-" + r.id === name);
  return "record: " + (reference?.name ?? "");
}

function drawSounds() {
  const names = soundNames();
  const items = names.map((name) => ({ id: name }));
  keyed(byId("sounds"), items, ({ id }) => {
    const input = make("input", { type: "radio", name: "sound", value: id });
    input.addEventListener("change", () => choose(id));
    return make("label", {}, input, make("span", {}), make("kbd", { ariaHidden: "true" }));
  }, (element, { id }) => {
    const [input, words, key] = element.children;
    input.checked = player.chosen === id;
    input.disabled = !player.has(id);
    setText(words, label(id));
    setText(key, String(names.indexOf(id) + 1));
  });
}

function choose(name) {
  if (player.has(name)) player.choose(name);
  if (MASTERS.includes(name) && name !== current.name) startFrom(name);
  drawSounds();
  tell();
}

/** The controls take on the shape of a master. Where the song goes stays as it was chosen. */
function startFrom(name) {
  const settings = new Map(heard[name].settings);
  for (const control of controls()) {
    if (isPlace(control)) {
      if (settings.get(control.name) === control.value) settings.delete(control.name);
    } else {
      control.value = settings.get(control.name) ?? standard(control);
      settings.delete(control.name);
    }
  }
  current = { name, hidden: [...settings] };
  drawOutputs();
}

function tell() {
  const name = player.chosen;
  const preview = heard[name];
  let words = "";
  if (name === "mix") words = "The mix as it is.";
  else if (preview) words = preview.words + ". The whole master: about " + number(preview.expected_lufs) + " LUFS.";
  else if (name) words = "The record, at its loudest part.";
  if (preview && stale.has(name)) words += " Being made anew…";
  setText(byId("words"), words.charAt(0).toUpperCase() + words.slice(1));
  const shown = preview ?? heard[current.name];
  const cells = (row) => [row.mix, row.target, row.master].map((value) => make("td", { textContent: number(value) }));
  byId("rows").replaceChildren(...(shown?.rows ?? []).map((row) => make("tr", {}, make("th", { scope: "row", textContent: row.name }), ...cells(row))));
  byId("preview-notes").replaceChildren(...noteItems(shown?.notes ?? []));
  setText(byId("export-what"), "as “" + current.name + "”");
}

let frame = 0;
function show() {
  setText(byId("play"), player.playing ? "Pause" : "Play");
  byId("play").disabled = !player.length;
  const length = player.length || 1;
  const at = player.currentTime;
  byId("playhead").style.left = (100 * at) / length + "%";
  const place = byId("place");
  place.max = length.toFixed(2);
  if (document.activeElement !== place || player.playing) place.value = at.toFixed(2);
  const inSong = player.chosen?.startsWith("reference-") ? at : at + (song()?.start_s ?? 0);
  setText(byId("clock"), clock(inSong));
  place.setAttribute("aria-valuetext", clock(inSong));
  const colour = player.chosen === "mix" ? "--mix" : MASTERS.includes(player.chosen) ? "--master" : "--target";
  drawWave(byId("wave"), player.buffer(player.chosen), colour);
  cancelAnimationFrame(frame);
  if (player.playing) frame = requestAnimationFrame(show);
}

// ---- Previews

const controls = () => [...byId("controls").elements].filter((control) => control.name);
/** Whether a control says where a master goes, and not what shape it has. */
const isPlace = (control) => ["for", "loudness", "match"].includes(control.name);
const standard = (control) => ({ character: "balanced", match: "balance", for: "", loudness: "" })[control.name] ?? "100";
const changed = (kept) => controls().filter((control) => kept(control) && control.value !== standard(control)).map((control) => [control.name, control.value]);

/** Where masters go: the same for all variations. */
const places = () => changed(isPlace).filter(([name]) => name !== "match" || followed.size > 0);

/** All that the controls say, and what the master brought along that they started from. */
function settings() {
  const hidden = new Map(current.hidden);
  return [...places().filter(([name]) => !hidden.has(name)), ...changed((control) => !isPlace(control)), ...hidden];
}

/** Names this page, so that its requests end one another and those of no other. */
const PAGE = Math.floor(Math.random() * 2 ** 48);
/** The settings of "yours", as they were when a control moved last. */
let mine = [];

const masterRequest = (name) => {
  const base = { references: [...followed], page: PAGE };
  if (name === "yours") return { ...base, settings: mine };
  return { ...base, settings: places(), variation: name };
};

/** Asks for the masters of a song, one after the other, until something else is wanted. */
async function pump(turn) {
  while (turn === run && wanted.length && song()?.progress === "ready") {
    busy = wanted.shift();
    const name = busy;
    setText(byId("status"), "Making “" + name + "”…");
    try {
      const preview = await ask("POST", "songs/" + songId + "/previews", masterRequest(name), leaving.signal);
      if (turn !== run) return;
      // A mix that is loud already has no louder variation.
      if (!preview) continue;
      await player.load(name, preview.sound.url, preview.sound.lufs);
      if (turn !== run) return;
      heard[name] = preview;
      stale.delete(name);
      // Towards another record or place the same name means other settings.
      if (name === current.name && name !== "yours") startFrom(name);
      if (name === "balanced") wanted.push(...["gentle", "loud", preview.suited].filter((other) => (!heard[other] || stale.has(other)) && !wanted.includes(other)));
      if (name === current.name && (name === "yours" || Object.keys(heard).length === 1)) player.choose(name);
      say("", "preview");
    } catch (error) {
      if (turn !== run) return;
      say(error.message, "preview");
    }
    drawSounds();
    tell();
    show();
  }
  if (turn !== run) return;
  busy = null;
  setText(byId("status"), "");
  // What was not made again is not to be had any more.
  for (const name of stale) {
    player.remove(name);
    delete heard[name];
  }
  stale.clear();
  if (!heard[current.name] && heard.balanced) {
    startFrom("balanced");
    if (player.chosen === "mix") player.choose("balanced");
  }
  drawSounds();
  tell();
  show();
}

function leave() {
  run += 1;
  leaving.abort();
  leaving = new AbortController();
}

function requestPreviews(names) {
  leave();
  wanted = [...new Set(names)];
  pump(run);
}

/** The records or the place have changed: everything is made anew, what is listened to first. */
function startOver() {
  stale = new Set(Object.keys(heard));
  if (current.name === "yours") mine = settings();
  requestPreviews(current.name === "yours" ? ["yours", "balanced"] : ["balanced", current.name]);
  tell();
}

let resting = 0;
function moved(event) {
  const control = event.target;
  const isValid = control.checkValidity();
  control.setAttribute("aria-invalid", String(!isValid));
  setText(byId("controls-message"), isValid ? "" : "Loudness goes from −50 to −1 LUFS.");
  clearTimeout(resting);
  if (!isValid) return;
  if (isPlace(control)) {
    // A loudness that a variation brought along gives way to what was chosen now.
    current.hidden = [];
    resting = setTimeout(startOver, REST_MS);
    return;
  }
  current.name = "yours";
  mine = settings();
  drawOutputs();
  tell();
  resting = setTimeout(() => requestPreviews(["yours", ...(busy ? [busy] : []), ...wanted]), REST_MS);
}

function drawOutputs() {
  for (const control of byId("controls").elements) {
    if (control.type === "range") setText(control.parentElement.querySelector("output"), control.value + " %");
  }
}

// ---- Songs and records

async function pick(id) {
  if (songId === id) return;
  songId = id;
  clearTimeout(resting);
  leave();
  [wanted, busy, begun] = [[], null, null];
  player.clear();
  heard = {};
  stale.clear();
  byId("controls").reset();
  current = { name: "balanced", hidden: [] };
  drawOutputs();
  draw();
  tell();
  setText(byId("status"), "");
  await hearMix();
}

async function hearMix() {
  const shown = song();
  if (!shown?.sound) return;
  // The first master is made while the mix is loaded.
  if (begun !== songId) {
    begun = songId;
    startOver();
  }
  if (player.has("mix") || loading === songId) return;
  loading = songId;
  try {
    await player.load("mix", shown.sound.url, shown.sound.lufs);
  } finally {
    loading = null;
  }
  if (shown.id !== songId) return;
  for (const reference of state.references) follow(reference).catch(failed("record"));
  drawSounds();
  tell();
  show();
}

async function follow(reference) {
  const name = "reference-" + reference.id;
  if (followed.has(reference.id) && reference.sound && !player.has(name)) await player.load(name, reference.sound.url, reference.sound.lufs);
  if (!followed.has(reference.id) && player.has(name)) player.remove(name);
}

const PROGRESS = { waiting: "waiting", working: "being measured…", failed: "cannot be used" };
const taken = new Set();

function drawSongs() {
  byId("desk").hidden = !state.songs.length;
  document.body.classList.toggle("busy-desk", state.songs.length > 0);
  byId("desk").classList.toggle("several", state.songs.length > 1);
  byId("all").hidden = state.songs.length < 2;
  keyed(byId("songs"), state.songs, (item) => {
    const button = make("button", { type: "button", className: "pick" }, make("span"), make("small"));
    button.addEventListener("click", () => pick(item.id).catch(failed("song")));
    const remove = make("button", { type: "button", className: "remove", textContent: "×", ariaLabel: "Remove " + item.name });
    remove.addEventListener("click", () => ask("DELETE", "songs/" + item.id).catch(failed("action")));
    return make("li", {}, button, remove);
  }, (element, item) => {
    const [button] = element.children;
    button.setAttribute("aria-pressed", String(item.id === songId));
    setText(button.children[0], item.name);
    setText(button.children[1], item.progress === "ready" ? clock(item.seconds) + " · " + number(item.lufs) + " LUFS" : PROGRESS[item.progress]);
  });
}

function drawSong() {
  const shown = song();
  byId("song").hidden = !shown;
  if (!shown) return;
  for (const part of document.querySelectorAll(".listen, .like, .shape, .export")) part.hidden = shown.progress === "failed";
  setText(byId("song-title"), shown.name);
  const facts = shown.progress === "ready"
    ? clock(shown.seconds) + " · " + shown.format + " · " + number(shown.lufs) + " LUFS · true peak " + number(shown.true_peak_dbtp) + " dBTP"
    : PROGRESS[shown.progress];
  setText(byId("facts"), facts);
  byId("export-song").disabled = shown.progress !== "ready";
  const ready = make("li", {}, make("span", { className: "severity good", textContent: "Ready: " }), "nothing in this mix stands in the way of a master.");
  const failed = make("li", {}, make("span", { className: "severity bad", textContent: "Not usable: " }), shown.error ?? "");
  const items = shown.progress === "failed" ? [failed] : shown.progress === "ready" && !shown.notes.length ? [ready] : noteItems(shown.notes);
  byId("notes").replaceChildren(...items);
}

function drawReferences() {
  byId("like-none").hidden = followed.size > 0;
  byId("match-label").hidden = followed.size === 0;
  keyed(byId("references"), state.references, (item) => {
    const box = make("input", { type: "checkbox" });
    box.addEventListener("change", () => {
      if (box.checked) followed.add(item.id); else followed.delete(item.id);
      drawReferences();
      follow(item).catch(failed("record"));
      startOver();
    });
    const remove = make("button", { type: "button", className: "remove", textContent: "×", ariaLabel: "Remove " + item.name });
    remove.addEventListener("click", () => ask("DELETE", "references/" + item.id).catch(failed("action")));
    return make("li", {}, make("label", {}, box, make("span")), remove);
  }, (element, item) => {
    const [box, words] = element.querySelector("label").children;
    box.checked = followed.has(item.id);
    box.disabled = item.progress !== "ready";
    const told = item.progress === "ready" ? number(item.lufs) + " LUFS" : item.error ?? PROGRESS[item.progress];
    setText(words, item.name + " · " + told);
  });
}

// ---- Masters

/** Asks for masters of songs, each by itself or all as one album. */
async function exportSongs(ids, isAlbum = false) {
  const form = byId("export");
  const checked = (name) => [...form.elements].filter((e) => e.name === name && e.checked).map((e) => e.value);
  const formats = checked("format");
  if (!formats.length) return say("Choose a kind of file.");
  say("");
  const places = checked("place");
  // Each of several places has a loudness of its own.
  const isOwn = ([name]) => !places.length || !["for", "loudness", "max_limiting_db"].includes(name);
  const master = { references: [...followed], settings: settings().filter(isOwn) };
  try {
    if (isAlbum) for (const format of formats) await ask("POST", "albums", { songs: ids, master, format });
    else for (const id of ids) await ask("POST", "songs/" + id + "/exports", { master, formats, destinations: places });
    byId("masters-card").scrollIntoView({ block: "nearest" });
  } catch (error) {
    say(error.message);
  }
}

// ---- All of it

function draw() {
  setText(byId("program"), state.program ?? "");
  const ids = new Set(state.references.map((r) => r.id));
  for (const id of [...followed]) {
    if (!ids.has(id)) {
      followed.delete(id);
      player.remove("reference-" + id);
      startOver();
    }
  }
  for (const reference of state.references) {
    if (reference.progress === "ready" && !taken.has(reference.id)) {
      taken.add(reference.id);
      followed.add(reference.id);
      if (begun === songId && songId !== null) {
        follow(reference).catch(failed("record"));
        startOver();
      }
    }
  }
  drawSongs();
  drawSong();
  drawReferences();
  drawMasters(state);
  drawSounds();
  show();
}

function fill() {
  byId("character").replaceChildren(...state.characters.map(({ value, name, words }) => make("option", { value, textContent: name + ": " + words })));
  for (const { value, name, words } of state.destinations) {
    byId("for").append(make("option", { value, textContent: name + ": " + words }));
    byId("places").append(make("label", {}, make("input", { type: "checkbox", name: "place", value }), name));
  }
  drawOutputs();
}

const events = new EventSource("events");
let filled = false;
events.addEventListener("message", (event) => {
  state = JSON.parse(event.data);
  if (!filled) fill();
  filled = true;
  say("", "server");
  if (songId !== null && !song()) {
    songId = null;
    clearTimeout(resting);
    leave();
    player.clear();
    heard = {};
  }
  if (songId === null && state.songs.length) pick(state.songs[0].id).catch(failed("song"));
  else draw();
  hearMix().catch(failed("song"));
});
events.addEventListener("error", () => {
  say("goldmaster does not answer. If it has ended, start it again; masters that were exported are in their folder.", "server");
});

byId("choose-songs").addEventListener("change", (event) => { send(event.target.files, "songs"); event.target.value = ""; });
byId("choose-references").addEventListener("change", (event) => { send(event.target.files, "references"); event.target.value = ""; });
addEventListener("dragover", (event) => { event.preventDefault(); document.body.classList.add("dragging"); });
addEventListener("dragleave", (event) => { if (!event.relatedTarget) document.body.classList.remove("dragging"); });
addEventListener("drop", (event) => dropped(event).catch(failed("upload")));
byId("play").addEventListener("click", () => (player.playing ? player.pause() : player.play()));
byId("matched").addEventListener("change", (event) => { player.matched = event.target.checked; });
byId("place").addEventListener("input", (event) => player.seek(Number(event.target.value)));
byId("stage").addEventListener("click", (event) => {
  const box = byId("stage").getBoundingClientRect();
  player.seek(((event.clientX - box.left) / box.width) * player.length);
});
byId("controls").addEventListener("input", moved);
byId("reset").addEventListener("click", () => {
  byId("controls").reset();
  setText(byId("controls-message"), "");
  current = { name: "balanced", hidden: [] };
  drawOutputs();
  startOver();
  choose("balanced");
});
byId("controls").addEventListener("submit", (event) => event.preventDefault());
byId("export").addEventListener("submit", (event) => {
  event.preventDefault();
  const button = event.submitter;
  if (button) button.disabled = true;
  exportSongs([songId]).finally(() => { if (button) button.disabled = song()?.progress !== "ready"; });
});
const readySongs = () => state.songs.filter((s) => s.progress === "ready").map((s) => s.id);
byId("export-all").addEventListener("click", () => exportSongs(readySongs()));
byId("export-album").addEventListener("click", () => exportSongs(readySongs(), true));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const on = event.target instanceof Element ? event.target : document.body;
  if (on.closest('select, pre, input[type="number"]')) return;
  const isSound = on.matches('input[name="sound"]');
  if (event.key === " " && !event.repeat && (isSound || !on.closest("button, a, summary, input"))) { event.preventDefault(); byId("play").click(); }
  const name = soundNames()[Number(event.key) - 1];
  if (name && player.has(name)) choose(name);
});

window.goldmaster = { player, get state() { return state; }, get heard() { return heard; }, get current() { return current; }, get settings() { return settings(); } };
