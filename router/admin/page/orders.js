// Open and unknown orders, live, and the newest done ones: what is unknown first, for a person has to look at it.

import { fetchDone } from "./live.js";
import { byId, put } from "./dom.js";
import { Grid } from "./grid.js";
import { openLife } from "./life.js";
import { may, offer } from "./acts.js";
import { buttons, standing } from "./standing.js";
import { changed, store, watch } from "./store.js";
import { byAmount, clock, count, exact, order as byText, party, stamp } from "./words.js";

const STAYS_MS = 5000; // an order that has ended stays in sight so long, greyed

let view = "open";

const amount = (name, label, only) => ({
  name,
  label,
  only,
  kind: "amount",
  text: (row) => row[name],
  sort: (a, b) => byAmount(a[name], b[name]),
});
const text = (name, label, only) => ({ name, label, only, kind: "text", text: (row) => row[name], title: (row) => row[name] });

const COLUMNS = [
  { ...text("order_id", "OrderID"), kind: "id", open: true },
  { ...text("cl_ord_id", "ClOrdID", "most"), kind: "id" },
  { ...text("session", "Session", "most"), text: (row) => party(row.session) },
  text("destination", "Venue"),
  text("symbol", "Symbol"),
  { ...text("side", "Side"), tone: (row) => (row.side.startsWith("buy") ? "buy" : "sell") },
  amount("order_qty", "Quantity"),
  { ...amount("price", "Price"), text: (row) => priced(row) },
  amount("cum_qty", "Filled"),
  amount("leaves_qty", "Leaves", "wide"),
  amount("avg_px", "Average", "wide"),
  {
    name: "status",
    label: "Status",
    kind: "status",
    text: (row) => standing(row),
    title: (row) => standing(row),
    tone: (row) => (row.unknown ? "human" : ""),
  },
  { ...text("time_in_force", "TIF", "wide"), text: (row) => row.time_in_force },
  {
    name: "created",
    label: "Created",
    kind: "time",
    only: "most",
    text: (row) => clock(row.created),
    title: (row) => stamp(row.created),
    sort: (a, b) => byText(a.created, b.created),
  },
  {
    name: "updated",
    label: "Updated",
    kind: "time",
    only: "wide",
    text: (row) => exact(row.updated).slice(0, 12),
    title: (row) => stamp(row.updated),
    sort: (a, b) => byText(a.updated, b.updated),
  },
  {
    name: "acts",
    label: "Acts",
    kind: "acts",
    sort: false,
    text: (row) => `${row.done} ${Boolean(row.unknown)} ${may("cancel")} ${row.pending}`,
    nodes: (row) => buttons(row).slice(0, 1),
  },
];

function priced(row) {
  if (row.price) return row.stop_px ? `${row.price} stop ${row.stop_px}` : row.price;
  return row.stop_px ? `stop ${row.stop_px}` : row.ord_type;
}

/** Put the orders into the page. */
export function orders() {
  const grid = new Grid(byId("orders-table"), byId("orders-note"), COLUMNS, {
    caption: "Orders",
    key: (row) => row.order_id,
    sort: "-created",
    first: (row) => (row.unknown && !row.done ? 1 : 0),
    onOpen: (row) => openLife(row.order_id),
    onKey: acted,
    empty: "no orders here",
    tone: (row) => (row.done ? "done" : row.unknown ? "human" : ""),
  });
  const paint = () => {
    const fitting = inView().filter(filter());
    grid.show(fitting, (shown, total, waiting) => said(shown, total, waiting));
    heads();
  };
  watch("orders acts link", paint);
  byId("orders-filter").addEventListener("input", paint);
  byId("orders-find").addEventListener("submit", (event) => {
    event.preventDefault();
    find(grid);
  });
  for (const radio of document.querySelectorAll("input[name=view]")) radio.addEventListener("change", () => choose(radio.value));
  setInterval(() => {
    if (sweep()) changed("orders");
  }, 1000);
}

function acted(row, key) {
  if (key === "c" && !row.done) return offer("cancel", { order: row.order_id }, row);
  if (key === "r" && !row.done && row.unknown) return offer("resolve", { order: row.order_id }, row);
  return false;
}

function choose(value) {
  view = value;
  changed("orders");
  if (value === "done") fetchDone().catch((error) => put(byId("orders-note"), error.message));
}

function inView() {
  const all = [...store.orders.values()];
  if (view === "done") return all.filter((row) => row.done);
  return all.filter((row) => (view === "open" || row.unknown) && (!row.done || stays(row)));
}

// True for an order that was seen to end a moment ago.
function stays(row) {
  return Date.now() - (store.ended.get(row.order_id) ?? 0) < STAYS_MS;
}

function sweep() {
  let any = false;
  for (const [id, at] of store.ended) {
    if (Date.now() - at < STAYS_MS) continue;
    store.ended.delete(id);
    any = true;
  }
  return any;
}

function filter() {
  const words = byId("orders-filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return () => true;
  return (row) => {
    const all = [
      row.order_id,
      row.cl_ord_id,
      row.session,
      row.account,
      row.destination,
      row.symbol,
      row.side,
      row.status,
      row.venue_order_id,
      row.venue_cl_ord_id,
      row.unknown && `unknown ${row.unknown}`,
      row.pending,
      row.text,
    ]
      .join(" ")
      .toLowerCase();
    return words.every((word) => all.includes(word));
  };
}

// Enter in the filter: the one order that is left, or any order that the router knows by this id.
function find(grid) {
  const wanted = byId("orders-filter").value.trim();
  if (grid.shown.length === 1) openLife(grid.shown[0]);
  else if (wanted && !grid.shown.length) openLife(wanted);
}

function said(shown, total, waiting) {
  const parts = [];
  if (shown + waiting < total) parts.push(`the first ${count(shown)} of ${count(total)} rows: filter for the others`);
  if (waiting) parts.push(`${count(waiting)} more wait until the mouse leaves the table`);
  if (store.more && view !== "done")
    parts.push("the router has more open orders than the newest 1,000 held here: Enter finds any order by its id");
  if (!total && byId("orders-filter").value.trim()) parts.push("nothing here fits: Enter asks the router for an order of this id");
  return parts.join(" · ");
}

function heads() {
  const all = [...store.orders.values()].filter((row) => !row.done);
  put(byId("count-open"), count(store.more ? (store.status?.open_orders ?? all.length) : all.length));
  const unknown = all.filter((row) => row.unknown).length;
  put(byId("count-unknown"), count(unknown));
  byId("count-unknown").dataset.tone = unknown ? "human" : "";
}
