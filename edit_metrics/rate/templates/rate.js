"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const el = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.append(...children);
    return node;
  };
  const viewer = new EditViewer.Viewer($("viewer"));
  let now = null;      // what the server said last
  let busy = false;
  let looked = 0;      // ms that the pictures were in sight since the last answer
  let since = null;
  let drawn = null;    // index of the item on the screen

  // Seconds count only while the page is in sight.
  const clock = () => { if (since !== null) looked += performance.now() - since; since = document.hidden ? null : performance.now(); };
  document.addEventListener("visibilitychange", clock);
  const seconds = () => { clock(); return Math.round(looked) / 1000; };

  const send = async (path, body) => {
    if (busy) return;
    busy = true;
    document.body.classList.add("busy");
    try {
      const answer = await fetch(path, body === undefined ? {} :
        { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
      const read = await answer.json().catch(() => ({ error: `The server answered ${answer.status}.` }));
      if (read.error) throw new Error(read.error);
      $("error").hidden = true;
      return read;
    } catch (error) {
      const gone = error instanceof TypeError;
      $("error").textContent = gone ? "The server does not answer: your last key was not kept. Start `edit-metrics rate` again; every answer before is on the disk." : error.message;
      $("error").hidden = false;
      return null;
    } finally {
      busy = false;
      document.body.classList.remove("busy");
    }
  };
  const go = async (path, body) => { const read = await send(path, body); if (read) draw(read); };

  const answer = (kind, rating = null, flags = []) => {
    if (!now || !now.item) return;
    go("answer", { index: now.item.index, dimension: now.dimension, kind, rating, flags, seconds: seconds() });
  };

  const draw = (read) => {
    now = read;
    looked = 0;
    since = document.hidden ? null : performance.now();
    const pace = read.seconds === null ? "" : ` · ${read.seconds.toFixed(1)} s an item`;
    $("progress").textContent = `${read.done} of ${read.total} items${pace} · ${read.rater}`;
    $("bar").max = Math.max(1, read.total);
    $("bar").value = read.done;
    const over = !read.item;
    $("ask").hidden = over;
    $("viewer").hidden = over;
    $("over").hidden = !over;
    if (over) {
      $("instruction").textContent = "Nothing is left for you";
      $("over-text").textContent = `${read.done} items are rated and on the disk. You may close this page and stop the server with Ctrl-C. `;
      const back = el("button", { type: "button" }, "Undo the last answer");
      back.addEventListener("click", () => go("undo", {}));
      $("over-text").append(back);
      drawn = null;
      return;
    }
    const { item } = read;
    if (drawn !== item.index) {
      drawn = item.index;
      $("instruction").textContent = item.instruction || "(no instruction)";
      const at = (name) => `picture/${item.index}/${name}`;
      viewer.show({
        id: String(item.index), title: item.instruction, sensitive: item.sensitive,
        pictures: ["source", "edited"].map((name) => ({ name, src: item.missing[name] ? "" : at(name), note: item.missing[name] })),
        overlays: item.change ? [{ kind: "change", name: "Change map", src: at("change") }] : [],
        mask: item.mask ? { src: at("mask") } : null,
      });
      $("comment").value = "";
    }
    drawQuestion();
    drawScores(item.scores);
    if (read.ahead !== null) for (const name of ["source", "edited"]) new Image().src = `picture/${read.ahead}/${name}`;
  };

  const drawQuestion = () => {
    const at = now.questions.findIndex((one) => one.name === now.dimension);
    const one = now.questions[at];
    const place = now.questions.length > 1 ? ` ${at + 1} of ${now.questions.length}` : "";
    $("question").replaceChildren(`${one.name[0].toUpperCase()}${one.name.slice(1)}: ${one.question}`, el("small", {}, place));
    $("answers").replaceChildren(...now.scale.map((value) => {
      const button = el("button", { type: "button", "data-rating": value }, el("kbd", {}, String(value)), one.anchors[value] || String(value));
      button.addEventListener("click", () => answer("rating", value));
      return button;
    }));
  };

  const drawScores = (scores) => {
    $("scores").hidden = !scores;
    if (!scores) return;
    const rows = scores.dimensions.map(([name, score, confidence, why]) => el("tr", {}, el("th", { scope: "row" }, name),
      el("td", {}, score === null ? "–" : score.toFixed(2)), el("td", {}, confidence === null ? "–" : confidence.toFixed(2)), el("td", {}, why)));
    const head = ["dimension", "score", "confidence", "why"].map((name) => el("th", { scope: "col" }, name));
    $("scores").replaceChildren(el("p", {}, [scores.id, scores.model, ...scores.flags].filter(Boolean).join(" · ")),
      el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows)));
  };

  // Dialogs
  const openSkip = () => {
    if (!now || !now.item) return;
    $("reasons").replaceChildren(...Object.entries(now.flags).map(([code, label], n) => {
      const button = el("button", { type: "button", "data-flag": code }, el("kbd", {}, String(n + 1)), ` ${label}`);
      button.addEventListener("click", () => { $("skip-dialog").close(); answer("skip", null, [code]); });
      return button;
    }));
    $("skip-dialog").showModal();
  };
  $("skip-dialog").addEventListener("keydown", (event) => {
    const button = $("reasons").children[Number(event.key) - 1];
    if (button) { event.preventDefault(); button.click(); }
  });
  const openNote = () => {
    if (!now || !now.item) return;
    $("comment").placeholder = now.comment;
    $("note-flags").replaceChildren(...Object.entries(now.flags).map(([code, label]) =>
      el("label", {}, el("input", { type: "checkbox", value: code }), label)));
    $("note-dialog").showModal();
    $("comment").focus();
  };
  const keepNote = async () => {
    const flags = [...$("note-flags").querySelectorAll("input:checked")].map((one) => one.value);
    const kept = await send("remark", { index: now.item.index, flags, comment: $("comment").value });
    if (kept) $("note-dialog").close();
  };
  $("note-form").addEventListener("submit", (event) => { event.preventDefault(); keepNote(); });
  $("note-dialog").addEventListener("keydown", (event) => { if (event.key === "Enter" && event.ctrlKey) { event.preventDefault(); keepNote(); } });
  $("note-back").addEventListener("click", () => $("note-dialog").close());
  const openHelp = () => {
    const keys = [[now.scale.join(" "), "the rating: one key, then the next question or item"], ["n", "not applicable"], ["s", "skip the item, with a reason"],
      ["u", "undo the last answer"], ["r", "remark"], ["space", "flicker between the pictures"], ["v", "side by side, slider, flicker"],
      ["+ − 0 z", "zoom in, out, fit, 1:1; drag moves both pictures"], ["c m", "change map, mask, where there is one"]];
    $("keys").replaceChildren(...keys.flatMap(([key, text]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, text)]));
    $("guide").textContent = now.guide;
    $("help-dialog").showModal();
  };
  const acts = { n: () => answer("not_applicable"), s: openSkip, u: () => go("undo", {}), r: openNote, "?": openHelp };
  for (const [id, key] of [["undo", "u"], ["none", "n"], ["skip", "s"], ["note", "r"], ["help", "?"]]) $(id).addEventListener("click", (event) => {
    if (event.detail > 0) $(id).blur(); // by pointer: the next space flickers, it does not press the button again
    acts[key]();
  });

  document.addEventListener("keydown", (event) => {
    if (!now || event.ctrlKey || event.metaKey || event.altKey || event.repeat || document.querySelector("dialog[open]")) return;
    if (event.target.closest("textarea, input:not([type=range])")) return;
    if (now.item && now.scale.includes(Number(event.key)) && event.key.trim()) { event.preventDefault(); answer("rating", Number(event.key)); return; }
    if (acts[event.key] && (now.item || event.key === "u")) { event.preventDefault(); acts[event.key](); return; }
    if (now.item) viewer.key(event);
  });
  go("position");
})();
