// Latency over time: one small chart a stage, p50 and p99, drawn here from what the router is asked each 2 s. The charts share their time
// axis and a cursor: the mouse moves it, or the arrow keys on a chart that has focus. A break in the asking is a break in the line.

import { rows } from "./api.js";
import { byId, draw, el, fill, put } from "./dom.js";
import { changed, store } from "./store.js";
import { count, span } from "./words.js";

const EVERY_MS = 2000;
const LEAST_MS = 60_000; // what the axis spans at first
const MOST_MS = 900_000; // and at last
const HEIGHT = 132,
  LEFT = 52,
  RIGHT = 8,
  TOP = 10,
  BOTTOM = 20;
const LINES = ["p50", "p99"];

const history = new Map(); // stage -> [{t, p50, p99, count}]
const charts = new Map();
let cursor = null; // a time, ms

/** Begin asking and drawing. */
export function latency() {
  setInterval(poll, EVERY_MS);
  new ResizeObserver(() => charts.forEach(paint)).observe(byId("charts"));
}

async function poll() {
  if (document.hidden || !store.link.live) return;
  try {
    const [stages, budgets] = await Promise.all([rows("/v1/latency"), rows("/v1/budgets")]);
    store.budgets = budgets;
    changed("budgets");
    const t = Date.now();
    for (const { stage, ...figures } of stages) remember(stage, { t, ...figures });
    put(byId("latency-note"), stages.length ? "" : "nothing measured yet");
    charts.forEach(paint);
  } catch (error) {
    put(byId("latency-note"), error.message);
  }
}

function remember(stage, point) {
  if (!history.has(stage)) {
    history.set(stage, []);
    charts.set(stage, make(stage));
    byId("charts").append(charts.get(stage).box);
  }
  const points = history.get(stage);
  points.push(point);
  while (points[0].t < point.t - MOST_MS) points.shift();
}

function make(stage) {
  const readout = el("span", { class: "readout", "aria-live": "polite" });
  const svg = draw("svg", { class: "chart", tabindex: 0, role: "img", height: HEIGHT });
  const chart = { stage, svg, readout, box: el("figure", {}, el("figcaption", {}, el("b", {}, stage), " ", readout), svg) };
  svg.addEventListener("pointermove", (event) => move(timeAt(chart, event.offsetX)));
  svg.addEventListener("pointerleave", () => move(null));
  svg.addEventListener("blur", () => move(null));
  svg.addEventListener("keydown", (event) => step(chart, event));
  return chart;
}

function move(time) {
  cursor = time;
  charts.forEach(paint);
}

function step(chart, event) {
  const points = history.get(chart.stage);
  const by = { ArrowLeft: -1, ArrowRight: 1, PageUp: -15, PageDown: 15, Home: -1e6, End: 1e6 }[event.key];
  if (event.key === "Escape") move(null);
  if (!by) return;
  event.preventDefault();
  const at = cursor === null ? points.length - (by < 0 ? 0 : 1) : points.indexOf(nearest(points, cursor));
  move(points[Math.min(Math.max(at + by, 0), points.length - 1)].t);
}

const nearest = (points, t) => points.reduce((best, each) => (Math.abs(each.t - t) < Math.abs(best.t - t) ? each : best));

// --- drawing ------------------------------------------------------------------------------------------------------------

function scale(chart) {
  const points = history.get(chart.stage);
  const end = Math.max(...[...history.values()].map((each) => each.at(-1).t));
  const start = Math.min(end - LEAST_MS, Math.max(end - MOST_MS, points[0].t));
  const top = nice(Math.max(1, ...points.map((each) => each.p99)));
  const width = chart.svg.clientWidth || 300;
  return {
    width,
    start,
    end,
    top,
    points,
    x: (t) => LEFT + ((t - start) / (end - start)) * (width - LEFT - RIGHT),
    y: (value) => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM),
  };
}

const timeAt = (chart, x) => {
  const { width, start, end } = scale(chart);
  return start + ((x - LEFT) / (width - LEFT - RIGHT)) * (end - start);
};

/** The next of 1, 2, 4, 5, 8, 10 × 10^n: halves of these read well. */
function nice(value) {
  const size = 10 ** Math.floor(Math.log10(value));
  return size * [1, 2, 4, 5, 8, 10].find((each) => each * size >= value * 0.999);
}

function paint(chart) {
  const plan = scale(chart);
  const point = nearest(plan.points, cursor ?? plan.end);
  const when = cursor === null ? "" : `${new Date(point.t).toISOString().slice(11, 19)}: `;
  put(chart.readout, `${when}p50 ${span(point.p50)}, p99 ${span(point.p99)}, worst ${span(point.worst)}`);
  chart.readout.title = `${count(point.count)} measured`;
  chart.svg.setAttribute(
    "aria-label",
    `${chart.stage}, in the last ${Math.round((plan.end - plan.start) / 60_000)} minutes; ${chart.readout.textContent}. Left and right move through time.`,
  );
  fill(
    chart.svg,
    axes(plan),
    LINES.map((name) => draw("path", { class: `line ${name}`, d: path(plan, name) })),
    names(plan),
    cursor !== null && mark(plan, point),
  );
}

function axes({ width, start, end, top, x, y }) {
  const values = [0, top / 2, top].flatMap((value) => [
    draw("line", { class: "axis", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }),
    draw("text", { class: "tick", x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, value ? span(value) : "0"),
  ]);
  const minutes = (end - start) / 60_000;
  const times = [0, 0.5, 1].map((share) =>
    draw(
      "text",
      {
        class: "tick",
        x: x(start + share * (end - start)),
        y: HEIGHT - 5,
        "text-anchor": ["start", "middle", "end"][share * 2],
      },
      share === 1 ? "now" : `−${ahead(minutes * (1 - share))}`,
    ),
  );
  return [...values, ...times];
}

const ahead = (minutes) => (minutes < 1 ? `${Math.round(minutes * 60)} s` : `${Number(minutes.toFixed(1))} min`);

function path({ points, x, y }, name) {
  return points
    .map((point, at) => {
      const broken = at === 0 || point.t - points[at - 1].t > 3 * EVERY_MS;
      return `${broken ? "M" : "L"}${x(point.t).toFixed(1)} ${y(point[name]).toFixed(1)}`;
    })
    .join("");
}

// Each line's name stands over its end; they are kept from covering each other.
function names({ points, width, y }) {
  const last = points.at(-1);
  const high = Math.max(TOP + 2, y(last.p99) - 5);
  const low = Math.max(high + 12, y(last.p50) - 5);
  return [
    ["p99", high],
    ["p50", Math.min(low, HEIGHT - BOTTOM - 3)],
  ].map(([name, at]) => draw("text", { class: `name ${name}`, x: width - RIGHT - 2, y: at, "text-anchor": "end" }, name));
}

function mark({ x, y }, point) {
  return draw(
    "g",
    { class: "cursor" },
    draw("line", { x1: x(point.t), x2: x(point.t), y1: TOP, y2: HEIGHT - BOTTOM }),
    LINES.map((name) => draw("circle", { class: name, cx: x(point.t), cy: y(point[name]), r: 3 })),
  );
}
