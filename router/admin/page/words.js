// Texts for people: times in UTC, spans, counts; and the order of exact amounts. Pure: no page, no network.
// Amounts are exact decimals as text and stay text: they are compared digit by digit, never made a float.

const ROLES = ["view", "trade", "admin"];

/** Whether a role includes another. */
export const includes = (mine, needed) => ROLES.indexOf(mine) >= ROLES.indexOf(needed);

/** Microseconds since 1970 of an ISO time in UTC; NaN for "". Exact: 2^53 µs last until the year 2255. */
export function micros(iso) {
  if (!iso) return NaN;
  const fraction = /\.(\d+)/.exec(iso);
  return Date.parse(`${iso.slice(0, 19)}Z`) * 1000 + Number((fraction ? fraction[1] : "").padEnd(6, "0").slice(0, 6));
}

/** "08:00:03" of an ISO time; with the day before it when that is not today's. */
export function clock(iso, now = Date.now()) {
  if (!iso) return "";
  const today = new Date(now).toISOString().slice(0, 10);
  return iso.slice(0, 10) === today ? iso.slice(11, 19) : `${iso.slice(5, 10)} ${iso.slice(11, 19)}`;
}

/** "08:00:03.123456" of an ISO time. */
export const exact = (iso) => (iso ? `${iso.slice(11, 19)}.${(/\.(\d+)/.exec(iso)?.[1] ?? "").padEnd(6, "0")}` : "");

/** "2026-11-21 08:00:03.123456 UTC" of an ISO time. */
export const stamp = (iso) => (iso ? `${iso.slice(0, 10)} ${exact(iso)} UTC` : "");

/** A span of microseconds in the unit that reads best: "412 µs", "3.20 ms", "1.204 s", "2 min 3 s", "3 h 5 min", "2 d 4 h". */
export function span(us) {
  if (!Number.isFinite(us)) return "";
  if (us < 0) return `−${span(-us)}`;
  if (us < 999.5) return `${us < 9.95 && !Number.isInteger(us) ? us.toFixed(1) : Math.round(us)} µs`;
  if (us < 999_500) return `${(us / 1e3).toPrecision(3)} ms`;
  if (us < 59_999_500) return `${(us / 1e6).toFixed(us < 1e7 ? 3 : 1)} s`;
  return long(Math.round(us / 1e6));
}

/** A span of whole seconds: "40 s", "2 min 3 s", "3 h 5 min", "2 d 4 h". */
export function long(seconds) {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.floor(s / 86_400)} d ${Math.floor((s % 86_400) / 3600)} h`;
}

/** 12345 -> "12,345". */
export const count = (n) => String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ",");

/** "1 order", "2 orders". */
export const many = (n, one, several = `${one}s`) => `${count(n)} ${n === 1 ? one : several}`;

/** 1234567 -> "1.2 MB". */
export function bytes(n) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let left = n,
    unit = 0;
  while (left >= 1000 && unit < units.length - 1) {
    left /= 1000;
    unit += 1;
  }
  return `${unit ? left.toFixed(1) : left} ${units[unit]}`;
}

/** "OMS44" of "FIX.4.4:ROUTER->OMS44". */
export const party = (session) => session.split("->").pop();

/** Order of two decimals as text; "" comes first. */
export function byAmount(a, b) {
  if (a === b) return 0;
  if (!a || !b) return a ? 1 : -1;
  const x = parts(a),
    y = parts(b);
  if (x.minus !== y.minus) return x.minus ? -1 : 1;
  const larger = x.whole.length - y.whole.length || order(x.whole, y.whole) || order(x.rest, y.rest);
  return x.minus ? -larger : larger;
}

function parts(text) {
  const [whole, rest = ""] = text.replace(/^[-+]/, "").split(".");
  const bare = { whole: whole.replace(/^0+/, ""), rest: rest.replace(/0+$/, "") };
  return { ...bare, minus: text.startsWith("-") && bare.whole + bare.rest !== "" };
}

/** Order of two texts by their characters. */
export const order = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
