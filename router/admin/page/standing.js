// How an order stands, in words, and what can be done with it.

import { actButton } from "./acts.js";

/** An order's standing: the unknown first, then what waits. */
export function standing(row) {
  const status = row.status.replaceAll("-", " ");
  if (row.unknown) return `UNKNOWN: ${row.unknown}`;
  if (!row.pending) return status;
  return row.pending.startsWith(row.status) ? row.pending.replace(row.status, status) : `${status}, ${row.pending}`;
}

/** The buttons of what whoever is here may do with an order, the most needed first; none for one that is done. */
export function buttons(row) {
  if (row.done) return [];
  return [
    row.unknown && actButton("resolve", "Resolve…", { order: row.order_id }, row),
    actButton("cancel", "Cancel…", { order: row.order_id }, row),
  ].filter(Boolean);
}
