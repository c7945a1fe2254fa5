// The connection to the router: ask for everything, then follow the stream; when it breaks or falls silent, try again with back-off, and
// say since when what is shown is old. The stream is opened before the asking and its events are held until the answers are in, so that
// nothing falls between the two.

import { get, rows, stream } from "./api.js";
import { changed, store, take, takeOrder, tidy } from "./store.js";

const SILENT_MS = 6000; // a status comes each second: this long without any message, and the connection is dead
const WAITS_MS = [500, 1000, 2000, 4000, 8000, 15_000];

let socket = null;
let timer = 0;
let generation = 0; // of the sign-in: what was begun before a sign-out is not finished
let onRefused = () => {};

/** Connect and stay so. `refused(error)` is called when the token is not taken (401); then nothing is tried again. */
export function start(refused) {
  stop();
  onRefused = refused;
  Object.assign(store.link, { live: false, since: "", tries: 0, next: 0 });
  connect(generation);
}

/** Let go of the router. */
export function stop() {
  generation += 1;
  clearTimeout(timer);
  socket?.close();
  socket = null;
}

/** Try at once instead of at the end of the wait. */
export function retryNow() {
  if (store.link.live || !store.link.next) return;
  clearTimeout(timer);
  connect(generation);
}

async function connect(mine) {
  store.link.next = 0;
  changed("link");
  try {
    await get("/v1/status"); // says what a WebSocket cannot: whether the token is good
    if (mine === generation) follow(mine);
  } catch (error) {
    if (mine === generation) away(mine, error);
  }
}

function follow(mine) {
  const held = [];
  const mySocket = (socket = stream());
  let ready = false;
  let silence = 0;
  const alive = () => {
    clearTimeout(silence);
    silence = setTimeout(() => lost(), SILENT_MS);
  };
  const lost = () => {
    clearTimeout(silence);
    if (socket !== mySocket || mine !== generation) return;
    socket = null;
    mySocket.close();
    away(mine, null);
  };
  const anew = async () => {
    ready = false;
    try {
      await all();
    } catch (error) {
      if (error.status === 401 && mine === generation) return away(mine, error);
      return lost();
    }
    if (socket !== mySocket) return undefined;
    ready = true;
    held.splice(0).forEach(take);
    Object.assign(store.link, { live: true, since: "", tries: 0 });
    return changed("link");
  };
  mySocket.onopen = () => {
    alive();
    anew();
  };
  mySocket.onclose = lost;
  mySocket.onmessage = (message) => {
    alive();
    const event = JSON.parse(message.data);
    if (event.kind === "lagged") anew();
    else if (ready) take(event);
    else held.push(event);
  };
  alive();
}

function away(mine, error) {
  if (error?.status === 401) {
    stop();
    onRefused(error);
    return;
  }
  const link = store.link;
  const wait = WAITS_MS[Math.min(link.tries, WAITS_MS.length - 1)] * (0.8 + 0.4 * Math.random());
  link.since ||= new Date().toISOString();
  Object.assign(link, { live: false, tries: link.tries + 1, next: Date.now() + wait, why: error?.message || "the connection broke" });
  timer = setTimeout(() => connect(mine), wait);
  changed("link");
}

/** Ask for everything. Throws Refused. */
async function all() {
  const [status, sessions, venues, budgets, open, fills, rejects, alerts, acts] = await Promise.all([
    get("/v1/status"),
    rows("/v1/sessions"),
    rows("/v1/venues"),
    rows("/v1/budgets"),
    get("/v1/orders?state=open&limit=1000"),
    rows("/v1/fills?limit=200"),
    rows("/v1/rejects?limit=200"),
    rows("/v1/alerts"),
    rows("/v1/acts"),
  ]);
  const unknown = await get("/v1/orders?state=unknown&limit=1000");
  Object.assign(store, { status, budgets, fills, rejects, acts, more: Boolean(open.more) });
  store.sessions = keyed(sessions, "name");
  store.venues = keyed(venues, "name");
  store.alerts = keyed(alerts, "alert_id");
  const fresh = keyed([...(open.rows ?? open), ...(unknown.rows ?? unknown)], "order_id");
  for (const [id, order] of store.orders) if (!order.done && !fresh.has(id)) store.orders.delete(id);
  fresh.forEach(takeOrder);
  changed("status", "sessions", "venues", "budgets", "orders", "fills", "rejects", "alerts", "acts");
}

/** Have the newest done orders too. Throws Refused. */
export async function fetchDone() {
  const page = await get("/v1/orders?state=done&limit=200");
  (page.rows ?? page).forEach(takeOrder);
  tidy();
}

const keyed = (list, name) => new Map(list.map((row) => [row[name], row]));
