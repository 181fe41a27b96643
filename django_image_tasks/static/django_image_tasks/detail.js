// A task's page: copies texts, and follows the task while it runs.
"use strict";

const INTERVAL = 2000;

function offerCopies(root) {
  for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
}

function announce(text) {
  document.getElementById("task-announcement").textContent = text;
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const label = button.textContent;
  if (label === button.dataset.copied) return;
  try {
    await navigator.clipboard.writeText(source.textContent);
  } catch {
    // Without TLS there is no clipboard: select the text, for the keyboard to copy.
    source.hidden = false;
    getSelection().selectAllChildren(source);
    return;
  }
  announce(button.dataset.copied);
  button.textContent = button.dataset.copied;
  setTimeout(() => { button.textContent = label; }, 1500);
}

// Which <details> are open, by their place.
function folds(root) {
  return [...root.querySelectorAll("details")].map((details) => details.open);
}

function swap(old, fresh) {
  const open = folds(old);
  const details = fresh.querySelectorAll("details");
  if (open.length === details.length) details.forEach((item, place) => { item.open = open[place]; });
  offerCopies(fresh);
  if (old.isEqualNode(fresh)) return;
  const focused = old.contains(document.activeElement) && document.activeElement.id;
  old.replaceWith(fresh);
  if (focused) document.getElementById(focused)?.focus();
}

function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  const before = document.getElementById("task-head").dataset.status;
  for (const fresh of page.querySelectorAll("[data-live]")) {
    const old = document.getElementById(fresh.id);
    if (old) swap(old, document.adoptNode(fresh));
  }
  const after = document.getElementById("task-head").dataset.status;
  if (after !== before) announce(after);
}

const isRunning = () => document.getElementById("task-head")?.hasAttribute("data-running");

// Whether it is worth asking again soon; null: never again.
async function refresh() {
  const url = new URL(location.href);
  url.searchParams.set("_live", "1");
  try {
    const response = await fetch(url, { headers: { Accept: "text/html" } });
    if (response.redirected || (response.status >= 400 && response.status < 500)) return null;
    if (response.ok) show(await response.text());
    return response.ok;
  } catch {
    return false;
  }
}

async function follow() {
  let wait = INTERVAL;
  while (isRunning()) {
    await new Promise((resolve) => { setTimeout(resolve, wait); });
    if (document.hidden) continue;
    const isWell = await refresh();
    if (isWell === null) return;
    wait = isWell ? INTERVAL : Math.min(wait * 2, 60000);
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) copy(button);
});
offerCopies(document);
follow();
