// At a glance: is all well, and if not, what needs a person; the figures; and whether the page hears the router at all.

import { byId, el, fill, put } from "./dom.js";
import { sortedAlerts } from "./tapes.js";
import { store, watch } from "./store.js";
import { bytes, clock, count, long, many, party } from "./words.js";

const PENDING_S = 5; // an answer that is out longer than this is worth a word

/** What is not as it should be: [{tone: "human" | "note", text, more, where}], the worst first. Pure. */
function findings({ status, venues, sessions, alerts, now }) {
  if (!status) return [];
  const found = [];
  const human = (text, where, more = "") => found.push({ tone: "human", text, where, more });
  const note = (text, where, more = "") => found.push({ tone: "note", text, where, more });
  if (status.journal_failing) human(`journal cannot be written: ${status.journal_failing}`, "figures");
  if (status.stopping) human("the router is stopping", "figures");
  if (status.unknown_orders)
    human(`${many(status.unknown_orders, "order")} unknown at ${status.unknown_orders === 1 ? "its" : "their"} venue`, "orders");
  for (const venue of venues.filter((each) => each.state === "down"))
    human(`${venue.name} down since ${clock(venue.since, now)}`, "venues", venue.why);
  for (const each of sessions.filter((row) => row.kind === "venue" && !row.logged_on && row.enabled))
    human(`session ${party(each.name)} with its venue is logged off`, "sessions");
  const serious = alerts.filter((each) => each.active && each.level !== "info");
  if (serious.length) human(many(serious.length, "alert"), "alerts", serious.map((each) => each.text).join("\n"));
  if (status.oldest_pending_s > PENDING_S) human("a venue's answer is long in coming", "orders");
  for (const halt of status.halted) note(haltWords(halt, now), "venues", halt.why);
  for (const venue of venues.filter((each) => each.state === "reconciling")) note(`${venue.name} reconciling`, "venues", venue.why);
  for (const venue of venues.filter((each) => each.witness && !each.witness_up && each.state === "open"))
    note(`${venue.name}: witness down`, "venues");
  return found;
}

function haltWords(halt, now) {
  const what =
    halt.scope === "all" ? "everything" : halt.scope === "session" || halt.scope === "session-login" ? party(halt.name) : halt.name;
  const off = halt.scope === "link" || halt.scope === "session-login";
  return `${what} ${off ? "switched off" : "halted"} by ${halt.by} since ${clock(halt.since, now)}`;
}

/** Put it into the page. */
export function glance() {
  watch("status venues sessions alerts link", verdict);
  watch("status link", figures);
  watch("link", connection);
  setInterval(() => {
    connection();
    put(byId("clock"), `${new Date().toISOString().slice(11, 19)} UTC`);
  }, 500);
}

function verdict() {
  const { link, status } = store;
  const found = findings({
    status,
    venues: [...store.venues.values()],
    sessions: [...store.sessions.values()],
    alerts: sortedAlerts(),
    now: Date.now(),
  });
  const human = found.filter((each) => each.tone === "human").length;
  const box = byId("verdict");
  const known = link.live && status;
  box.dataset.tone = !known ? "away" : human ? "human" : found.length ? "note" : "well";
  put(
    byId("verdict-word"),
    !status
      ? "Asking the router…"
      : !link.live
        ? "Not known: no connection"
        : human
          ? `${many(human, "thing")} ${human === 1 ? "needs" : "need"} you`
          : found.length
            ? "No faults; note"
            : "All is well",
  );
  list(found);
  document.title = `${!known ? "(no connection) " : human ? `(${human}) ` : ""}fixrouter`;
}

let listed = "";

function list(found) {
  const now = JSON.stringify(found);
  if (now === listed) return;
  listed = now;
  fill(
    byId("verdict-list"),
    found.map((each) => el("li", { "data-tone": each.tone }, el("a", { href: `#${each.where}`, title: each.more }, each.text))),
  );
}

function figures() {
  const status = store.status;
  if (!status) return;
  const told = {
    open: count(status.open_orders),
    unknown: count(status.unknown_orders),
    pending: count(status.pending_orders),
    oldest: status.pending_orders
      ? `oldest ${status.oldest_pending_s < 10 ? status.oldest_pending_s.toFixed(1) : Math.round(status.oldest_pending_s)} s`
      : "none out",
    orders: count(status.orders_total),
    fills: count(status.fills_total),
    rejects: count(status.rejects_total),
    sessions: `${status.sessions.up}/${status.sessions.total}`,
    venues: `${status.destinations.up}/${status.destinations.total}`,
    journal: status.journal_failing ? "FAILING" : count(status.journal_sequence),
    size: `${bytes(status.journal_bytes)}, ${status.durability}`,
    uptime: long(status.uptime_s),
    version: status.version,
  };
  for (const [name, text] of Object.entries(told)) put(byId(`fig-${name}`), text);
  tone("unknown", status.unknown_orders > 0);
  tone("oldest", status.oldest_pending_s > PENDING_S);
  tone("journal", Boolean(status.journal_failing));
}

const tone = (name, bad) => {
  byId(`fig-${name}`).dataset.tone = bad ? "human" : "";
};

function connection() {
  const { link } = store;
  const state = link.live ? "live" : link.since ? "away" : "connecting";
  const body = document.body.dataset;
  if (body.link !== state) body.link = state;
  put(byId("link"), link.live ? "live" : link.since ? "reconnecting" : "connecting");
  const rest = Math.max(0, Math.ceil((link.next - Date.now()) / 1000));
  const asOf = store.status ? `What you see is from ${clock(store.status.now)} UTC and is old. ` : "";
  put(
    byId("away-text"),
    state === "away" ? `No connection to the router since ${clock(link.since)} UTC (${link.why}). ${asOf}Acts are off. ` : "",
  );
  put(byId("away-next"), link.next ? `Next try in ${rest} s.` : "Trying now.");
  byId("away").hidden = state !== "away";
}
