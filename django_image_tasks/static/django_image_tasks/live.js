// Keeps the rows of unfinished tasks current while the admin's list is open.
"use strict";

{
  const EVERY = 2000;
  const news = document.querySelector("#task-news");
  // What each cell was last given: a browser spells HTML differently when asked for it.
  const shown = new WeakMap();
  const moving = () => [...document.querySelectorAll("#result_list [data-live]")];

  function show(bar, task) {
    bar.querySelector("progress").value = task.progress;
    const percent = bar.querySelector(".task-percent");
    percent.textContent = task.percent;
    percent.title = task.size;
    bar.className = `task-progress ${task.status}`;
    const row = bar.closest("tr");
    for (const [column, html] of Object.entries(task.cells)) {
      const cell = row.querySelector(`.field-${column}`);
      if (!cell || shown.get(cell) === html) continue;
      cell.innerHTML = html;
      shown.set(cell, html);
    }
    if (task.is_finished) {
      bar.removeAttribute("data-live");
      news.textContent = task.news;
    }
  }

  async function poll() {
    const bars = new Map(moving().map((bar) => [bar.dataset.task, bar]));
    const response = await fetch(`${news.dataset.url}?ids=${[...bars.keys()].join()}`);
    if (response.status === 503) return true;
    // Signed out, or no longer allowed.
    if (!response.ok || response.redirected) return false;
    const { tasks } = await response.json();
    for (const task of tasks) show(bars.get(task.id), task);
    for (const task of tasks) bars.delete(task.id);
    // Purged meanwhile.
    for (const bar of bars.values()) bar.removeAttribute("data-live");
    return true;
  }

  let timer = null;

  function wait() {
    clearTimeout(timer);
    if (news && !document.hidden && moving().length) timer = setTimeout(turn, EVERY);
  }

  async function turn() {
    // Where the network is away for a moment, the next turn may find it.
    if (await poll().catch(() => true)) wait();
  }

  document.addEventListener("visibilitychange", wait);
  wait();
}
