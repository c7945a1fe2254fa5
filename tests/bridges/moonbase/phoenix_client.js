// The official Phoenix client at the simulated Moonbase: joins, waits for a heartbeat's answer, places, cancels, is refused, leaves.
// Usage: node phoenix_client.js '{"port", "key", "secret", "vsn"}'. Writes one JSON object of what it was told, or ends with 1.
const { createHmac } = require("node:crypto");
const { Socket } = require("phoenix");
const WebSocket = require("ws");

const told = JSON.parse(process.argv[2]);
const timestamp = Math.floor(Date.now() / 1000);
const text = `GET\n/users/verify\nkey=${told.key}&timestamp=${timestamp}`;
const signature = createHmac("sha256", told.secret).update(text).digest("hex");
// Serializer 2.0.0, the client's own, speaks arrays; 1.0.0, the document's, objects.
const objects = {
  vsn: "1.0.0",
  encode: (message, then) => then(JSON.stringify(message)),
  decode: (raw, then) => then(JSON.parse(raw)),
};
const socket = new Socket(`ws://127.0.0.1:${told.port}/socket`, {
  transport: WebSocket,
  params: { key: told.key, timestamp, signature },
  heartbeatIntervalMs: 20,
  timeout: 5000,
  ...(told.vsn === "1.0.0" ? objects : {}),
});

const answered = (push) =>
  new Promise((done, fail) => {
    push.receive("ok", (response) => done({ ok: response }));
    push.receive("error", () => done({ error: push.receivedResp }));
    push.receive("timeout", () => fail(new Error("no answer")));
  });
const beating = new Promise((done) =>
  socket.onMessage((message) => {
    if (message.topic === "phoenix" && message.payload.status === "ok") done(message.payload);
  }),
);

async function main() {
  socket.onError(() => fail(new Error("the connection failed")));
  socket.connect();
  const orders = socket.channel("/orders/ETC:BTC", { status: "open" });
  const upserts = [];
  orders.on("upsert", ({ data }) => upserts.push(...data));
  const seen = {};
  seen.joined = await answered(orders.join());
  seen.heartbeat = await beating;
  seen.placed = await answered(orders.push("place", { limit_price: 0.005, requested_amount: 1.5 }));
  seen.cancelled = await answered(orders.push("cancel", { id: seen.placed.ok.id }));
  seen.traded = await answered(orders.push("place", { requested_amount: -2 }));
  seen.refused = await answered(orders.push("cancel", { id: seen.placed.ok.id }));
  const closed = new Promise((done) => orders.onClose(() => done(true)));
  seen.left = await answered(orders.leave());
  seen.closed = await closed;
  seen.upserts = upserts;
  process.stdout.write(JSON.stringify(seen), () => process.exit(0));
}

function fail(error) {
  process.stderr.write(`${error.stack}\n`, () => process.exit(1));
}

main().catch(fail);
