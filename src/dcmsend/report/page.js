"use strict";
(() => {
  const words = JSON.parse(document.getElementById("words").textContent);
  const word = (item) => (typeof item === "number" ? words[item] : item);
  let rows = [];
  for (const part of document.querySelectorAll("script.rows")) rows = rows.concat(JSON.parse(part.textContent));
  // The fields of a row, as they stand in page_rows.py.
  const NUMBER = 0, FOLDER = 1, NAME = 2, ROOT = 3, LEAF = 4, CLASS = 5, SYNTAX = 6, SENT = 7, SIZE = 8;
  const ASSOCIATION = 9, OUTCOME = 10, STATUS = 11, REASON = 12, ATTEMPTS = 13, MILLISECONDS = 14, CAUSE = 15;
  const OUTCOMES = JSON.parse(document.getElementById("outcomes").textContent);
  const STORED = 2; // outcomes before this number are stored

  const find = (id) => document.getElementById(id);
  const box = find("instances"), body = find("rows"), told = find("found"), search = find("search");
  const show = find("show"), order = find("order"), place = find("place");
  const buttons = { first: find("first"), back: find("back"), next: find("next"), last: find("last") };
  const heads = [...box.querySelectorAll("th[data-sort]")];
  const PAGE = 50, PRINTED = 200;

  const path = (row) => word(row[FOLDER]) + word(row[NAME]);
  const uid = (row) => word(row[ROOT]) + word(row[LEAF]);
  const keys = {
    order: null,
    number: (row) => row[NUMBER],
    path: (row) => path(row),
    outcome: (row) => row[OUTCOME] * 65536 + (row[STATUS] === null ? 0 : row[STATUS]),
    kind: (row) => word(row[CLASS]),
    size: (row) => row[SIZE],
    association: (row) => row[ASSOCIATION],
    seconds: (row) => (row[MILLISECONDS] === null ? -1 : row[MILLISECONDS]),
  };
  let haystack = null, key = "order", down = false, page = 0, shown = [], cause = -1;

  const hay = (row) =>
    [path(row), uid(row), word(row[CLASS]), word(row[SYNTAX]), word(row[SENT]), OUTCOMES[row[OUTCOME]][1], row[STATUS] === null ? "" : hex(row[STATUS]), word(row[REASON])]
      .join("\n").toLowerCase();
  const hex = (status) => "0x" + status.toString(16).padStart(4, "0");

  function choose() {
    const wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const which = show.value;
    if (wanted.length && !haystack) haystack = rows.map(hay);
    shown = [];
    for (let at = 0; at < rows.length; at++) {
      const row = rows[at], outcome = row[OUTCOME];
      if (which === "failed" && outcome < STORED) continue;
      if (which === "stored" && outcome >= STORED) continue;
      if (which === "remark" && outcome !== 1) continue;
      if (cause >= 0 && row[CAUSE] !== cause) continue;
      if (wanted.length && !wanted.every((one) => haystack[at].includes(one))) continue;
      shown.push(at);
    }
    if (keys[key]) {
      const by = rows.map(keys[key]), sign = down ? -1 : 1;
      shown.sort((a, b) => (by[a] < by[b] ? -sign : by[a] > by[b] ? sign : a - b));
    }
    page = 0;
    draw();
  }

  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className) made.className = className;
    return made;
  }

  function cell(label, content, className) {
    const made = element("td", undefined, className);
    made.setAttribute("role", "cell");
    if (label) made.dataset.label = label;
    made.append(...[content].flat());
    return made;
  }

  function line(row) {
    const made = element("tr"), outcome = OUTCOMES[row[OUTCOME]];
    made.setAttribute("role", "row");
    const mark = [element("span", outcome[1], "mark " + outcome[0])];
    const status = row[STATUS] ? hex(row[STATUS]) + " " : "";
    const why = (status + word(row[REASON])).trim();
    if (why) mark.push(element("span", why, "why"));
    if (row[ATTEMPTS] > 1) mark.push(element("span", row[ATTEMPTS] + " attempts", "why soft"));
    const kind = [element("span", word(row[CLASS]), "why")];
    const syntax = word(row[SYNTAX]), sent = word(row[SENT]);
    kind.push(element("span", sent && sent !== syntax ? syntax + " \u2192 " + sent : syntax, "why soft"));
    made.append(
      cell("Number", String(row[NUMBER]), "number"),
      cell("", [element("span", path(row), "path"), element("span", uid(row), "path uid")]),
      cell("", mark),
      cell("", kind),
      cell("Size", bytes(row[SIZE]), "number"),
      cell("Association", row[ASSOCIATION] ? String(row[ASSOCIATION]) : "\u2013", "number"),
      cell("Response", row[MILLISECONDS] === null ? "\u2013" : seconds(row[MILLISECONDS]), "number"),
    );
    return made;
  }

  function bytes(count) {
    if (!count) return "\u2013";
    let unit = 0;
    for (; count >= 1000 && unit < 4; unit++) count /= 1000;
    return (unit && count < 100 ? count.toPrecision(2) : Math.round(count)) + " " + ["B", "kB", "MB", "GB", "TB"][unit];
  }

  const seconds = (ms) => (ms < 1000 ? (ms < 10 ? ms.toFixed(1) : Math.round(ms)) + " ms" : (ms / 1000).toFixed(2) + " s");
  const grouped = (count) => count.toLocaleString("en");

  function draw(most = PAGE) {
    const pages = Math.max(1, Math.ceil(shown.length / PAGE));
    page = Math.min(Math.max(page, 0), pages - 1);
    body.replaceChildren(...shown.slice(page * PAGE, page * PAGE + most).map((at) => line(rows[at])));
    const few = cause >= 0 || shown.length < rows.length;
    const part = most > PAGE && shown.length > most ? "the first " + grouped(most) + " of " : "";
    told.textContent = part + (few ? grouped(shown.length) + " of " + grouped(rows.length) + " instances" : grouped(rows.length) + " instances");
    place.textContent = "Page " + grouped(page + 1) + " of " + grouped(pages);
    buttons.first.disabled = buttons.back.disabled = page === 0;
    buttons.next.disabled = buttons.last.disabled = page === pages - 1;
    for (const head of heads) {
      if (head.dataset.sort === key) head.setAttribute("aria-sort", down ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    order.value = key;
  }

  function sort(by) {
    down = by === key && by !== "order" ? !down : false;
    key = by;
    choose();
  }

  function only(group) {
    cause = group;
    find("all").hidden = group < 0;
    choose();
  }

  let timer = 0;
  search.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(choose, rows.length > 20000 ? 150 : 0); });
  show.addEventListener("change", choose);
  order.addEventListener("change", () => { key = ""; sort(order.value); });
  for (const head of heads) head.querySelector("button").addEventListener("click", () => sort(head.dataset.sort));
  buttons.first.addEventListener("click", () => { page = 0; draw(); });
  buttons.back.addEventListener("click", () => { page -= 1; draw(); });
  buttons.next.addEventListener("click", () => { page += 1; draw(); });
  buttons.last.addEventListener("click", () => { page = Infinity; draw(); });
  find("all").addEventListener("click", () => only(-1));
  for (const button of document.querySelectorAll("button[data-cause]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      search.value = "";
      show.value = "all";
      only(Number(button.dataset.cause));
      box.scrollIntoView();
      find("table-title").focus({ preventScroll: true });
    });
  }
  addEventListener("beforeprint", () => { page = 0; draw(PRINTED); });
  addEventListener("afterprint", () => draw());
  box.hidden = false;
  choose();
  document.documentElement.dataset.ready = "yes";
})();
