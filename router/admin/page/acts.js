// Acts: each opens a dialog that shows what would happen (the router's own preview), asks for a reason, and names the act on its button.
// What may be done is the router's to decide; the page leaves out what the token's role is too small for, so that nobody tries in vain.

import { bearer, post, token } from "./api.js";
import { byId, el, fill, put } from "./dom.js";
import { fields } from "./act_fields.js";
import { store, watch } from "./store.js";
import { clock, includes } from "./words.js";

const PAUSE_MS = 250; // after the last key, before the preview is asked for anew
const DETAILS = 60; // the router itself names at most fifty

const spec = (name) => store.acts.find((each) => each.name === name);

/** Whether whoever is here may do this. */
export const may = (name) => Boolean(spec(name)) && includes(bearer()?.role, spec(name).role);

/** A button that opens an act's dialog; null where the role is too small. */
export function actButton(name, label, preset, subject) {
  if (!may(name)) return null;
  return el("button", { type: "button", class: "act", disabled: !store.link.live, onclick: () => offer(name, preset, subject) }, label);
}

/** A button that opens a choice of acts about one thing; null where there are none for this role. */
export function choiceButton(title, choices) {
  if (!choices.some(([name]) => may(name))) return null;
  return el(
    "button",
    { type: "button", class: "act", "aria-label": `Acts on ${title}`, disabled: !store.link.live, onclick: () => choose(title, choices) },
    "Acts…",
  );
}

/** Buttons of acts work only while the router is heard. */
export function acts() {
  watch("link", () => {
    for (const button of document.querySelectorAll("button.act")) button.disabled = !store.link.live;
  });
}

function choose(title, choices) {
  const dialog = byId("choice");
  put(byId("choice-title"), title);
  fill(
    byId("choice-list"),
    choices
      .filter(([name]) => spec(name))
      .map(([name, label, preset, what]) => {
        const allowed = may(name);
        const go = () => {
          dialog.close();
          offer(name, preset);
        };
        return el(
          "li",
          {},
          el("button", { type: "button", class: "act", disabled: !allowed || !store.link.live, onclick: go }, label),
          el("span", {}, allowed ? (what ?? spec(name).what) : `needs the role ${spec(name).role}`),
        );
      }),
  );
  dialog.showModal();
}

/** Open an act's dialog. `preset` are arguments that are settled; `subject` is the order that it is about. Returns whether it may be done. */
export function offer(name, preset = {}, subject = null) {
  if (!may(name) || !store.link.live) return false;
  new ActDialog(spec(name), preset, subject).open();
  return true;
}

class ActDialog {
  constructor(act, preset, subject) {
    Object.assign(this, { act, preset, asked: 0, seen: null, timer: 0, spent: false });
    this.form = fields(act, preset, subject, () => this.look());
    this.why = el("input", { id: "act-why", required: act.destroys, maxlength: 200, autocomplete: "off", oninput: () => this.weigh() });
    this.preview = el("div", { class: "preview", role: "status", "aria-live": "polite" });
    this.confirm = el("button", { type: "submit", class: "confirm", disabled: true }, this.form.label(null));
    this.close = el("button", { type: "button", onclick: () => this.dialog.close() }, "Leave it");
    this.dialog = byId("act");
  }

  open() {
    const whyText = this.act.destroys ? "Reason (it is written into the journal)" : "Reason (may be left out)";
    fill(
      this.dialog,
      el(
        "form",
        {
          onsubmit: (event) => {
            event.preventDefault();
            this.perform();
          },
        },
        el("h2", { id: "act-title" }, this.form.title),
        el("p", { class: "quiet" }, this.act.what),
        this.form.nodes,
        el("h3", {}, "What would happen"),
        this.preview,
        el("label", { class: "field", for: "act-why" }, el("span", {}, whyText), this.why),
        el("div", { class: "buttons" }, this.close, this.confirm),
      ),
    );
    const linked = () => this.weigh();
    ActDialog.linked = linked;
    this.dialog.onclose = () => {
      clearTimeout(this.timer);
      this.asked += 1;
    };
    this.dialog.showModal();
    (this.dialog.querySelector("select, input") ?? this.why).focus();
    this.look(0);
  }

  /** Ask what would happen with the arguments as they are. */
  look(pause = PAUSE_MS) {
    clearTimeout(this.timer);
    this.seen = null;
    this.weigh();
    const missing = this.form.missing();
    if (missing) {
      this.say("quiet", missing);
      return;
    }
    this.say("quiet", "Asking the router…");
    const mine = (this.asked += 1);
    this.timer = setTimeout(() => this.ask(mine), pause);
  }

  async ask(mine) {
    try {
      const answer = await post(`/v1/acts/${this.act.name}?preview=true`, this.form.values());
      if (mine !== this.asked) return;
      this.seen = answer;
      this.say(
        answer.ok ? "" : "human",
        answer.text,
        answer.details,
        answer.ok && `looked at ${clock(answer.time)} UTC; nothing is done yet`,
      );
      put(this.confirm, this.form.label(answer));
    } catch (error) {
      if (mine === this.asked) this.refused(error);
    }
    this.weigh();
  }

  /** The button works when what would happen was seen, and a reason is given. */
  weigh() {
    const reason = this.why.value.trim() || !this.act.destroys;
    this.confirm.disabled = this.spent || !this.seen?.ok || !reason || !store.link.live;
  }

  async perform() {
    if (this.confirm.disabled) return;
    this.spent = true;
    this.weigh();
    this.say("quiet", "Doing it…");
    try {
      const answer = await post(`/v1/acts/${this.act.name}`, { ...this.form.values(), why: this.why.value.trim() });
      this.say(answer.ok ? "done" : "human", answer.ok ? `Done: ${answer.text}` : `Refused: ${answer.text}`, answer.details);
    } catch (error) {
      this.refused(error);
    }
    this.finish();
  }

  finish() {
    this.confirm.remove();
    this.why.disabled = true;
    for (const field of this.dialog.querySelectorAll("select, input")) field.disabled = true;
    put(this.dialog.querySelector("h3"), "What happened");
    put(this.close, "Close");
    this.close.focus();
  }

  refused(error) {
    const details = error.done?.details ?? error.candidates.map((each) => `perhaps ${each}`);
    if (error.status === 401) return this.say("human", "The router no longer takes this token: sign in again.");
    if (error.status === 403 && error.needed) return this.say("human", `Refused: this needs the role ${error.needed}.`);
    if (error.status === 0 && this.spent) {
      const loss = `No answer: ${error.message}. Whether it was done is NOT known. Look at the orders before you try again.`;
      return this.say("human", loss);
    }
    return this.say("human", `${this.spent ? "Refused" : "It would be refused"}: ${error.message}`, details);
  }

  say(tone, text, details = [], foot = "") {
    this.preview.dataset.tone = tone;
    fill(
      this.preview,
      el("p", {}, text),
      details.length > 0 &&
        el(
          "ul",
          {},
          details.slice(0, DETAILS).map((each) => el("li", {}, each)),
          details.length > DETAILS && el("li", {}, `and ${details.length - DETAILS} more`),
        ),
      foot && el("p", { class: "quiet" }, foot),
    );
  }
}

watch("link", () => ActDialog.linked?.());

/** Whether there is a token that may do anything at all. */
export const mayAct = () => Boolean(token()) && includes(bearer()?.role, "trade");
