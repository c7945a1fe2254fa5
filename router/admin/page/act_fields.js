// The fields of an act's dialog, made from what the router says of the act (GET /v1/acts). Three acts have fields of their own: halt and
// resume choose from what there is, resolve from the venue's orders that the unknown one may be.

import { el } from "./dom.js";
import { store } from "./store.js";
import { many } from "./words.js";

/** {title, nodes, values() -> the body, missing() -> what to fill in first or "", label(preview) -> the button's text}. `changed` is called
 * when any field was. */
export function fields(act, preset, subject, changed) {
  const own = (OWN[act.name] ?? plain)(act, preset, subject, changed);
  const values = () => ({ ...preset, ...own.values() });
  return {
    title: title(act, preset, subject),
    nodes: [subject && facts(subject), own.nodes].flat().filter(Boolean),
    values,
    missing: () =>
      own.missing?.() ??
      act.arguments.filter((each) => each.needed && !values()[each.name]).map((each) => `Say first: ${each.what}.`)[0] ??
      "",
    label: (preview) => label(act, values(), preview, subject),
  };
}

const OWN = { halt: scoped, resume: scoped, resolve: resolved };

function title(act, preset, subject) {
  const about = subject ? `order ${subject.order_id}` : preset.destination || preset.session || preset.name || "";
  const name = act.name.replaceAll("-", " ");
  return `${name[0].toUpperCase()}${name.slice(1)}${preset.do ? `: ${preset.do}` : ""}${about ? ` ${about}` : ""}`;
}

/** The button's text: the act, how many and of what. */
function label(act, values, preview, subject) {
  const place = values.destination ? ` at ${values.destination}` : values.session ? ` of ${values.session}` : "";
  if (act.name === "cancel-all") return `Cancel ${number(preview)}${place}${values.symbol ? ` in ${values.symbol}` : ""}`;
  if (act.name === "cancel") return `Cancel order ${subject?.order_id ?? values.order}`;
  if (act.name === "halt" || act.name === "resume") {
    return `${act.name === "halt" ? "Halt" : "Resume"} ${values.scope === "all" ? "everything" : `${values.scope ?? ""} ${values.name ?? ""}`}`;
  }
  if (act.name === "resolve") return values.not_placed ? `Declare ${values.order} never placed` : `It is ${values.venue_order_id || "…"}`;
  const verb = act.name[0].toUpperCase() + act.name.slice(1).replaceAll("-", " ");
  return [values.do ? `${verb}: ${values.do}` : verb, values.destination ?? values.session ?? values.order ?? ""].join(" ").trim();
}

function number(preview) {
  const told = /(\d+)[^\d]{0,12}orders?\b/.exec(preview?.text ?? "");
  return told ? many(Number(told[1]), "order") : "all orders";
}

function facts(row) {
  const price = row.price ? `at ${row.price}` : row.ord_type;
  return el(
    "p",
    { class: "facts" },
    `${row.side} ${row.order_qty} ${row.symbol} ${price}, ${row.cum_qty} filled, ${row.leaves_qty} open, ` +
      `at ${row.destination}, ClOrdID ${row.cl_ord_id} of ${row.session}`,
  );
}

// --- what the router says of an act -------------------------------------------------------------------------------------

function plain(act, preset, _subject, changed) {
  const open = act.arguments.filter((each) => !(each.name in preset));
  const made = open.map((argument) => [argument, input(argument, changed)]);
  return {
    nodes: made.map(([argument, control]) =>
      field(`${argument.name.replaceAll("_", " ")}: ${argument.what}${argument.needed ? "" : " (optional)"}`, control, argument.name),
    ),
    values: () =>
      Object.fromEntries(
        made.map(([argument, control]) => [argument.name, valueOf(control)]).filter(([, value]) => value !== "" && value !== false),
      ),
  };
}

function input(argument, changed) {
  const id = `act-${argument.name}`;
  const choices = argument.choices.length ? argument.choices : known(argument.kind);
  if (argument.kind === "flag") return el("input", { id, type: "checkbox", onchange: changed });
  if (choices) return select(id, [["", argument.needed ? "choose" : "any"], ...choices.map((each) => [each, each])], changed);
  return el("input", {
    id,
    autocomplete: "off",
    spellcheck: "false",
    inputmode: argument.kind === "number" ? "decimal" : "text",
    oninput: changed,
  });
}

function known(kind) {
  if (kind === "destination") return [...store.venues.keys()].sort();
  if (kind === "session")
    return [...store.sessions.values()]
      .filter((each) => each.kind === "client")
      .map((each) => each.name)
      .sort();
  if (kind === "symbol") return [...new Set([...store.venues.values()].flatMap((each) => each.symbols))].sort();
  return null;
}

const select = (id, options, changed) =>
  el(
    "select",
    { id, onchange: changed },
    options.map(([value, text]) => el("option", { value }, text)),
  );
const field = (text, control, name) =>
  el("label", { class: control.type === "checkbox" ? "field flag" : "field", for: `act-${name}` }, el("span", {}, text), control);
const valueOf = (control) => (control.type === "checkbox" ? control.checked : control.value.trim());

// --- halt and resume ----------------------------------------------------------------------------------------------------

function scoped(act, preset, _subject, changed) {
  if (preset.scope) return { nodes: [], values: () => ({}) };
  const options = act.name === "halt" ? haltable() : halted();
  const account = el("input", { id: "act-account", autocomplete: "off", oninput: changed });
  const accountField = field("which Account(1)", account, "account");
  accountField.hidden = true;
  const chosen = select(
    "act-what",
    options.map(([scope, name, text]) => [JSON.stringify([scope, name]), text]),
    () => {
      accountField.hidden = chosen.value !== ANY_ACCOUNT;
      changed();
    },
  );
  const values = () => {
    const [scope, name] = JSON.parse(chosen.value || '["", ""]');
    return { scope, name: chosen.value === ANY_ACCOUNT ? account.value.trim() : name };
  };
  return {
    nodes: [field(act.name === "halt" ? "what is to be halted" : "what is to be resumed", chosen, "what"), accountField],
    values,
    missing: () =>
      options.length ? (chosen.value === ANY_ACCOUNT && !account.value.trim() ? "Say first which account." : "") : "Nothing is halted.",
  };
}

const ANY_ACCOUNT = '["account",""]';

function haltable() {
  return [
    ["all", "", "everything"],
    ...known("destination").map((name) => ["destination", name, `destination ${name}`]),
    ...known("session").map((name) => ["session", name, `session ${name}`]),
    ["account", "", "an account…"],
  ];
}

const SCOPES = ["all", "session", "account", "destination"];
const halted = () =>
  (store.status?.halted ?? [])
    .filter((each) => SCOPES.includes(each.scope))
    .map((each) => [each.scope, each.name, each.scope === "all" ? "everything" : `${each.scope} ${each.name}`]);

// --- resolve ------------------------------------------------------------------------------------------------------------

function resolved(_act, _preset, row, changed) {
  const other = el("input", {
    id: "act-other",
    autocomplete: "off",
    spellcheck: "false",
    oninput: () => {
      pick("other");
      changed();
    },
  });
  const choices = [
    ...(row?.candidates ?? []).map((each) => radio(each, `It is ${each} at ${row.destination}`)),
    radio("other", "It is another order there: its id is"),
    radio("", "It was never placed: it never reached the venue"),
  ];
  const box = el(
    "fieldset",
    { onchange: changed },
    el("legend", {}, "What is it?"),
    el("p", { class: "quiet" }, `Why it is unknown: ${row?.unknown ?? ""}`),
    choices.slice(0, -1),
    other,
    choices.at(-1),
  );
  const pick = (value) => {
    box.querySelector(`input[type=radio][value="${value}"]`).checked = true;
  };
  const value = () => box.querySelector("input[type=radio]:checked")?.value;
  return {
    nodes: [box],
    values: () => (value() === "" ? { not_placed: true } : { venue_order_id: value() === "other" ? other.value.trim() : (value() ?? "") }),
    missing: () =>
      value() === undefined ? "Choose first what the order is." : value() === "other" && !other.value.trim() ? "Say first which id." : "",
  };
}

const radio = (value, text) =>
  el("label", { class: "radio" }, el("input", { type: "radio", name: "resolve", value }), el("span", {}, text));
