"use strict";
// The viewer: the lightbox of every report page and the pictures of the rating page. One state moves all pictures.
const EditViewer = (() => {
  const MODES = ["pair", "slider", "flicker"];
  const MODE_NAMES = { pair: "Side by side", slider: "Slider", flicker: "Flicker" };
  const MOST_ZOOM = 32;
  const SWIPE = 60; // px that a finger moves sideways to turn to the next item
  const SVG = "http://www.w3.org/2000/svg";
  const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
  const el = (tag, attributes = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === true) node.setAttribute(name, "");
      else if (value !== false && value !== null && value !== undefined) node.setAttribute(name, value);
    }
    node.append(...children);
    return node;
  };
  const fresh = () => ({ mode: "pair", zoom: 1, x: 0.5, y: 0.5, split: 50, shown: 1, overlay: "", opacity: 70, mask: false, boxes: [] });

  class Viewer {
    // options: step(n) turns to another item, changed() is called after every change that a link can hold.
    constructor(root, options = {}) {
      this.root = root;
      this.options = options;
      this.state = fresh();
      this.panes = [];
      this.pointers = new Map();
      this.bar = el("div", { class: "viewer-bar", role: "toolbar", "aria-label": "View" });
      this.stage = el("div", { class: "viewer-stage", tabindex: "0", role: "group", "aria-label": "Pictures" });
      this.say = el("p", { class: "viewer-say", role: "status", "aria-live": "polite" });
      this.reveal = el("button", { type: "button", class: "reveal", "aria-pressed": "false" });
      this.line = el("div", { class: "viewer-line", "aria-hidden": "true" });
      root.classList.add("viewer");
      root.append(this.bar, this.stage, this.say);
      this.buildBar();
      this.stage.addEventListener("wheel", (event) => this.onWheel(event), { passive: false });
      for (const name of ["pointerdown", "pointermove", "pointerup", "pointercancel"]) {
        this.stage.addEventListener(name, (event) => this.onPointer(event));
      }
      this.stage.addEventListener("dblclick", (event) => this.zoomAt(event, this.state.zoom > 1 ? 1 : this.actualZoom()));
      this.reveal.addEventListener("click", (event) => {
        this.setRevealed(!root.classList.contains("shown"));
        if (event.detail > 0) this.stage.focus({ preventScroll: true });
      });
      new ResizeObserver(() => this.layOut()).observe(this.stage);
    }

    buildBar() {
      const button = (label, title, act) => {
        const node = el("button", { type: "button", title }, label);
        node.addEventListener("click", (event) => {
          act();
          if (event.detail > 0) this.stage.focus({ preventScroll: true }); // by pointer: keys go on to the pictures
        });
        return node;
      };
      this.modeButtons = Object.fromEntries(MODES.map((mode) =>
        [mode, button(MODE_NAMES[mode], mode === "flicker" ? "space flips" : "v changes the view", () => this.set({ mode }))]));
      this.splitInput = el("input", { type: "range", min: "0", max: "100", class: "viewer-split", "aria-label": "Slider between the pictures" });
      this.splitInput.addEventListener("input", () => this.set({ split: Number(this.splitInput.value) }));
      this.opacityInput = el("input", { type: "range", min: "0", max: "100", class: "viewer-opacity", "aria-label": "Opacity of the map" });
      this.opacityInput.addEventListener("input", () => this.set({ opacity: Number(this.opacityInput.value) }));
      this.extra = el("span", { class: "viewer-group", role: "group", "aria-label": "Laid over the pictures" });
      this.zoomText = el("span", { class: "viewer-zoom" });
      this.button = button;
      this.bar.append(
        el("span", { class: "viewer-group", role: "group", "aria-label": "How to compare" }, ...Object.values(this.modeButtons), this.splitInput),
        el("span", { class: "viewer-group", role: "group", "aria-label": "Zoom" },
          button("−", "− zooms out", () => this.zoomBy(1 / 1.5)), this.zoomText, button("+", "+ zooms in", () => this.zoomBy(1.5)),
          button("Fit", "0 fits the pictures", () => this.set({ zoom: 1, x: 0.5, y: 0.5 })),
          button("1:1", "z shows one pixel as one", () => this.set({ zoom: this.actualZoom() }))),
        this.extra, this.reveal);
    }

    // item: { id, title, sensitive, pictures: [{name, src, full}], overlays: [{kind, name, src, full}], mask, boxes, missing }
    show(item, state = null) {
      this.item = item;
      const keep = this.state;
      // The way of looking stays from item to item; the place in the picture does not.
      this.state = { ...fresh(), mode: keep.mode, overlay: keep.overlay, opacity: keep.opacity, mask: keep.mask, boxes: keep.boxes, ...state };
      this.state.shown = item.pictures.length - 1;
      if (state && state.shown !== undefined) this.state.shown = clamp(state.shown, 0, item.pictures.length - 1);
      this.root.classList.toggle("sensitive", Boolean(item.sensitive));
      this.setRevealed(false);
      this.panes = item.pictures.map((picture, index) => this.makePane(item, picture, index));
      this.stage.replaceChildren(...this.panes.map((pane) => pane.node), this.line);
      this.drawExtra(item);
      this.set({});
    }

    makePane(item, picture, index) {
      const layer = el("div", { class: "viewer-layer" });
      const node = el("div", { class: "viewer-pane", "data-name": picture.name });
      const pane = { node, layer, index, image: null, aspect: 1, natural: 0 };
      if (picture.src || picture.full) {
        pane.image = el("img", { class: "viewer-picture", alt: `${picture.name}: ${item.title || item.id}`, draggable: "false" });
        pane.image.addEventListener("load", () => this.measured(pane));
        this.fill(pane.image, picture, pane);
        layer.append(pane.image);
        for (const overlay of item.overlays || []) {
          const image = el("img", { class: "viewer-overlay", "data-kind": overlay.kind, alt: "", draggable: "false" });
          this.fill(image, overlay);
          layer.append(image);
        }
        if (item.mask) {
          const image = el("img", { class: "viewer-mask", alt: "", draggable: "false" });
          this.fill(image, item.mask);
          layer.append(image);
        }
        layer.append(this.makeBoxes((item.boxes || {})[index === 0 ? "source" : "edited"] || []));
        node.append(layer);
      } else {
        node.append(el("p", { class: "nopicture" }, picture.note || "no picture"));
      }
      node.append(el("span", { class: "viewer-name" }, picture.name));
      return pane;
    }

    // The small picture of the page first; the full one beside the page takes its place when it can be read.
    fill(image, picture, pane = null) {
      if (picture.src) image.src = picture.src;
      if (!picture.full) { if (pane) pane.node.classList.add("small"); return; }
      const full = new Image();
      full.addEventListener("load", () => { image.src = picture.full; image.dataset.full = "yes"; });
      full.addEventListener("error", () => { image.dataset.full = "no"; if (pane) { pane.node.classList.add("small"); this.tell(); } });
      full.src = picture.full;
    }

    makeBoxes(boxes) {
      const svg = document.createElementNS(SVG, "svg");
      svg.setAttribute("class", "viewer-boxes");
      svg.setAttribute("viewBox", "0 0 1000 1000");
      svg.setAttribute("preserveAspectRatio", "none");
      for (const one of boxes) {
        const [left, top, right, bottom] = one.box.map((value) => value * 1000);
        const rect = document.createElementNS(SVG, "rect");
        const sized = { x: left, y: top, width: Math.max(0, right - left), height: Math.max(0, bottom - top) };
        for (const [name, value] of Object.entries(sized)) rect.setAttribute(name, value);
        rect.setAttribute("class", one.matched ? "box" : "box lost");
        rect.dataset.kind = one.kind;
        const title = document.createElementNS(SVG, "title");
        title.textContent = one.label;
        rect.append(title);
        svg.append(rect);
      }
      const labels = boxes.filter((one) => one.label).map((one) => {
        const label = el("span", { class: "viewer-label", "data-kind": one.kind }, one.label);
        label.style.left = `${one.box[0] * 100}%`;
        label.style.top = `${one.box[1] * 100}%`;
        return label;
      });
      return el("div", { class: "viewer-marks" }, svg, ...labels);
    }

    drawExtra(item) {
      const toggles = (item.overlays || []).map((overlay) => {
        const node = this.button(overlay.name, overlay.kind === "change" ? "c" : "", () => this.set({ overlay: this.state.overlay === overlay.kind ? "" : overlay.kind }));
        node.dataset.overlay = overlay.kind;
        return node;
      });
      const all = [...((item.boxes || {}).source || []), ...((item.boxes || {}).edited || [])];
      this.boxKinds = [...new Set(all.map((one) => one.kind))];
      const boxes = this.boxKinds.map((kind) => {
        const node = this.button(kind, "b", () => this.toggleBoxes(kind));
        node.dataset.boxes = kind;
        return node;
      });
      const mask = item.mask ? [this.button("Mask", "m", () => this.set({ mask: !this.state.mask }))] : [];
      mask.forEach((node) => { node.dataset.mask = ""; });
      this.extra.replaceChildren(...toggles, ...(toggles.length ? [this.opacityInput] : []), ...mask, ...boxes);
    }

    toggleBoxes(kind) {
      const on = new Set(this.state.boxes);
      if (on.has(kind)) on.delete(kind); else on.add(kind);
      this.set({ boxes: [...on] });
    }

    measured(pane) {
      pane.aspect = pane.image.naturalWidth / pane.image.naturalHeight;
      pane.natural = pane.image.naturalWidth;
      this.layOut();
    }

    set(change) {
      Object.assign(this.state, change);
      const state = this.state;
      state.zoom = clamp(state.zoom, 1, MOST_ZOOM);
      state.x = clamp(state.x, 0, 1);
      state.y = clamp(state.y, 0, 1);
      this.layOut();
      if (this.options.changed) this.options.changed();
    }

    layOut() {
      const { state, panes } = this;
      if (!panes.length) return;
      const last = panes.length - 1;
      // With one picture alone there is nothing to slide or to flip.
      const mode = panes.every((pane) => pane.image) ? state.mode : "pair";
      this.root.dataset.mode = mode;
      this.stage.dataset.panes = panes.length;
      for (const pane of panes) {
        const { width, height } = pane.node.getBoundingClientRect();
        const over = pane.index === state.shown;
        const hidden = (mode === "flicker" && !over) || (mode === "slider" && pane.index < last - 1);
        pane.node.classList.toggle("off", hidden);
        pane.node.setAttribute("aria-hidden", String(hidden));
        pane.node.style.clipPath = mode !== "slider" ? "" :
          pane.index === last ? `inset(0 0 0 ${state.split}%)` : `inset(0 ${100 - state.split}% 0 0)`;
        if (!pane.image || !width) continue;
        const fitted = Math.min(width, height * pane.aspect);
        const w = fitted * state.zoom;
        const h = w / pane.aspect;
        const place = (room, size, at) => (size <= room ? (room - size) / 2 : clamp(room / 2 - at * size, room - size, 0));
        pane.layer.style.width = `${w}px`;
        pane.layer.style.height = `${h}px`;
        pane.layer.style.left = `${place(width, w, state.x)}px`;
        pane.layer.style.top = `${place(height, h, state.y)}px`;
        pane.fitted = fitted;
        pane.node.classList.toggle("pixels", pane.natural > 0 && w / pane.natural >= 3);
        for (const image of pane.layer.querySelectorAll(".viewer-overlay")) {
          const on = image.dataset.kind === state.overlay && pane.index > 0;
          image.classList.toggle("on", on);
          image.style.opacity = on ? state.opacity / 100 : 0;
        }
        for (const image of pane.layer.querySelectorAll(".viewer-mask")) image.classList.toggle("on", state.mask);
        for (const mark of pane.layer.querySelectorAll("[data-kind]:not(img)")) mark.classList.toggle("on", state.boxes.includes(mark.dataset.kind));
      }
      this.line.style.left = `${state.split}%`;
      this.splitInput.value = state.split;
      this.splitInput.hidden = mode !== "slider";
      this.opacityInput.value = state.opacity;
      this.opacityInput.hidden = !state.overlay;
      this.zoomText.textContent = `${Math.round(state.zoom * 100)} %`;
      for (const [mode, button] of Object.entries(this.modeButtons)) button.setAttribute("aria-pressed", String(mode === state.mode));
      for (const button of this.extra.querySelectorAll("button")) {
        const on = "overlay" in button.dataset ? button.dataset.overlay === state.overlay
          : "mask" in button.dataset ? state.mask : state.boxes.includes(button.dataset.boxes);
        button.setAttribute("aria-pressed", String(on));
      }
      this.tell();
    }

    tell() {
      const { state, item } = this;
      const parts = [];
      if (this.root.dataset.mode === "flicker") parts.push(`Showing: ${item.pictures[state.shown].name}`);
      if (item.note) parts.push(item.note);
      if (item.missing && this.panes.some((pane) => pane.image && pane.node.classList.contains("small"))) parts.push(item.missing);
      const text = parts.join(" · ");
      if (this.say.textContent !== text) this.say.textContent = text;
    }

    setRevealed(shown) {
      this.root.classList.toggle("shown", shown);
      this.reveal.hidden = !this.root.classList.contains("sensitive");
      this.reveal.setAttribute("aria-pressed", String(shown));
      this.reveal.textContent = shown ? "Blur again" : "Show unsafe pictures";
    }

    flip() {
      const { state } = this;
      const n = this.item.pictures.length;
      if (state.mode === "flicker") this.set({ shown: (state.shown + 1) % n });
      else this.set({ mode: "flicker", shown: 0 });
    }

    // Zoom at which a pixel of the picture is a pixel of the page.
    actualZoom() {
      const pane = this.panes.find((one) => one.image && one.fitted);
      return pane ? Math.max(1, pane.natural / pane.fitted) : 1;
    }

    zoomBy(factor) { this.set({ zoom: this.state.zoom * factor }); }

    paneAt(event) {
      const seen = this.panes.filter((one) => one.image && one.fitted && !one.node.classList.contains("off"));
      return seen.find((one) => {
        const box = one.node.getBoundingClientRect();
        return event.clientX >= box.left && event.clientX <= box.right && event.clientY >= box.top && event.clientY <= box.bottom;
      }) || seen[0];
    }

    // The point under the pointer stays where it is.
    zoomAt(event, zoom) {
      const pane = this.paneAt(event);
      if (!pane) return;
      const box = pane.node.getBoundingClientRect();
      const layer = pane.layer.getBoundingClientRect();
      const at = [(event.clientX - layer.left) / layer.width, (event.clientY - layer.top) / layer.height];
      const next = clamp(zoom, 1, MOST_ZOOM);
      const size = [pane.fitted * next, (pane.fitted / pane.aspect) * next];
      this.set({ zoom: next, x: at[0] + (box.left + box.width / 2 - event.clientX) / size[0], y: at[1] + (box.top + box.height / 2 - event.clientY) / size[1] });
    }

    onWheel(event) {
      event.preventDefault();
      this.zoomAt(event, this.state.zoom * (event.deltaY < 0 ? 1.25 : 0.8));
    }

    onPointer(event) {
      if (event.target.closest("a, button")) return;
      const { pointers, state } = this;
      if (event.type === "pointerdown") {
        this.stage.setPointerCapture(event.pointerId);
        pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, from: event.clientX });
        const box = this.stage.getBoundingClientRect();
        this.dragsLine = state.mode === "slider" && pointers.size === 1 && Math.abs(event.clientX - box.left - (box.width * state.split) / 100) < 24;
        return;
      }
      const old = pointers.get(event.pointerId);
      if (!old) return;
      if (event.type === "pointermove") {
        if (pointers.size === 2) {
          const other = [...pointers].find(([id]) => id !== event.pointerId)[1];
          const apart = (one) => Math.hypot(one.x - other.x, one.y - other.y);
          const now = { x: event.clientX, y: event.clientY };
          const middle = { clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 };
          if (apart(old) > 0) this.zoomAt(middle, (state.zoom * apart(now)) / apart(old));
          this.pinched = true;
        } else if (this.dragsLine) {
          const box = this.stage.getBoundingClientRect();
          this.set({ split: clamp(((event.clientX - box.left) / box.width) * 100, 0, 100) });
        } else if (state.zoom > 1) {
          const pane = this.paneAt(event);
          if (pane) {
            const w = pane.fitted * state.zoom;
            this.set({ x: state.x - (event.clientX - old.x) / w, y: state.y - ((event.clientY - old.y) * pane.aspect) / w });
          }
        }
        Object.assign(old, { x: event.clientX, y: event.clientY });
        return;
      }
      pointers.delete(event.pointerId);
      const moved = event.clientX - old.from;
      const swiped = event.pointerType === "touch" && event.type === "pointerup" && !this.dragsLine && !this.pinched && state.zoom === 1;
      if (swiped && Math.abs(moved) > SWIPE && this.options.step) this.options.step(moved < 0 ? 1 : -1);
      if (!pointers.size) this.pinched = false;
    }

    // True when the key was one of the viewer's.
    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey) return false;
      const target = event.target;
      if (target.closest("input:not([type=range]), select, textarea")) return false;
      if (event.key === " " && target.closest("button, a, summary")) return false;
      const step = (n) => { if (!this.options.step) return false; this.options.step(n); return true; };
      const ranges = target.matches("input[type=range]");
      const first = ((this.item && this.item.overlays) || [])[0];
      const acts = {
        " ": () => this.flip(), j: () => step(1), k: () => step(-1),
        ArrowRight: () => (ranges ? false : step(1)), ArrowLeft: () => (ranges ? false : step(-1)),
        ArrowDown: () => (ranges ? false : step(1)), ArrowUp: () => (ranges ? false : step(-1)),
        "+": () => this.zoomBy(1.5), "=": () => this.zoomBy(1.5), "-": () => this.zoomBy(1 / 1.5),
        0: () => this.set({ zoom: 1, x: 0.5, y: 0.5 }), z: () => this.set({ zoom: this.actualZoom() }),
        v: () => this.set({ mode: MODES[(MODES.indexOf(this.state.mode) + 1) % MODES.length] }),
        c: () => (first ? this.set({ overlay: this.state.overlay ? "" : first.kind }) : false),
        m: () => (this.item.mask ? this.set({ mask: !this.state.mask }) : false),
        b: () => (this.boxKinds.length ? this.set({ boxes: this.state.boxes.length ? [] : this.boxKinds }) : false),
      };
      const act = acts[event.key];
      if (!act || act() === false) return false;
      event.preventDefault();
      return true;
    }
  }

  // A place as text for a link, and back.
  const toHash = (id, state) => {
    const parts = [["look", id]];
    const plain = fresh();
    const at = (value) => Number(value.toFixed(4));
    if (state.mode !== plain.mode) parts.push(["mode", state.mode]);
    if (state.mode === "slider") parts.push(["split", at(state.split)]);
    if (state.mode === "flicker") parts.push(["shown", state.shown]);
    if (state.zoom !== 1) parts.push(["zoom", at(state.zoom)], ["at", `${at(state.x)},${at(state.y)}`]);
    if (state.overlay) parts.push(["map", state.overlay], ["opacity", state.opacity]);
    if (state.mask) parts.push(["mask", "1"]);
    if (state.boxes.length) parts.push(["boxes", state.boxes.join(",")]);
    return `#${parts.map(([name, value]) => `${name}=${encodeURIComponent(value)}`).join("&")}`;
  };
  const fromHash = (hash) => {
    let read;
    try {
      read = Object.fromEntries(hash.replace(/^#/, "").split("&").map((part) => {
        const at = part.indexOf("=");
        return [part.slice(0, at), decodeURIComponent(part.slice(at + 1))];
      }));
    } catch { return null; }
    if (!read.look) return null;
    const state = {};
    const number = (name, key) => { if (read[name] !== undefined && Number.isFinite(Number(read[name]))) state[key || name] = Number(read[name]); };
    if (MODES.includes(read.mode)) state.mode = read.mode;
    ["split", "shown", "zoom", "opacity"].forEach((name) => number(name));
    if (read.at) { const [x, y] = read.at.split(",").map(Number); if (Number.isFinite(x) && Number.isFinite(y)) Object.assign(state, { x, y }); }
    if (read.map) state.overlay = read.map;
    if (read.mask) state.mask = true;
    if (read.boxes) state.boxes = read.boxes.split(",");
    return { id: read.look, state };
  };

  // The lightbox. itemOf(id) returns an item or null; open(id, ids) turns through those ids.
  const lightbox = (itemOf, allIds) => {
    const title = el("h2", { class: "viewer-title" });
    const where = el("span", { class: "viewer-where" });
    const text = el("p", { class: "instruction" });
    const why = el("p", { class: "viewer-why" });
    const button = (label, name, act) => {
      const node = el("button", { type: "button", "aria-label": name, title: name }, label);
      node.addEventListener("click", act);
      return node;
    };
    const body = el("div");
    const keys = el("p", { class: "viewer-keys" }, "space flicker · v view · c map · m mask · b boxes · + − 0 z zoom · j k items · esc close");
    const dialog = el("dialog", { class: "viewer-dialog", "aria-label": "Pictures" },
      el("div", { class: "viewer-head" }, title, where, button("‹", "Previous item (k)", () => step(-1)),
        button("›", "Next item (j)", () => step(1)), button("×", "Close (Esc)", () => dialog.close())),
      text, why, body, keys);
    document.body.append(dialog);
    let ids = []; let at = 0; let opener = null;
    const note = () => { if (dialog.open && viewer.item) history.replaceState(null, "", toHash(viewer.item.id, viewer.state)); };
    const step = (n) => { if (ids.length > 1) { at = (at + n + ids.length) % ids.length; show(); } };
    const viewer = new Viewer(body, { step, changed: note });
    const show = (state = null) => {
      const item = itemOf(ids[at]);
      title.textContent = item.id;
      where.textContent = `${at + 1} of ${ids.length}`;
      text.textContent = item.instruction || "";
      text.hidden = !item.instruction;
      why.textContent = item.why || "";
      why.hidden = !item.why;
      viewer.show(item, state);
    };
    const open = (id, list, state = null) => {
      ids = list.includes(id) ? list : [id, ...list];
      at = ids.indexOf(id);
      opener = document.activeElement;
      if (!dialog.open) dialog.showModal();
      show(state);
      viewer.stage.focus({ preventScroll: true });
    };
    dialog.addEventListener("keydown", (event) => viewer.key(event));
    dialog.addEventListener("close", () => {
      history.replaceState(null, "", location.pathname + location.search);
      if (opener && opener.isConnected) opener.focus();
    });
    const follow = () => {
      const found = fromHash(location.hash);
      if (found && itemOf(found.id)) open(found.id, allIds(), found.state);
    };
    window.addEventListener("hashchange", follow);
    return { open, follow, viewer };
  };

  return { Viewer, lightbox };
})();
