// Asking the router: fetch with the token, answers as objects, anything else as a Refused with what the router said.
// The token lives in sessionStorage: it goes with the tab. It is decoded for display only; the router alone decides what it allows.

const KEY = "fixrouter.token";

/** An answer that is not 2xx. `status` 0: the router was not reached. `done` is the ActDone of a refused act. */
export class Refused extends Error {
  constructor(status, body) {
    super(body?.error || body?.text || `the router answered ${status}`);
    this.status = status;
    this.needed = body?.needed || "";
    this.candidates = body?.candidates || [];
    this.done = body?.act ? body : null;
  }
}

export const token = () => sessionStorage.getItem(KEY) || "";
export const keepToken = (text) => sessionStorage.setItem(KEY, text);
export const forgetToken = () => sessionStorage.removeItem(KEY);

/** Whom a token names: {sub, role, exp}; null when it is not a token at all. */
export function bearer(text = token()) {
  try {
    const middle = text.split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
    const claims = JSON.parse(new TextDecoder().decode(Uint8Array.from(atob(middle), (c) => c.charCodeAt(0))));
    return { sub: String(claims.sub ?? ""), role: String(claims.role ?? ""), exp: Number(claims.exp) || 0 };
  } catch {
    return null;
  }
}

/** GET a path of the API. Throws Refused. */
export const get = (path, withinS = 15) => ask(path, {}, withinS);

/** POST JSON to a path of the API. Throws Refused. */
export const post = (path, body) =>
  ask(path, { method: "POST", body: JSON.stringify(body), headers: { "Content-Type": "application/json" } });

/** The rows of a listing. Throws Refused. */
export async function rows(path) {
  const body = await get(path);
  return Array.isArray(body) ? body : body.rows;
}

async function ask(path, options, withinS = 15) {
  const headers = { ...options.headers, Authorization: `Bearer ${token()}` };
  let answer;
  try {
    answer = await fetch(path, { ...options, headers, cache: "no-store", signal: AbortSignal.timeout(withinS * 1000) });
  } catch (error) {
    throw new Refused(0, {
      error: error.name === "TimeoutError" ? `the router did not answer within ${withinS} s` : "the router cannot be reached",
    });
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok) throw new Refused(answer.status, body);
  return body;
}

/** The stream of events; the token goes as a subprotocol, since a browser's WebSocket carries no headers and an address would be logged. */
export function stream() {
  const address = new URL("/v1/events", location.href);
  address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  return new WebSocket(address, ["fixrouter.v1", `bearer.${token()}`]);
}
