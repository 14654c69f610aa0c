"use strict";
/* What all pages have: buttons that copy. On the home page: the search. */

for (const button of document.querySelectorAll("button.copy")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    const done = await copy(code);
    const said = button.firstChild;
    said.textContent = done ? "Copied" : "Press Ctrl+C";
    setTimeout(() => { said.textContent = "Copy"; }, 2000);
  });
}

async function copy(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    // without a server, or without leave, the text is selected: a key copies it
    getSelection().selectAllChildren(code);
    return document.execCommand("copy");
  }
}

const search = document.querySelector("form.search");
if (search) {
  search.hidden = false;
  const field = search.querySelector("input");
  const list = search.querySelector(".results");
  const count = search.querySelector("[role=status]");
  const most = 20;

  // what is searched is larger than the page, and comes when somebody searches
  const index = () => new Promise((resolve) => {
    if (window.tapemeasure) return resolve();
    const script = document.createElement("script");
    script.src = "search.js";
    script.addEventListener("load", () => resolve());
    document.head.append(script);
  });

  const found = (text) => {
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return [];
    const all = window.tapemeasure.filter(([, title, more]) => {
      const there = `${title} ${more}`.toLowerCase();
      return words.every((word) => there.includes(word));
    });
    // what is called so goes before what only says so
    const rank = ([, title, more]) => words.every((word) => more.includes(word)) ? 0 : title.toLowerCase().startsWith(words[0]) ? 1 : 2;
    return all.sort((one, other) => rank(one) - rank(other));
  };

  const show = async () => {
    await index();
    const all = found(field.value);
    list.replaceChildren(...all.slice(0, most).map(([kind, title, more, address]) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      const small = document.createElement("small");
      link.href = address;
      link.textContent = title;
      small.textContent = kind === "contract" ? address.replace(/^contract\/|\.html$/g, "") : kind;
      link.append(small);
      item.append(link);
      return item;
    }));
    count.textContent = !field.value.trim() ? "" : all.length > most ? `${all.length} found, the first ${most} are shown` : `${all.length} found`;
  };

  field.addEventListener("input", show);
  search.addEventListener("submit", (event) => {
    event.preventDefault();
    list.querySelector("a")?.click();
  });
  search.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") {
      field.value = "";
      show();
      field.focus();
    } else if (step) {
      const stops = [field, ...list.querySelectorAll("a")];
      const next = stops[stops.indexOf(document.activeElement) + step];
      if (next) {
        next.focus();
        event.preventDefault();
      }
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) {
      event.preventDefault();
      field.focus();
    }
  });
  if (field.value) show();
}
