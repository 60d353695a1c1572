(() => {
  "use strict";
  const table = document.getElementById("songs");
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, n) => {
    const cell = row.cells[n];
    const text = (cell.dataset.sort || cell.textContent).trim().replace("\u2212", "-");
    const number = Number(text);
    return text !== "" && Number.isFinite(number) ? number : text.toLowerCase();
  };
  const before = (a, b) => {
    if (typeof a === typeof b) return a < b ? -1 : a > b ? 1 : 0;
    // Numbers come before what was not measured.
    return typeof a === "number" ? -1 : 1;
  };
  heads.forEach((head, n) => head.querySelector("button").addEventListener("click", () => {
    const isUp = head.getAttribute("aria-sort") !== "ascending";
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => (isUp ? 1 : -1) * before(value(a, n), value(b, n)));
    table.tBodies[0].append(...rows);
  }));
})();
