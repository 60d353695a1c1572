// What is shown and asked, whatever it is.

export const byId = (id) => document.getElementById(id);

export const number = (value, digits = 1) => (value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−"));
export const clock = (seconds) => {
  const tenths = Math.floor(seconds * 10 + 1e-6);
  return Math.floor(tenths / 600) + ":" + String(Math.floor(tenths / 10) % 60).padStart(2, "0") + "." + (tenths % 10);
};

export function make(tag, properties = {}, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** What is said, by what it is about; a later word about the same takes its place. */
const said = new Map();

export function say(text, about = "action") {
  if (text) said.set(about, text); else said.delete(about);
  byId("message").hidden = !said.size;
  setText(byId("message"), [...said.values()].join(" "));
}

export const failed = (about) => (error) => say(error.message, about);

export async function ask(method, url, body, signal) {
  const options = { method, signal };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    options.headers = { "content-type": "application/json" };
  }
  let answer;
  try {
    answer = await fetch(url, options);
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Error("goldmaster does not answer: is it still running?");
  }
  if (!answer.ok) {
    const error = new Error((await answer.text()) || answer.statusText);
    error.status = answer.status;
    throw error;
  }
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

/** Brings a list up to date without touching what stays, so that the focus stays as well. */
export function keyed(list, items, create, update) {
  const known = new Map([...list.children].map((child) => [child.dataset.key, child]));
  const keys = new Set(items.map((item) => String(item.id)));
  const hadFocus = list.contains(document.activeElement);
  known.forEach((element, key) => { if (!keys.has(key)) element.remove(); });
  items.forEach((item, place) => {
    const key = String(item.id);
    const element = known.get(key) ?? create(item);
    element.dataset.key = key;
    update(element, item);
    if (list.children[place] !== element) list.insertBefore(element, list.children[place] ?? null);
  });
  // Whoever removes one thing after the other need not come back each time.
  if (hadFocus && document.activeElement === document.body) list.querySelector("button, input")?.focus();
}

const SIGNS = { serious: ["bad", "Serious:"], caution: ["warn", "Caution:"], note: ["", "Note:"] };

export function noteItems(notes) {
  return notes.map(({ severity, text }) => {
    const [style, word] = SIGNS[severity];
    return make("li", {}, make("span", { className: "severity " + style, textContent: word + " " }), text);
  });
}
