// A table whose rows live: keyed, sorted by a click on a heading, at most so many rows, moved through with the arrow keys.
// Rows keep their element, so what has focus keeps it. While the mouse is over the table rows keep their places too: nobody should press
// "Cancel" on the order that has just jumped under the pointer.

import { el, put } from "./dom.js";
import { order as byText } from "./words.js";

/**
 * columns: [{name, label, kind: "text|amount|time|count|id|acts", text(row), sort(a, b), title(row), tone(row), nodes(row), open}]
 *   `nodes` makes a cell's children once a row and again when `text` changes; `open` makes it the row's button.
 * options: {key(row), caption, sort: "name" or "-name", cap, onOpen(row), onKey(row, key) -> whether it was taken, tone(row), empty}
 */
export class Grid {
  constructor(table, note, columns, options) {
    Object.assign(this, { table, note, columns, options, cap: options.cap ?? 500 });
    this.rows = new Map();
    this.shown = [];
    this.current = "";
    this.pointed = false;
    this.sort = options.sort;
    this.body = el("tbody");
    this.#head();
    table.addEventListener("pointerenter", (event) => {
      this.pointed = event.pointerType === "mouse";
    });
    table.addEventListener("pointerleave", () => {
      this.pointed = false;
      this.#again();
    });
    this.body.addEventListener("keydown", (event) => this.#key(event));
    this.body.addEventListener("focusin", (event) => this.#choose(event.target.closest("tr")?.dataset.key));
    this.body.addEventListener("click", (event) => this.#click(event));
  }

  /** Show these rows; `note(shown, total, waiting)` says what is said beneath. */
  show(list, note = () => "") {
    this.last = [list, note];
    const sorted = this.#sorted(list).slice(0, this.cap);
    const placed = this.pointed ? this.#held(sorted) : sorted;
    this.#place(placed);
    put(this.note, note(placed.length, list.length, sorted.length > placed.length ? sorted.length - placed.length : 0));
  }

  #again() {
    if (this.last) this.show(...this.last);
  }

  #head() {
    this.headings = this.columns.map((column) => {
      const button = el("button", { type: "button", onclick: () => this.#sortBy(column.name) }, column.label);
      return el("th", { scope: "col", class: `${column.kind} ${column.only ?? ""}` }, column.sort === false ? column.label : button);
    });
    this.table.replaceChildren(
      el("caption", { class: "unseen" }, this.options.caption),
      el("thead", {}, el("tr", {}, this.headings)),
      this.body,
    );
    this.#mark();
  }

  #sortBy(name) {
    this.sort = this.sort === name ? `-${name}` : name;
    this.pointed = false;
    this.#mark();
    this.#again();
  }

  #mark() {
    this.columns.forEach((column, at) => {
      const mine = this.sort.replace("-", "") === column.name;
      if (mine) this.headings[at].setAttribute("aria-sort", this.sort.startsWith("-") ? "descending" : "ascending");
      else this.headings[at].removeAttribute("aria-sort");
    });
  }

  #sorted(list) {
    const name = this.sort.replace("-", "");
    const column = this.columns.find((each) => each.name === name);
    const sign = this.sort.startsWith("-") ? -1 : 1;
    const compare = column?.sort ?? ((a, b) => byText(column.text(a), column.text(b)));
    const { first = () => 0, key } = this.options;
    return [...list].sort((a, b) => first(b) - first(a) || sign * compare(a, b) || sign * byText(String(key(a)), String(key(b))));
  }

  #held(sorted) {
    const known = new Map(sorted.map((row) => [String(this.options.key(row)), row]));
    return this.shown.filter((key) => known.has(key)).map((key) => known.get(key));
  }

  #place(list) {
    const keys = list.map((row) => String(this.options.key(row)));
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    const at = this.shown.indexOf(this.current);
    const wanted = new Set(keys);
    for (const [key, entry] of this.rows) {
      if (wanted.has(key)) continue;
      entry.tr.remove();
      this.rows.delete(key);
    }
    let next = this.body.firstChild;
    list.forEach((row, index) => {
      const { tr } = this.#paint(keys[index], row);
      if (tr === next) next = next.nextSibling;
      else this.body.insertBefore(tr, next);
    });
    this.shown = keys;
    if (!wanted.has(this.current)) this.#choose(keys[Math.min(Math.max(at, 0), keys.length - 1)]);
    if (focused && document.activeElement !== focused) this.#refocus(focused);
    this.#empty(keys.length);
  }

  #refocus(focused) {
    if (focused.isConnected) focused.focus({ preventScroll: true });
    else this.#opener(this.current)?.focus({ preventScroll: true });
  }

  #empty(count) {
    this.blank?.remove();
    if (count) return;
    this.blank = el("tr", { class: "blank" }, el("td", { colspan: this.columns.length }, this.options.empty ?? "none"));
    this.body.append(this.blank);
  }

  #paint(key, row) {
    let entry = this.rows.get(key);
    const fresh = !entry;
    if (fresh) {
      const cells = this.columns.map((column) =>
        el(column.open ? "th" : "td", {
          class: `${column.kind} ${column.only ?? ""}`,
          scope: column.open && "row",
        }),
      );
      entry = { tr: el("tr", { "data-key": key }, cells), cells, texts: [] };
      this.rows.set(key, entry);
    }
    entry.row = row;
    let touched = false;
    this.columns.forEach((column, at) => {
      touched = this.#cell(entry, column, at, row) || touched;
    });
    this.#tone(entry, row);
    if (touched && !fresh) this.#flash(entry.tr);
    return entry;
  }

  #cell(entry, column, at, row) {
    const text = String(column.text(row));
    const cell = entry.cells[at];
    const title = column.title?.(row) ?? "";
    if (cell.title !== title) cell.title = title;
    const tone = column.tone?.(row) ?? "";
    if ((cell.dataset.tone ?? "") !== tone) cell.dataset.tone = tone;
    if (entry.texts[at] === text) return false;
    entry.texts[at] = text;
    if (column.open) cell.replaceChildren(this.#open(entry, text));
    else if (column.nodes) cell.replaceChildren(...column.nodes(row).filter(Boolean));
    else cell.textContent = text;
    this.#reach(entry);
    return !column.nodes; // gauges and buttons change without a flash
  }

  #open(entry, text) {
    return el("button", { type: "button", class: "open", onclick: () => this.options.onOpen(entry.row) }, text);
  }

  #tone(entry, row) {
    const tone = this.options.tone?.(row) ?? "";
    if ((entry.tr.dataset.tone ?? "") !== tone) entry.tr.dataset.tone = tone;
  }

  #flash(tr) {
    tr.classList.remove("changed");
    requestAnimationFrame(() => tr.classList.add("changed"));
  }

  // One stop of the Tab key for the table: the current row's buttons.
  #reach({ tr }) {
    for (const button of tr.querySelectorAll("button, a")) button.tabIndex = !this.#roves() || tr.dataset.key === this.current ? 0 : -1;
  }

  #roves() {
    return this.columns.some((column) => column.open);
  }

  #choose(key) {
    if (key === undefined || key === this.current) return;
    const before = this.rows.get(this.current);
    this.current = key;
    if (before) this.#reach(before);
    const now = this.rows.get(key);
    if (now) this.#reach(now);
  }

  #opener(key) {
    return this.rows.get(key)?.tr.querySelector("button.open");
  }

  #key(event) {
    const entry = this.rows.get(this.current);
    if (!entry || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 15, PageUp: -15, Home: -1e6, End: 1e6 }[event.key];
    if (step && this.#roves()) {
      const at = this.shown.indexOf(this.current) + step;
      this.#opener(this.shown[Math.min(Math.max(at, 0), this.shown.length - 1)])?.focus();
    } else if (!this.options.onKey?.(entry.row, event.key)) return;
    event.preventDefault();
  }

  #click(event) {
    if (event.target.closest("button, a") || String(getSelection())) return;
    const entry = this.rows.get(event.target.closest("tr")?.dataset.key);
    if (entry && this.options.onOpen) this.options.onOpen(entry.row);
  }
}
