"use strict";
(() => {
  const PAGE = 50;
  const el = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== null) node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  };

  // Cards: the first dozen, more on request, so that a long page starts quickly.
  const showCard = (card) => {
    card.hidden = false;
    card.focus();
    card.scrollIntoView();
  };
  for (const grid of document.querySelectorAll(".cards")) {
    const step = Number(grid.dataset.step) / (window.matchMedia("(max-width: 640px)").matches ? 3 : 1);
    const cards = [...grid.children];
    const button = grid.parentElement.querySelector(".more");
    const hidden = () => cards.filter((card) => card.hidden);
    const label = () => {
      const left = hidden().length;
      button.hidden = left === 0;
      button.textContent = `Show ${Math.min(step, left)} more of ${left}`;
    };
    cards.forEach((card, index) => { card.hidden = index >= step; });
    button.addEventListener("click", () => {
      const next = hidden().slice(0, step);
      next.forEach((card) => { card.hidden = false; });
      label();
      next[0].focus();
    });
    label();
  }

  // Pictures flagged as unsafe stay blurred until somebody asks for them.
  const toggle = (pictures, button) => {
    const shown = pictures.classList.toggle("shown");
    button.setAttribute("aria-pressed", String(shown));
    button.textContent = shown ? "Blur the pictures again" : "Show pictures flagged as unsafe";
  };
  for (const button of document.querySelectorAll(".reveal")) {
    button.addEventListener("click", () => toggle(button.previousElementSibling, button));
  }

  // Looking: a card's pictures are on the page, a row's beside it; both open the same viewer.
  const MISSING = "The full pictures do not lie beside this page: these are its small ones. A page with them: edit-metrics report RUN --bundle FILE.zip";
  const cards = new Map([...document.querySelectorAll(".card[data-id]")].map((card) => [card.dataset.id, card]));
  const textOf = (card, selector) => { const node = card.querySelector(selector); return node ? node.textContent.trim() : ""; };
  const itemOfCard = (card) => {
    const figures = [...card.querySelectorAll(".pictures figure")].map((figure) => ({ image: figure.querySelector("img"), note: textOf(figure, ".nopicture"), name: textOf(figure, "figcaption") }));
    const of = (role) => figures.filter(({ image }) => image && image.dataset.role === role).map(({ image }) => image);
    const shown = (image) => ({ kind: image.dataset.kind, name: image.dataset.name, src: image.getAttribute("src"), full: image.dataset.full });
    const mask = of("mask")[0];
    const pictures = card.querySelector(".pictures");
    return {
      id: card.dataset.id, title: card.dataset.id, instruction: textOf(card, ".instruction"),
      why: [...card.querySelectorAll(".why-first, .evidence")].map((node) => node.textContent.trim()).join(" · "),
      sensitive: pictures.classList.contains("sensitive"),
      pictures: figures.filter(({ image, note }) => note || (image && image.dataset.role === "picture"))
        .map(({ image, note, name }) => (image ? shown(image) : { name, note })),
      overlays: withFiles(of("map").map(shown), filesOf(card.dataset.id)), mask: mask ? { src: mask.dataset.overlay } : null,
      boxes: pictures.dataset.boxes ? JSON.parse(pictures.dataset.boxes) : null, missing: MISSING,
    };
  };
  let itemOfRow = () => null; // these two are set below, when the page has a table
  let filesOf = () => [];
  const MAPS = { change: "change map", region: "region of the check", lpips: "LPIPS map", ssim: "SSIM map" };
  const withFiles = (overlays, files) => [...overlays,
    ...files.filter(([kind]) => MAPS[kind] && !overlays.some((one) => one.kind === kind)).map(([kind, full]) => ({ kind, name: MAPS[kind], full }))];
  let tableIds = () => [...cards.keys()];
  const viewer = EditViewer.lightbox((id) => (cards.has(id) ? itemOfCard(cards.get(id)) : itemOfRow(id)), () => tableIds());
  for (const [id, card] of cards) {
    const section = () => [...card.parentElement.children].map((one) => one.dataset.id);
    card.querySelector(".look").addEventListener("click", () => viewer.open(id, section()));
    for (const image of card.querySelectorAll(".pictures img")) image.addEventListener("click", () => viewer.open(id, section()));
  }

  const source = document.getElementById("table-data");
  if (!source) { viewer.follow(); return; }
  const data = JSON.parse(source.textContent);
  const { columns, rows, details } = data;
  const table = document.getElementById("items-table");
  const form = document.getElementById("filters");
  const found = document.getElementById("found");
  const pages = document.getElementById("pages");
  const key = columns.findIndex((column) => column.kind === "id");
  const instructionColumn = columns.findIndex((column) => column.label === "instruction");
  const instructionOf = (n) => (instructionColumn < 0 ? "" : rows[n][instructionColumn] ?? "");
  const numberOf = new Map(rows.map((row, n) => [row[key], n]));
  const flagColumn = columns.findIndex((column) => column.kind === "flags");
  const numeric = (column) => ["int", "score", "number"].includes(column.kind);
  const state = { sort: null, descending: false, page: 0, shown: rows.map((_, index) => index) };

  // Filters
  const field = (label, input) => { form.append(el("label", {}, label, input)); return input; };
  const search = field("id or instruction", el("input", { type: "search", id: "filter-text" }));
  const choices = columns.flatMap((column, index) => {
    if (!column.choice) return [];
    const values = [...new Set(rows.map((row) => row[index] ?? ""))].sort();
    const select = el("select", { id: `filter-${index}` }, el("option", { value: "*" }, "all"));
    values.forEach((value, n) => select.append(el("option", { value: String(n) }, value || "(none)")));
    field(column.label, select);
    return [{ index, select, values }];
  });
  const flagNames = Object.keys(data.flags);
  let flag = null;
  if (flagColumn >= 0) {
    flag = el("select", { id: "filter-flag" }, el("option", { value: "*" }, "all"), el("option", { value: "any" }, "any flag"),
      el("option", { value: "none" }, "no flag"));
    flagNames.forEach((name, n) => flag.append(el("option", { value: String(n) }, data.flags[name])));
    field("flag", flag);
  }
  const scores = columns.flatMap((column, index) => (column.kind === "score" || column.kind === "number" ? [index] : []));
  let by = null; let low = null; let high = null;
  if (scores.length) {
    by = el("select", { id: "filter-score" });
    scores.forEach((index) => by.append(el("option", { value: String(index) }, columns[index].label)));
    low = el("input", { type: "number", id: "filter-low", step: "0.05", placeholder: "any" });
    high = el("input", { type: "number", id: "filter-high", step: "0.05", placeholder: "any" });
    form.append(el("div", { class: "range", role: "group", "aria-label": "Range of a score" },
      el("label", {}, "score", by), el("label", {}, "from", low), el("label", {}, "to", high)));
  }
  const reset = el("button", { type: "button", id: "filter-reset" }, "Reset");
  form.append(reset);
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => apply());
  // Not every browser sends "input" for a list; for text, "change" would redraw the rows under a click.
  form.addEventListener("change", (event) => { if (event.target.tagName === "SELECT") apply(); });
  reset.addEventListener("click", () => { form.reset(); apply(); search.focus(); });

  const accepts = () => {
    const text = search.value.trim().toLocaleLowerCase();
    const picked = choices.filter(({ select }) => select.value !== "*")
      .map(({ index, select, values }) => [index, values[Number(select.value)]]);
    const from = low && low.value !== "" ? Number(low.value) : null;
    const to = high && high.value !== "" ? Number(high.value) : null;
    return (n) => {
      const row = rows[n];
      if (text && !row[key].toLocaleLowerCase().includes(text) && !instructionOf(n).toLocaleLowerCase().includes(text)) return false;
      if (picked.some(([index, value]) => (row[index] ?? "") !== value)) return false;
      if (flag && flag.value !== "*") {
        const own = row[flagColumn];
        if (flag.value === "any" ? !own.length : flag.value === "none" ? own.length : !own.includes(flagNames[Number(flag.value)])) return false;
      }
      if (from === null && to === null) return true;
      const value = row[Number(by.value)];
      return value !== null && (from === null || value >= from) && (to === null || value <= to);
    };
  };

  const apply = () => {
    state.shown = rows.map((_, index) => index).filter(accepts());
    if (state.sort !== null) {
      const column = state.sort; const sign = state.descending ? -1 : 1;
      const value = (n) => { const cell = rows[n][column]; return Array.isArray(cell) ? cell.join(" ") : cell; };
      // What has no value comes last in either direction: it is neither good nor bad.
      const empty = (cell) => cell === null || cell === "";
      state.shown.sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        if (empty(x) || empty(y)) return empty(x) - empty(y) || a - b;
        return (typeof x === "number" ? x - y : x.localeCompare(y)) * sign || a - b;
      });
    }
    state.page = 0;
    draw();
  };

  // Head
  const headings = columns.map((column, index) => {
    const button = el("button", { type: "button" }, column.label);
    const heading = el("th", { scope: "col", class: [numeric(column) ? "number" : "", index === key ? "key" : ""].join(" ").trim(),
      "aria-sort": "none" }, button);
    button.addEventListener("click", () => {
      state.descending = state.sort === index ? !state.descending : false;
      state.sort = index;
      headings.forEach((other) => other.setAttribute("aria-sort", "none"));
      heading.setAttribute("aria-sort", state.descending ? "descending" : "ascending");
      apply();
    });
    return heading;
  });
  const body = el("tbody");

  const SVG = "http://www.w3.org/2000/svg";
  const bar = (value) => {
    const svg = document.createElementNS(SVG, "svg");
    const set = (node, attributes) => { for (const [name, text] of Object.entries(attributes)) node.setAttribute(name, text); return node; };
    set(svg, { class: "meter cellbar", viewBox: "0 0 100 4", preserveAspectRatio: "none", "aria-hidden": "true" });
    const rect = (attributes) => svg.append(set(document.createElementNS(SVG, "rect"), { height: 4, ...attributes }));
    rect({ class: "track", width: 100 });
    rect({ class: value < 0.5 ? "fill low" : "fill", width: Math.max(0, Math.min(1, value)) * 100 });
    return svg;
  };
  const cellOf = (column, value) => {
    if (column.kind === "id") return el("th", { scope: "row", class: "key" }, value);
    if (column.kind === "flags") {
      const cell = el("td", {});
      value.forEach((name) => cell.append(el("span", { class: "badge alarm" }, data.flags[name]), " "));
      return cell;
    }
    if (!numeric(column)) return el("td", { class: "text" }, value ?? "");
    if (value === null) return el("td", { class: "number none" }, "–");
    if (column.kind === "int" || column.kind === "number") return el("td", { class: "number" }, String(value));
    return el("td", { class: value < 0.5 ? "number low" : "number" }, value.toFixed(2), bar(value));
  };
  const words = (codes) => codes.map((code) => data.codes[code]).join(" ");
  const detailOf = (n) => {
    const [, front, perDimension, card, files, sensitive, checks] = details[n];
    const inner = el("div", { class: "inner" });
    const instruction = instructionOf(n);
    if (instruction) inner.append(el("p", { class: "instruction" }, instruction));
    if (front.length) inner.append(el("p", { class: "front" }, el("b", {}, "In front because: "), words(front)));
    if (checks) inner.append(el("p", { class: "evidence" }, `Checks: ${checks}`));
    if (perDimension.length) {
      const list = el("tbody");
      const unscored = new Map(); // status and reasons → dimensions without a score for that cause
      perDimension.forEach(([confidence, status, codes], index) => {
        const name = data.dimensions[index];
        if (status) {
          const cause = `${status[0].toUpperCase()}${status.slice(1)}. ${words(codes)}`;
          unscored.set(cause, [...(unscored.get(cause) ?? []), name]);
          return;
        }
        const at = columns.findIndex((column) => column.label === name && column.kind === "score");
        list.append(el("tr", {}, el("th", { scope: "row" }, name),
          el("td", { class: "number" }, rows[n][at].toFixed(2)),
          el("td", { class: "number" }, confidence === null ? "–" : confidence.toFixed(2)),
          el("td", {}, words(codes))));
      });
      for (const [cause, names] of unscored) {
        list.append(el("tr", { class: "unscored" },
          el("th", { scope: "row", colspan: "3" }, `No score: ${names.join(", ")}`), el("td", {}, cause)));
      }
      const head = ["dimension", "score", "confidence", "why"].map((name) => el("th", { scope: "col" }, name));
      inner.append(el("table", { class: "scores" }, el("thead", {}, el("tr", {}, ...head)), list));
    }
    const links = el("p", { class: "front" });
    if (card >= 0) {
      const jump = el("a", { href: `#card-${card}` }, "Pictures");
      jump.addEventListener("click", (event) => { event.preventDefault(); showCard(document.getElementById(`card-${card}`)); });
      links.append(jump, " ");
    }
    files.forEach(([kind, file]) => links.append(
      el("a", { href: file }, `${kind} evidence${sensitive ? " (unsafe, not blurred)" : ""}`), " "));
    if (links.childNodes.length) inner.append(links);
    return el("tr", { class: "detail", id: `detail-${n}` }, el("td", { colspan: String(columns.length + (looks ? 1 : 0)) }, inner));
  };

  // Pictures of rows
  const looks = rows.some((row, n) => details[n][0] || cards.has(row[key]));
  filesOf = (id) => (numberOf.has(id) ? details[numberOf.get(id)][4] : []);
  itemOfRow = (id) => {
    const n = numberOf.get(id);
    if (n === undefined || !details[n][0]) return null;
    const [[source_, edited, fullSource, fullEdited, boxes, mask], front, , , files, sensitive, checks] = details[n];
    return {
      id, title: id, instruction: instructionOf(n), why: [words(front), checks].filter(Boolean).join(" · "), sensitive,
      pictures: [{ name: "source", src: source_, full: fullSource, note: "no picture" }, { name: "edited", src: edited, full: fullEdited, note: "no picture" }],
      overlays: withFiles([], files), mask: mask ? { src: mask } : null,
      boxes, missing: MISSING,
    };
  };
  const canLook = (n) => details[n][0] || cards.has(rows[n][key]);
  tableIds = () => state.shown.filter(canLook).map((n) => rows[n][key]);
  const lookCell = (n) => {
    const cell = el("td", { class: "looks" });
    if (!canLook(n)) return cell;
    const id = rows[n][key];
    const card = cards.get(id);
    const small = card ? [...card.querySelectorAll(".pictures img[data-role=picture]")].map((image) => image.getAttribute("src")) : details[n][0].slice(0, 2);
    const button = el("button", { type: "button", class: details[n][5] ? "look sensitive" : "look", "aria-label": `Look at ${id}` },
      ...small.filter(Boolean).slice(0, 2).map((src) => el("img", { src, alt: "" })));
    if (!button.childNodes.length) button.append("Look");
    button.addEventListener("click", () => viewer.open(id, tableIds()));
    cell.append(button);
    return cell;
  };

  const rowOf = (n) => {
    const cells = columns.map((column, index) => cellOf(column, rows[n][index]));
    const row = el("tr", {}, ...(looks ? [lookCell(n)] : []), ...cells);
    const button = el("button", { type: "button", class: "why", "aria-expanded": "false", "aria-label": `Why: ${rows[n][key]}` }, "Why");
    button.addEventListener("click", () => {
      const open = row.nextElementSibling && row.nextElementSibling.id === `detail-${n}`;
      if (open) row.nextElementSibling.remove(); else row.after(detailOf(n));
      button.setAttribute("aria-expanded", String(!open));
    });
    cells[key].append(button);
    return row;
  };

  // Pages
  const previous = el("button", { type: "button", id: "previous" }, "Previous");
  const next = el("button", { type: "button", id: "next" }, "Next");
  const where = el("span", { role: "status" });
  pages.append(previous, where, next);
  const turn = (step) => { state.page += step; draw(); table.parentElement.scrollIntoView({ block: "start" }); };
  previous.addEventListener("click", () => turn(-1));
  next.addEventListener("click", () => turn(1));

  const draw = () => {
    const start = state.page * PAGE;
    const part = state.shown.slice(start, start + PAGE);
    body.replaceChildren(...part.map(rowOf));
    const last = Math.max(0, Math.ceil(state.shown.length / PAGE) - 1);
    found.textContent = `${state.shown.length} of ${rows.length} items`;
    where.textContent = state.shown.length ? `${start + 1} to ${start + part.length}` : "no items";
    previous.disabled = state.page === 0;
    next.disabled = state.page >= last;
    pages.hidden = state.shown.length <= PAGE;
  };
  table.append(el("thead", {}, el("tr", {}, ...(looks ? [el("th", { scope: "col", class: "looks" }, "pictures")] : []), ...headings)), body);
  draw();
  viewer.follow();
})();
