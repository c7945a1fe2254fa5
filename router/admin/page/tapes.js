// Fills, rejects, alerts and what operators did: the newest first, alerts that are active before all others.

import { byId, el, fill, put } from "./dom.js";
import { Grid } from "./grid.js";
import { openLife } from "./life.js";
import { fillKey, rejectKey, store, watch } from "./store.js";
import { byAmount, clock, count, exact, order as byText, party, stamp } from "./words.js";

const text = (name, label, only) => ({ name, label, only, kind: "text", text: (row) => row[name], title: (row) => row[name] });
const id = (name, label, only) => ({ ...text(name, label, only), kind: "id" });
const amount = (name, label, only) => ({
  name,
  label,
  only,
  kind: "amount",
  text: (row) => row[name],
  sort: (a, b) => byAmount(a[name], b[name]),
});
const time = {
  name: "time",
  label: "Time",
  kind: "time",
  text: (row) => exact(row.time).slice(0, 12),
  title: (row) => stamp(row.time),
  sort: (a, b) => byText(a.time, b.time),
};
const session = { ...text("session", "Session", "mid"), text: (row) => party(row.session) };
const side = { ...text("side", "Side"), tone: (row) => (row.side.startsWith("buy") ? "buy" : "sell") };

const FILLS = [
  time,
  { ...id("cl_ord_id", "ClOrdID"), open: true },
  session,
  text("destination", "Venue"),
  text("symbol", "Symbol"),
  side,
  amount("last_qty", "Quantity"),
  amount("last_px", "Price"),
  amount("cum_qty", "Filled", "wide"),
  {
    ...text("exec_type", "What"),
    text: (row) => (row.exec_type === "trade" ? "trade" : `${row.exec_type.replace("trade-", "")} of ${row.exec_ref_id}`),
    tone: (row) => (row.exec_type === "trade" ? "" : "note"),
  },
  {
    name: "fee",
    label: "Fee",
    only: "wide",
    kind: "amount",
    text: (row) => (row.fee ? `${row.fee} ${row.fee_currency}` : ""),
    sort: (a, b) => byAmount(a.fee, b.fee),
  },
];
const REJECTS = [
  time,
  text("kind", "What"),
  { ...id("cl_ord_id", "ClOrdID"), open: true },
  session,
  text("destination", "Venue"),
  text("reason", "Reason"),
  { ...text("text", "Text"), kind: "long" },
];

/** Put them into the page. */
export function tapes() {
  tape("fills", FILLS, "Fills", fillKey);
  tape("rejects", REJECTS, "Rejects", rejectKey);
  watch("alerts", alerts);
  watch("done", operators);
}

function tape(name, columns, caption, key) {
  const grid = new Grid(byId(`${name}-table`), byId(`${name}-note`), columns, {
    caption,
    key,
    sort: "-time",
    cap: 200,
    empty: `no ${name} yet`,
    onOpen: (row) => openLife(row.order_id || row.cl_ord_id),
  });
  watch(name, () => grid.show(store[name], (shown, total) => (shown < total ? `the newest ${count(shown)} of ${count(total)}` : "")));
}

const LEVELS = ["info", "warning", "critical"];

/** Alerts: those that are active first, of these the worst first, then the newest. */
export function sortedAlerts() {
  const rank = (alert) => (alert.active ? 1 + LEVELS.indexOf(alert.level) : 0);
  return [...store.alerts.values()].sort((a, b) => rank(b) - rank(a) || byText(b.time, a.time) || b.alert_id - a.alert_id);
}

function alerts() {
  const list = sortedAlerts();
  const active = list.filter((alert) => alert.active).length;
  put(byId("alerts-count"), active ? `${active} active` : "none active");
  byId("alerts-count").dataset.tone = active ? "human" : "";
  fill(byId("alerts-list"), list.slice(0, active + 30).map(alertItem), !list.length && el("li", { class: "blank" }, "no alerts yet"));
}

function alertItem(alert) {
  const human = alert.active && alert.level !== "info";
  return el(
    "li",
    { "data-tone": human ? "human" : alert.active ? "note" : "done", "data-level": alert.level },
    el("span", { class: "when", title: stamp(alert.time) }, clock(alert.time)),
    el("span", { class: "level" }, alert.active ? alert.level : "over"),
    el(
      "span",
      { class: "what" },
      alert.text,
      " ",
      alert.order_id && el("button", { type: "button", class: "open", onclick: () => openLife(alert.order_id) }, alert.order_id),
    ),
    el("span", { class: "rule" }, alert.active ? alert.rule : `${alert.rule}, until ${clock(alert.cleared)}`),
  );
}

function operators() {
  fill(
    byId("operators-list"),
    store.done
      .slice(0, 50)
      .map((act) =>
        el(
          "li",
          { "data-tone": act.ok ? "" : "human" },
          el("span", { class: "when", title: stamp(act.time) }, clock(act.time)),
          el("span", { class: "level" }, act.by),
          el("span", { class: "what" }, act.ok ? `${act.act}: ${act.text}` : `${act.act} refused: ${act.text}`),
          el("span", { class: "rule" }, act.why && `“${act.why}”`),
        ),
      ),
    !store.done.length && el("li", { class: "blank" }, "nothing since this page was opened"),
  );
}
