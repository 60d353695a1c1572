// Files that are dropped or chosen go to the program one after the other.
import { byId, make, say } from "./ui-dom.js";

const SOUND_FILES = /\.(wav|wave|bwf|rf64|w64|aiff?|aifc|flac|mp[123]|mpga|m4[ab]|aac|alac|og[ga]|opus|caf|mp4|mov|mk[av]|webm)$/i;

const queue = [];
let sending = false;

export function send(files, kind) {
  if (files.length) say("", "upload");
  for (const file of files) {
    const bar = make("progress", { max: 1, value: 0, ariaLabel: "Reading " + file.name });
    const row = make("li", {}, file.name + " ", bar);
    byId("uploads").append(row);
    queue.push({ file, kind, row, bar });
  }
  if (!sending) sendNext();
}

async function sendNext() {
  sending = true;
  for (let next = queue.shift(); next; next = queue.shift()) {
    const { file, kind, row, bar } = next;
    await new Promise((done) => {
      const request = new XMLHttpRequest();
      request.open("PUT", kind + "?name=" + encodeURIComponent(file.name));
      request.upload.addEventListener("progress", (event) => { bar.value = event.loaded / Math.max(1, event.total); });
      request.addEventListener("loadend", () => {
        row.remove();
        if (request.status !== 200) say(file.name + ": " + (request.responseText || "goldmaster does not answer") + ".", "upload");
        done();
      });
      request.send(file);
    });
  }
  sending = false;
}

const fileOf = (entry) => new Promise((done, refused) => entry.file(done, refused));

async function filesOf(entry) {
  if (entry.isFile) {
    const file = await fileOf(entry);
    return SOUND_FILES.test(file.name) && !file.name.startsWith(".") ? [file] : [];
  }
  const reader = entry.createReader();
  const files = [];
  for (;;) {
    const entries = await new Promise((done, refused) => reader.readEntries(done, refused));
    if (!entries.length) return files;
    entries.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    for (const inner of entries) files.push(...(await filesOf(inner)));
  }
}

export async function dropped(event) {
  event.preventDefault();
  document.body.classList.remove("dragging");
  const kind = event.target instanceof Element && event.target.closest(".like") ? "references" : "songs";
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return send(event.dataTransfer.files, kind);
  for (const entry of entries) {
    const files = await filesOf(entry);
    send(files, kind);
    if (!files.length) say(entry.name + " holds no file of sound.", "upload");
  }
}
