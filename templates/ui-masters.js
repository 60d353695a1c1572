// The list of masters.
import { ask, byId, failed, keyed, make, noteItems, number, setText } from "./ui-dom.js";

/** Masters that are made, or on their way. */
export function drawMasters({ exports, folder }) {
  byId("masters-card").hidden = !exports.length;
  setText(byId("folder"), folder ?? "");
  keyed(byId("masters"), exports, (item) => {
    const link = (part, words) => make("a", { href: "exports/" + item.id + "/" + part, textContent: words, ...(part === "page" ? { target: "_blank", rel: "noopener" } : { download: "" }) });
    const links = make("p", { className: "links" }, link("master", "Save a copy"), link("page", "Look and listen"), link("recipe", "Recipe"), link("report", "Report"));
    const stop = make("button", { type: "button", className: "stop", textContent: "Stop" });
    stop.addEventListener("click", () => ask("DELETE", "exports/" + item.id).catch(failed("action")));
    const command = make("details", { className: "command" }, make("summary", { textContent: "Command line" }), make("pre", { tabIndex: 0 }));
    return make("li", {}, make("h3"), make("p", { className: "told" }), make("progress", { max: 1 }), make("ul", { className: "told-notes" }), links, stop, command);
  }, (element, item) => {
    const [head, told, bar, notes, links, stop, command] = element.children;
    setText(head, item.name);
    const levels = item.is_album ? [item.path] : [number(item.lufs) + " LUFS, true peak " + number(item.true_peak_dbtp) + " dBTP"];
    const texts = { waiting: "Waiting", working: item.stage || "Starting", ready: [...levels, item.words].filter(Boolean).join(": "), failed: item.error ?? "" };
    setText(told, texts[item.progress]);
    told.className = item.progress === "failed" && item.error !== "stopped" ? "told bad" : "told";
    bar.hidden = item.progress !== "working";
    bar.value = item.share;
    bar.ariaLabel = "Progress of " + item.name;
    links.hidden = item.progress !== "ready";
    for (const link of links.children) link.hidden = item.is_album && link.target !== "_blank";
    stop.hidden = item.progress === "ready";
    setText(stop, item.progress === "failed" ? "Take off the list" : "Stop");
    command.hidden = !item.command;
    setText(command.lastElementChild, item.command);
    if (notes.dataset.shown !== JSON.stringify(item.notes)) {
      notes.dataset.shown = JSON.stringify(item.notes);
      notes.replaceChildren(...noteItems(item.notes));
    }
  });
}
