// The page's beginning: signs in and out, puts the parts together, keys for all of it.

import { bearer, forgetToken, keepToken, token } from "./api.js";
import { acts, mayAct, offer } from "./acts.js";
import { latency } from "./charts.js";
import { byId, put } from "./dom.js";
import { glance } from "./glance.js";
import { life } from "./life.js";
import { retryNow, start, stop } from "./live.js";
import { orders } from "./orders.js";
import { places } from "./places.js";
import { changed, clear, store, watch } from "./store.js";
import { tapes } from "./tapes.js";

const THEMES = ["system", "light", "dark"];

function signedIn() {
  const who = bearer();
  byId("signin").hidden = true;
  byId("desk").hidden = false;
  put(byId("who"), who?.sub || "no name");
  put(byId("role"), who?.role || "no role");
  byId("who").title = who?.exp
    ? `the token is good until ${new Date(who.exp * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`
    : "";
  changed("acts", "link");
  start((error) => signedOut(`The router does not take this token: ${error.message}`));
}

function signedOut(why = "") {
  stop();
  forgetToken();
  clear();
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  byId("desk").hidden = true;
  byId("signin").hidden = false;
  put(byId("signin-error"), why);
  byId("token").value = "";
  byId("token").focus();
  document.title = "fixrouter";
}

function signing() {
  byId("signin-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = byId("token").value.trim();
    if (!/^[\w.-]+$/.test(text) || !bearer(text)) {
      put(byId("signin-error"), "That is not a token: it has three parts with dots between them.");
      return;
    }
    keepToken(text);
    signedIn();
  });
  byId("signout").addEventListener("click", () => signedOut());
  byId("retry").addEventListener("click", retryNow);
}

function theming() {
  const saved = localStorage.getItem("fixrouter.theme");
  const use = (theme) => {
    document.documentElement.dataset.theme = theme;
    put(byId("theme"), `theme: ${theme}`);
    localStorage.setItem("fixrouter.theme", theme);
  };
  use(THEMES.includes(saved) ? saved : "system");
  byId("theme").addEventListener("click", () => use(THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length]));
}

const KEYS = {
  "/": () => byId("orders-filter").focus(),
  "?": () => byId("keys").showModal(),
  h: () => offer("halt"),
};

function keys() {
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea") || document.querySelector("dialog[open]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey || byId("desk").hidden || !KEYS[event.key]) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  byId("orders-filter").addEventListener("keydown", (event) => {
    if (event.key === "Escape") event.target.blur();
    if (event.key === "ArrowDown") document.querySelector("#orders-table button.open[tabindex='0']")?.focus();
  });
  byId("help").addEventListener("click", KEYS["?"]);
  for (const button of document.querySelectorAll("dialog button[data-close]"))
    button.addEventListener("click", () => button.closest("dialog").close());
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("pointerdown", (event) => {
      if (event.target === dialog && dialog.id !== "act") dialog.close();
    });
  }
}

function desk() {
  glance();
  orders();
  tapes();
  places();
  life();
  acts();
  latency();
  const roles = () => {
    byId("acts").hidden = !mayAct();
    document.body.dataset.acts = mayAct() ? "some" : "none";
    byId("only-view").hidden = mayAct();
    byId("resume").hidden = !store.status?.halted.some((each) => ["all", "account", "session", "destination"].includes(each.scope));
  };
  watch("acts link status", roles);
  for (const [id, name] of [
    ["halt", "halt"],
    ["resume", "resume"],
    ["cancel-all", "cancel-all"],
  ])
    byId(id).addEventListener("click", () => offer(name));
}

theming();
signing();
keys();
desk();
if (token()) signedIn();
else signedOut();
