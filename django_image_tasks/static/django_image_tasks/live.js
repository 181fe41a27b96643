// Keeps a page current while somebody looks at it, and says so when it cannot. The parts of the page
// that may change are marked with data-live, and have ids; live.html says where to ask.
"use strict";

{
  const EVERY = 6000;
  const RARELY = 30000; // for what a list asks besides its moving rows, which costs the most
  const SLOWEST = 60000;
  // A server gets so many times the time off that its answer took, but no more than this.
  const SHARE = 100;
  const REST = 15000;

  const root = document.querySelector("[data-live-url]");
  const lang = document.documentElement.lang || undefined;
  const seen = {}; // of each kind of question the last answer and its ETag
  let wholeAt = -RARELY; // what stands above a list comes after the page
  let wait = EVERY;
  let timer = null;
  let asOf = Date.now();

  const moving = () => [...document.querySelectorAll("[data-task]")].map(({ dataset }) => dataset.task);
  const part = (name) => root.querySelector(`[data-${name}]`);

  function address(isWhole) {
    const url = new URL(root.dataset.liveUrl, location.href);
    if ("ids" in root.dataset) {
      if (!isWhole) url.search = "";
      if (moving().length) url.searchParams.set("ids", moving().join());
    }
    return url;
  }

  // What to say

  function say(trouble) {
    const time = new Date(asOf).toLocaleTimeString(lang, { hour: "2-digit", minute: "2-digit" });
    document.body.classList.toggle("task-stale", Boolean(trouble));
    part("as-of").textContent = root.dataset.asOf.replace("%s", time);
    part("login").hidden = trouble !== "signedOut";
    const words = trouble ? root.dataset[trouble] : "";
    if (part("trouble").textContent !== words) part("trouble").textContent = words;
  }

  const UNITS = [["year", 31557600], ["month", 2629800], ["week", 604800], ["day", 86400], ["hour", 3600], ["minute", 60]];

  // Times that are told as seen from now.
  function tell() {
    const format = new Intl.RelativeTimeFormat(lang, { numeric: "always" });
    for (const time of document.querySelectorAll("time[data-relative]")) {
      const seconds = (new Date(time.dateTime) - Date.now()) / 1000;
      const unit = UNITS.find(([, length]) => Math.abs(seconds) >= length);
      if (unit) time.textContent = format.format(Math.trunc(seconds / unit[1]), unit[0]);
    }
  }

  // What to show

  const folds = (element) => [...element.querySelectorAll("details")];
  const isSelected = (element) => !getSelection().isCollapsed && getSelection().containsNode(element, true);

  function swap(old, fresh) {
    const open = folds(old).map((details) => details.open);
    if (open.length === folds(fresh).length) folds(fresh).forEach((details, place) => { details.open = open[place]; });
    if (old.isEqualNode(fresh) || isSelected(old)) return;
    if ("task" in old.dataset && !("task" in fresh.dataset)) part("news").textContent = fresh.dataset.news;
    const focused = old.contains(document.activeElement) ? document.activeElement : null;
    const { scrollLeft } = old;
    old.replaceWith(fresh);
    fresh.scrollLeft = scrollLeft;
    if (focused) (document.getElementById(focused.id) || fresh).focus({ preventScroll: true });
  }

  function show(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const parts = [...page.querySelectorAll("[data-live]")];
    const rows = document.querySelectorAll("[data-live][data-row]");
    const ids = parts.map(({ id }) => id);
    const isNew = parts.some((fresh) => "row" in fresh.dataset && !document.getElementById(fresh.id));
    const left = [...rows].filter(({ id }) => !ids.includes(id));
    // Rows that come or go do not make the others jump.
    for (const row of left) row.classList.add("task-left");
    if (isNew || left.length) part("changed").hidden = false;
    for (const fresh of parts) {
      const old = document.getElementById(fresh.id);
      if (old) swap(old, document.adoptNode(fresh));
    }
  }

  // When to ask

  function plan() {
    clearTimeout(timer);
    const isOver = "whileMoving" in root.dataset && !moving().length;
    if (document.hidden || isOver || wait === Infinity) return;
    timer = setTimeout(look, wait * (0.9 + Math.random() / 5));
  }

  const ask = (headers, isWhole) => fetch(address(isWhole), { headers, redirect: "manual", credentials: "same-origin" });

  function troubleWith(response) {
    if (response.type === "opaqueredirect" || [401, 403].includes(response.status)) return "signedOut";
    if ([404, 410].includes(response.status)) return "gone";
    return response.ok ? "" : "offline";
  }

  // Whether there was something new.
  async function compare(response, kind) {
    if (response.status === 304) return false;
    const text = await response.text();
    const isNew = seen[kind]?.text !== text;
    seen[kind] = { text, tag: response.headers.get("ETag") };
    if (!isNew) return false;
    if (!("json" in root.dataset)) show(text);
    else show(await (await ask({ Accept: "text/html" })).text());
    return true;
  }

  async function look() {
    const began = performance.now();
    const headers = { Accept: "json" in root.dataset ? "application/json" : "text/html" };
    // Where nothing moves, only the whole question is worth asking.
    const isWhole = !moving().length || began - wholeAt >= RARELY;
    if (isWhole) wholeAt = began;
    if (seen[isWhole]?.tag) headers["If-None-Match"] = seen[isWhole].tag;
    let trouble = "offline";
    try {
      const response = await ask(headers, isWhole);
      trouble = response.status === 304 ? "" : troubleWith(response);
      if (trouble) wait = trouble === "offline" ? wait * 2 : Infinity;
      else {
        const isNew = await compare(response, isWhole);
        wait = isNew ? EVERY : wait * 1.5;
        asOf = Date.now();
      }
    } catch {
      wait *= 2;
    }
    const rest = Math.min(REST, SHARE * (performance.now() - began));
    if (wait !== Infinity) wait = Math.min(SLOWEST, Math.max(wait, rest));
    tell();
    say(trouble);
    plan();
  }

  function wake() {
    if (document.hidden) return clearTimeout(timer);
    wait = EVERY;
    const lacksMuch = "ids" in root.dataset && wholeAt < 0;
    return lacksMuch || Date.now() - asOf > EVERY ? look() : plan();
  }

  if (root) {
    document.addEventListener("visibilitychange", wake);
    addEventListener("online", wake);
    addEventListener("offline", () => say("offline"));
    setInterval(tell, 30000);
    say("");
    wake();
  }
}
