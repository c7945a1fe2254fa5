// What the page knows: filled by a first asking, kept by the stream. Whoever shows something says which parts it shows and is called when
// they changed, at most five times a second and never while the page is hidden: a burst of a thousand events is one painting.

const KEEP = 500; // rows of a tape; done orders that are kept

export const store = {
  status: null,
  sessions: new Map(),
  venues: new Map(),
  budgets: [],
  orders: new Map(),
  ended: new Map(), // order id -> when (ms) it was seen to end
  more: false, // the router has more open orders than it was asked for
  fills: [],
  rejects: [],
  alerts: new Map(),
  acts: [], // ActSpec
  done: [], // ActDone, the newest first
  link: { live: false, since: "", next: 0, tries: 0 },
};

const watchers = [];
const dirty = new Set();
let planned = false;

/** Forget everything: whoever signs in next sees nothing of what was here. */
export function clear() {
  for (const known of [store.sessions, store.venues, store.orders, store.ended, store.alerts]) known.clear();
  Object.assign(store, { status: null, more: false, budgets: [], fills: [], rejects: [], acts: [], done: [] });
  Object.assign(store.link, { live: false, since: "", next: 0, tries: 0 });
  changed("status", "sessions", "venues", "budgets", "orders", "fills", "rejects", "alerts", "acts", "done", "link");
}

/** Have `paint` called after any of these parts changed. */
export function watch(parts, paint) {
  watchers.push([new Set(parts.split(" ")), paint]);
}

/** Say that a part changed. */
export function changed(...parts) {
  for (const part of parts) dirty.add(part);
  if (planned) return;
  planned = true;
  setTimeout(() => requestAnimationFrame(repaint), 200);
}

function repaint() {
  planned = false;
  const parts = [...dirty];
  dirty.clear();
  for (const [mine, paint] of watchers) if (parts.some((part) => mine.has(part))) paint();
}

/** Take one message of the stream. */
export function take(event) {
  TAKERS[event.kind]?.(event);
}

const TAKERS = {
  status: ({ status }) => {
    store.status = status;
    changed("status");
  },
  order: ({ order }) => takeOrder(order),
  fill: ({ fill }) => {
    push(store.fills, fill, fillKey);
    changed("fills");
  },
  reject: ({ reject }) => {
    push(store.rejects, reject, rejectKey);
    changed("rejects");
  },
  alert: ({ alert }) => {
    store.alerts.set(alert.alert_id, alert);
    trim(store.alerts);
    changed("alerts");
  },
  session: ({ session }) => {
    store.sessions.set(session.name, session);
    changed("sessions");
  },
  venue: ({ venue }) => {
    store.venues.set(venue.name, venue);
    changed("venues");
  },
  act: ({ act }) => {
    push(store.done, act, (row) => `${row.time} ${row.act} ${row.by}`);
    changed("done");
  },
};

/** Take an order's row, unless what is known is newer: what was asked and what was streamed may cross. */
export function takeOrder(order) {
  const known = store.orders.get(order.order_id);
  if (known && known.updated > order.updated) return;
  if (known && order.done && !known.done) store.ended.set(order.order_id, Date.now());
  store.orders.set(order.order_id, order);
  changed("orders");
}

/** Let go of done orders beyond those kept: the oldest first. */
export function tidy() {
  const over = [...store.orders.values()]
    .filter((order) => order.done)
    .sort((a, b) => (a.updated < b.updated ? 1 : -1))
    .slice(KEEP);
  for (const order of over) store.orders.delete(order.order_id);
}

/** What tells one fill from another. */
export const fillKey = (row) => row.exec_id;

/** What tells one reject from another: they have no id. */
export const rejectKey = (row) => `${row.time} ${row.kind} ${row.session} ${row.cl_ord_id}`;

// A row that was asked for may come by the stream as well.
function push(tape, row, key) {
  if (tape.some((each) => key(each) === key(row))) return;
  tape.unshift(row);
  if (tape.length > KEEP) tape.length = KEEP;
}

function trim(map) {
  for (const [key, alert] of map) {
    if (map.size <= KEEP) return;
    if (!alert.active) map.delete(key);
  }
}
