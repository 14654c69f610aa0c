"use strict";
/* The matrix: rows are filtered, cells shown for a mode, and walked through with arrow keys. The
   filters are in the address, so that a view can be linked to. */

const table = document.getElementById("matrix");
const form = document.querySelector("form.filters");
const shown = document.getElementById("shown");
const modes = [...form.elements.mode.options].slice(1).map((option) => option.value);
const verdicts = [...form.elements.verdict.options].slice(1).map((option) => option.value);
const byLetter = new Map(verdicts.map((verdict) => [verdict[0], verdict]));
const signs = new Map([...document.querySelectorAll(".legend .v")].map((one) => {
  const sign = one.querySelector(".sign").textContent;
  return [one.className.match(/v-(\w+)/)[1], sign];
}));
const versions = [...form.elements.version.options].slice(1).map((option) => option.value);

/* Each row has for each version a letter for all modes together, and one for each mode. */
const rows = [...table.querySelectorAll("tr[data-modes]")].map((row) => ({
  row,
  chapter: row.parentElement.dataset.chapter,
  text: `${row.firstElementChild.textContent} ${row.firstElementChild.firstElementChild.title}`.toLowerCase(),
  cells: row.dataset.modes.split(" "),
  links: [...row.querySelectorAll("td a")],
}));
let painted = 0;

function paint(mode) {
  if (mode === painted) return;
  for (const { cells, links } of rows) {
    cells.forEach((letters, at) => {
      if (letters[mode] === letters[painted]) return;
      const verdict = byLetter.get(letters[mode]);
      links[at].className = `v-${verdict}`;
      links[at].textContent = signs.get(verdict);
      links[at].setAttribute("aria-label", verdict);
    });
  }
  painted = mode;
}

function apply() {
  const { text, chapter, mode, verdict, version, differs } = form.elements;
  const at = modes.indexOf(mode.value) + 1;
  const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
  const letter = verdict.value[0];
  const column = versions.indexOf(version.value);
  const used = new Set();
  let count = 0;
  for (const one of rows) {
    const letters = one.cells.map((cell) => cell[at]);
    const looked = column < 0 ? letters : [letters[column]];
    const fits = (!chapter.value || one.chapter === chapter.value)
      && words.every((word) => one.text.includes(word))
      && (!letter || looked.includes(letter))
      && (!differs.checked || new Set(letters).size > 1);
    one.row.hidden = !fits;
    if (fits) {
      used.add(one.row.parentElement);
      count += 1;
    }
  }
  for (const body of table.tBodies) body.hidden = !used.has(body);
  paint(at);
  shown.textContent = `${count} of ${rows.length} contracts. Arrow keys walk through the cells.`;
}

function remember() {
  const kept = new URLSearchParams();
  for (const field of form.elements) {
    const value = field.type === "checkbox" ? (field.checked ? "yes" : "") : field.value;
    if (field.name && value) kept.set(field.name, value);
  }
  history.replaceState(null, "", kept.size ? `#${kept}` : location.pathname + location.search);
}

function recall() {
  const kept = new URLSearchParams(location.hash.slice(1));
  for (const field of form.elements) {
    if (field.type === "checkbox") field.checked = kept.has(field.name);
    else if (field.name) field.value = kept.get(field.name) ?? "";
    // what the address asks for may not be there
    if (field.tagName === "SELECT" && field.selectedIndex < 0) field.value = "";
  }
  apply();
}

form.hidden = false;
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("input", () => { apply(); remember(); });
form.addEventListener("reset", () => setTimeout(() => { apply(); remember(); }));
addEventListener("hashchange", recall);
recall();

/* One cell is reached by the tab key, the others from it. */
let stop = null;
function rove(link) {
  if (stop) stop.tabIndex = -1;
  stop = link;
  stop.tabIndex = 0;
}
for (const { links } of rows) for (const link of links) link.tabIndex = -1;
if (rows.length) rove(rows[0].links[0]);
table.addEventListener("focusin", (event) => {
  if (event.target.matches("td a")) rove(event.target);
});
table.addEventListener("keydown", (event) => {
  if (!event.target.matches("td a")) return;
  const visible = rows.filter(({ row }) => !row.hidden);
  const y = visible.findIndex(({ links }) => links.includes(event.target));
  const x = visible[y].links.indexOf(event.target);
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
  const to = event.key === "Home" ? visible[y].links[0]
    : event.key === "End" ? visible[y].links.at(-1)
    : dx || dy ? visible[y + dy]?.links[x + dx] : null;
  if (to) {
    to.focus();
    event.preventDefault();
  }
});
