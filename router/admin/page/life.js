// An order's life: every input and what followed, drawn between three lanes, client | router | venue, with exact times and what lies between
// them. The drawing is a column of a table that says the same in words, so that it reads without eyes too.

import { get } from "./api.js";
import { byId, copier, draw, el, fill, put } from "./dom.js";
import { buttons, standing } from "./standing.js";
import { store, watch } from "./store.js";
import { clock, count, exact, many, micros, party, span, stamp } from "./words.js";

const CLIENT = 42,
  ROUTER = 172,
  VENUE = 302,
  WIDTH = 344;
const LANES = { client: CLIENT, router: ROUTER, venue: VENUE, operator: ROUTER };
const MOST = 400; // moments drawn: the first hundred and the last
const HISTORY_S = 65; // an old order is looked up in the journal
const GAP_US = 1_000_000; // a wait this long gets a row of its own

let shown = "";
let updated = "";
let timer = 0;

/** Open the life of an order, by any of its ids. */
export function openLife(id) {
  shown = id;
  const dialog = byId("life");
  fill(
    byId("life-body"),
    el("p", { class: "quiet" }, "Asking the router; an old order is looked up in the journal, which takes a moment…"),
  );
  put(byId("life-title"), `Order ${id}`);
  if (!dialog.open) dialog.showModal();
  load(id);
}

/** Follow the order that is open. */
export function life() {
  byId("life").addEventListener("close", () => {
    shown = "";
    clearTimeout(timer);
  });
  watch("orders acts", () => {
    const row = store.orders.get(shown);
    if (!row || row.updated === updated || !byId("life").open) return;
    clearTimeout(timer);
    timer = setTimeout(() => load(shown), 300);
  });
}

async function load(id) {
  try {
    const answer = await get(`/v1/orders/${encodeURIComponent(id)}`, HISTORY_S);
    if (shown !== id) return;
    shown = answer.order.order_id;
    updated = answer.order.updated;
    show(answer);
  } catch (error) {
    if (shown === id) missing(error, id);
  }
}

function missing(error, id) {
  fill(
    byId("life-body"),
    el("p", { class: "human" }, error.status === 409 ? `Several orders have the id ${id}:` : error.message),
    error.candidates.length > 0 &&
      el(
        "ul",
        {},
        error.candidates.map((each) =>
          el("li", {}, el("button", { type: "button", class: "open", onclick: () => openLife(each.split(" ")[0]) }, each)),
        ),
      ),
  );
}

function show({ order, life: moments, fills }) {
  put(
    byId("life-title"),
    `${order.side} ${order.order_qty} ${order.symbol} ${order.price ? `at ${order.price}` : order.ord_type}, ${order.destination || "no venue"}`,
  );
  const scroll = byId("life-body").scrollTop;
  fill(byId("life-body"), summary(order), moments.length > 0 && timeline(order, moments), fillsOf(fills));
  byId("life-body").scrollTop = scroll;
}

// --- the order ----------------------------------------------------------------------------------------------------------

function summary(order) {
  return el(
    "div",
    { class: "summary" },
    el(
      "div",
      {},
      el("p", { class: "standing", "data-tone": order.unknown ? "human" : "" }, standing(order)),
      order.text && el("p", { class: "quiet" }, order.text),
      order.candidates.length > 0 && el("p", {}, `at the venue it may be ${order.candidates.join(" or ")}`),
      el("div", { class: "buttons start" }, buttons(order)),
    ),
    list(
      [
        ["OrderID", order.order_id],
        ["ClOrdID", order.cl_ord_id],
        ["session", order.session],
        ["account", order.account],
      ],
      true,
    ),
    list(
      [
        ["venue", order.destination],
        ["venue's OrderID", order.venue_order_id],
        ["our id there", order.venue_cl_ord_id],
      ],
      true,
    ),
    list(
      [
        ["quantity", order.order_qty],
        ["filled", order.cum_qty],
        ["leaves", order.leaves_qty],
        ["average", order.avg_px],
      ],
      false,
    ),
    list(
      [
        ["type", order.ord_type],
        ["in force", order.time_in_force],
        ["created", stamp(order.created).slice(0, -4)],
        ["updated", stamp(order.updated).slice(0, -4)],
      ],
      false,
    ),
  );
}

function list(pairs, ids) {
  return el(
    "dl",
    {},
    pairs
      .filter(([, value]) => value)
      .map(([name, value]) =>
        el("div", {}, el("dt", {}, name), el("dd", { class: ids ? "id" : "amount" }, value, ids && copier(value, name))),
      ),
  );
}

// --- the drawing --------------------------------------------------------------------------------------------------------

function timeline(order, moments) {
  const cut = moments.length > MOST ? [...moments.slice(0, 100), null, ...moments.slice(100 - MOST)] : moments;
  const start = micros(moments[0].time);
  let before = NaN;
  const body = cut.flatMap((moment) => {
    if (!moment) return [gap(`${count(moments.length - MOST)} more moments are not drawn: fixrouter journal find ${order.order_id}`)];
    const at = micros(moment.time);
    const since = at - before;
    before = at;
    return [since >= GAP_US && gap(`${span(since)} later`), ...rowsOf(moment, since, at - start)];
  });
  return el(
    "div",
    { class: "lifeline" },
    el(
      "table",
      { class: "timeline" },
      el("caption", {}, `Its life: ${many(moments.length, "moment")} from ${clock(moments[0].time)} UTC, over ${span(before - start)}`),
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          heading("time", "Time, UTC"),
          heading("amount", "After"),
          heading("amount all", "In all"),
          lanes(order),
          heading("", "What happened"),
        ),
      ),
      el("tbody", {}, body.filter(Boolean)),
    ),
  );
}

const heading = (kind, text) => el("th", { scope: "col", class: kind }, text);

function lanes(order) {
  const names = [
    [CLIENT, party(order.session)],
    [ROUTER, "router"],
    [VENUE, order.destination || "venue"],
  ];
  return el(
    "th",
    { scope: "col", class: "lanes" },
    el("span", { class: "unseen" }, "client, router, venue"),
    draw(
      "svg",
      { width: WIDTH, height: 22, "aria-hidden": "true" },
      names.map(([x, name]) => draw("text", { x, y: 15, "text-anchor": "middle", class: "lane" }, name)),
    ),
  );
}

function gap(text) {
  return el(
    "tr",
    { class: "gap" },
    el("td"),
    el("td"),
    el("td", { class: "all" }),
    el("td", { class: "lanes" }, svg("gap")),
    el("td", {}, text),
  );
}

function rowsOf(moment, since, all) {
  const from = LANES[moment.who] ?? ROUTER;
  const who = moment.who === "operator" || moment.who === "router" ? moment.who : `${moment.who} to router`;
  const first = el(
    "tr",
    { class: "input", "data-who": moment.who },
    el("td", { class: "time", title: `${stamp(moment.time)}, journal ${moment.sequence}` }, exact(moment.time)),
    el("td", { class: "amount" }, Number.isFinite(since) ? `+${span(since)}` : ""),
    el("td", { class: "amount all" }, span(all)),
    el("td", { class: "lanes" }, arrow(from, ROUTER, moment.kind, moment.who)),
    el("td", {}, el("span", { class: "unseen" }, `${who}: `), el("b", {}, moment.kind), " ", moment.summary),
  );
  return [first, ...moment.effects.map(effect)];
}

function effect(text) {
  const to = direction(text);
  const name =
    to === ROUTER
      ? ""
      : text
          .split(" ")
          .slice(0, to === CLIENT ? 2 : 1)
          .join(" ")
          .replace(/:$/, "");
  return el(
    "tr",
    { class: "effect" },
    el("td"),
    el("td"),
    el("td", { class: "all" }),
    el("td", { class: "lanes" }, arrow(ROUTER, to, name, "router")),
    el(
      "td",
      {},
      el("span", { class: "unseen" }, to === CLIENT ? "router to client: " : to === VENUE ? "router to venue: " : "router: "),
      text,
    ),
  );
}

function direction(text) {
  if (/^(place|replace|cancel|query|ask|send)\b/i.test(text)) return VENUE;
  return /^(report|refuse|reject)/i.test(text) ? CLIENT : ROUTER;
}

function svg(kind, ...marks) {
  const rails = [CLIENT, ROUTER, VENUE].map((x) => draw("line", { x1: x, x2: x, y1: 0, y2: "100%", class: `rail ${kind}` }));
  return draw("svg", { width: WIDTH, class: "lanes", "aria-hidden": "true" }, rails, marks);
}

function arrow(from, to, name, who) {
  if (from === to) {
    const mark =
      who === "operator"
        ? draw("path", { d: `M${ROUTER} 7l6 6-6 6-6-6z`, class: "operator" })
        : draw("circle", { cx: ROUTER, cy: 13, r: name ? 4 : 2.5, class: "own" });
    return svg("", mark, name && draw("text", { x: ROUTER + 11, y: 17, class: "message" }, short(name)));
  }
  const way = Math.sign(to - from);
  const tip = to - way * 5;
  return svg(
    "",
    draw("circle", { cx: from, cy: 17, r: 2.5, class: `dot ${who}` }),
    draw("line", { x1: from, x2: tip - way * 5, y1: 17, y2: 17, class: `arrow ${who}` }),
    draw("path", { d: `M${tip} 17l${-way * 8} -4v8z`, class: `head ${who}` }),
    draw("text", { x: (from + to) / 2, y: 12, "text-anchor": "middle", class: "message" }, short(name)),
  );
}

const short = (name) => (name.length > 19 ? `${name.slice(0, 18)}…` : name);

function fillsOf(fills) {
  if (!fills.length) return null;
  const columns = [
    ["Time, UTC", "time", (row) => exact(row.time)],
    ["ExecID", "id", (row) => row.exec_id],
    ["What", "", (row) => row.exec_type.replace("-", " ")],
    ["Quantity", "amount", (row) => row.last_qty],
    ["Price", "amount", (row) => row.last_px],
    ["Filled", "amount", (row) => row.cum_qty],
    ["Leaves", "amount", (row) => row.leaves_qty],
    ["Fee", "amount", (row) => `${row.fee} ${row.fee_currency}`.trim()],
  ];
  return el(
    "table",
    { class: "grid fills" },
    el("caption", {}, many(fills.length, "execution")),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        columns.map(([name, kind]) => heading(kind, name)),
      ),
    ),
    el(
      "tbody",
      {},
      fills.map((row) =>
        el(
          "tr",
          {},
          columns.map(([, kind, text]) => el("td", { class: kind }, text(row))),
        ),
      ),
    ),
  );
}
