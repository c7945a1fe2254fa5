// Client sessions and venues: how each stands, since when, and what is left of a venue's request budget.

import { choiceButton, may } from "./acts.js";
import { byId, el, put } from "./dom.js";
import { Grid } from "./grid.js";
import { store, watch } from "./store.js";
import { clock, count, order as byText, party, stamp } from "./words.js";

const number = (name, label, only) => ({
  name,
  label,
  only,
  kind: "count",
  text: (row) => count(row[name]),
  sort: (a, b) => a[name] - b[name],
});
const since = {
  name: "since",
  label: "Since",
  kind: "time",
  text: (row) => clock(row.since),
  title: (row) => stamp(row.since),
  sort: (a, b) => byText(a.since, b.since),
};

// --- venues -------------------------------------------------------------------------------------------------------------

/** How a destination stands, in words. */
function venueStanding(row) {
  if (row.state === "open") return row.witness && !row.witness_up ? "open, witness down" : "open";
  if (row.state === "reconciling") return `reconciling, ${count(row.reconciling)} left`;
  return row.since ? `${row.state} since ${clock(row.since)}` : row.state;
}

const VENUES = [
  {
    name: "name",
    label: "Venue",
    kind: "name",
    text: (row) => row.name,
    title: (row) => `${row.venue}, account ${row.account}, link ${row.link}${row.witness && `, witness ${row.witness}`}`,
  },
  {
    name: "state",
    label: "State",
    kind: "status",
    text: venueStanding,
    title: (row) => [row.why, row.since && `${row.state} since ${stamp(row.since)}`].filter(Boolean).join(", "),
    tone: (row) => ({ open: row.witness && !row.witness_up ? "note" : "", reconciling: "note", down: "human" })[row.state] ?? "note",
  },
  number("open_orders", "Open"),
  { ...number("unknown_orders", "Unkn."), tone: (row) => (row.unknown_orders ? "human" : "") },
  {
    name: "budget",
    label: "Budget used",
    kind: "budget",
    sort: false,
    text: (row) => JSON.stringify(of(row)),
    nodes: (row) => of(row).map(gauge),
  },
  {
    name: "acts",
    label: "Acts",
    kind: "acts",
    sort: false,
    text: (row) => `${row.state} ${may("halt")} ${may("venue")}`,
    nodes: (row) => [choiceButton(row.name, venueActs(row))],
  },
];

const of = (row) => store.budgets.filter((budget) => budget.link === row.link);

function venueActs(row) {
  const destination = row.name;
  return [
    row.state === "halted"
      ? ["resume", "Resume…", { scope: "destination", name: destination }]
      : ["halt", "Halt…", { scope: "destination", name: destination }],
    ["cancel-all", "Cancel all…", { destination }],
    ["reconcile", "Reconcile…", { destination }],
    ["venue", "Reconnect…", { destination, do: "reconnect" }, "disconnect from the venue, and connect again"],
    row.state === "off"
      ? ["venue", "Switch on…", { destination, do: "enable" }, "connect to the venue again"]
      : ["venue", "Switch off…", { destination, do: "disable" }, "disconnect from the venue and stay so, through a restart too"],
  ];
}

function gauge(budget) {
  const free = budget.requests - budget.used;
  const low = free <= budget.reserve;
  const words = `${budget.group}: ${count(budget.used)} of ${count(budget.requests)} requests in ${budget.seconds} s, ${count(budget.reserve)} kept for cancels and queries`;
  const bar = el("i", { class: "used" });
  bar.style.width = `${Math.min(100, (100 * budget.used) / Math.max(1, budget.requests))}%`;
  const mark = el("i", { class: "reserve" });
  mark.style.left = `${Math.max(0, 100 - (100 * budget.reserve) / Math.max(1, budget.requests))}%`;
  const closed = budget.closed_for_s > 0;
  const tail = closed
    ? `closed ${Math.ceil(budget.closed_for_s)} s`
    : low
      ? "cancels only"
      : `${count(budget.used)}/${count(budget.requests)}`;
  return el(
    "div",
    { class: "gauge", "data-tone": closed || low ? "human" : "", title: words },
    el("span", { class: "group" }, budget.group),
    el(
      "span",
      {
        class: "bar",
        role: "meter",
        "aria-label": words,
        "aria-valuemin": 0,
        "aria-valuemax": budget.requests,
        "aria-valuenow": budget.used,
      },
      bar,
      mark,
    ),
    el("span", { class: "tail" }, tail),
  );
}

// --- sessions -----------------------------------------------------------------------------------------------------------

/** How a session stands, in words. */
function sessionStanding(row) {
  if (!row.enabled) return "switched off";
  return `${row.logged_on ? "logged on" : "logged off"}${row.halted ? ", halted" : ""}`;
}

const SESSIONS = [
  {
    name: "name",
    label: "Session",
    kind: "name",
    text: (row) => party(row.name),
    title: (row) => `${row.name}${row.address && `, from ${row.address}`}`,
    sort: (a, b) => byText(a.name, b.name),
  },
  { name: "kind", label: "Kind", kind: "text", text: (row) => `${row.name.split(":")[0]} ${row.kind}` },
  {
    name: "state",
    label: "State",
    kind: "status",
    text: sessionStanding,
    title: (row) => row.halted,
    tone: (row) => (row.kind === "venue" && !row.logged_on ? "human" : row.halted || !row.enabled ? "note" : row.logged_on ? "" : "faint"),
  },
  since,
  number("next_in", "Next in"),
  number("next_out", "Next out"),
  number("open_orders", "Open"),
  { ...number("orders", "Orders"), only: "roomy" },
  { ...number("rejects", "Rejects"), only: "roomy" },
  {
    name: "acts",
    label: "Acts",
    kind: "acts",
    sort: false,
    text: (row) => `${row.enabled} ${row.halted} ${may("halt")} ${may("session")}`,
    nodes: (row) => [row.kind !== "venue" && choiceButton(party(row.name), sessionActs(row))],
  },
];

function sessionActs(row) {
  const session = row.name;
  const haltable = row.kind === "client";
  return [
    haltable &&
      (row.halted ? ["resume", "Resume…", { scope: "session", name: session }] : ["halt", "Halt…", { scope: "session", name: session }]),
    haltable && ["cancel-all", "Cancel all…", { session }],
    ["session", "Log out…", { session, do: "logout" }, "log it out; its client may log on again"],
    row.enabled
      ? ["session", "Switch off…", { session, do: "disable" }, "log it out and keep it out, through a restart too"]
      : ["session", "Switch on…", { session, do: "enable" }, "let it log on again"],
    ["session", "Sequence numbers…", { session, do: "seqnum" }, "set the numbers that are expected and sent next"],
    ["session", "Reset…", { session, do: "reset" }, "log it out, both sequence numbers to 1, its stored messages away"],
    ["resend", "Resend…", { session }],
  ].filter(Boolean);
}

/** Put both into the page. */
export function places() {
  const venues = new Grid(byId("venues-table"), byId("venues-note"), VENUES, {
    caption: "Venues",
    key: (row) => row.name,
    sort: "name",
    first: (row) => (row.state === "open" ? 0 : 1),
    tone: (row) => (row.state === "down" ? "human" : ""),
    empty: "no venues",
  });
  const sessions = new Grid(byId("sessions-table"), byId("sessions-note"), SESSIONS, {
    caption: "Sessions",
    key: (row) => row.name,
    sort: "name",
    empty: "no sessions",
  });
  watch("venues budgets acts", () => {
    const rows = [...store.venues.values()];
    venues.show(rows);
    put(byId("venues-count"), `${rows.filter((row) => row.state === "open").length} of ${rows.length} open`);
  });
  watch("sessions acts", () => {
    const rows = [...store.sessions.values()];
    sessions.show(rows);
    put(byId("sessions-count"), `${rows.filter((row) => row.logged_on).length} of ${rows.length} logged on`);
  });
}
