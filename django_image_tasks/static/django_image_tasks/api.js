"use strict";

// The filters: what is empty is left out, and the two ends of a range become gte: and lt:.

const DEFAULT_ORDER = ["created_at", "desc"];

function rewrite(form, data) {
  const sent = [...data].filter(([, value]) => value);
  for (const [name] of [...data]) data.delete(name);
  const order = sent.filter(([name]) => name.startsWith("sort_")).map(([, value]) => value);
  const isDefault = order.join() === DEFAULT_ORDER.join();
  for (const [name, value] of sent) {
    if (!(isDefault && name.startsWith("sort_"))) data.append(name, value);
  }
  for (const { value, dataset } of form.querySelectorAll("[data-time]")) {
    if (value) data.append(dataset.time, `${dataset.operator}:${value}Z`);
  }
}

function prepareOrder(fieldset) {
  const [template, add] = ["template", "[data-add]"].map((name) => fieldset.querySelector(name));
  const rows = () => [...fieldset.querySelectorAll(".order")];
  const keys = () => rows().map((row) => row.querySelector("select").value);
  const show = () => {
    const choices = template.content.querySelectorAll("select:first-child option").length;
    add.hidden = rows().length >= choices;
    for (const row of rows()) row.querySelector("[data-remove]").hidden = rows().length === 1;
  };
  add.addEventListener("click", () => {
    const row = template.content.firstElementChild.cloneNode(true);
    const [key] = row.children;
    key.value = [...key.options].map((option) => option.value).find((value) => !keys().includes(value));
    template.before(row);
    key.focus();
    show();
  });
  fieldset.addEventListener("click", ({ target }) => {
    if (!target.matches("[data-remove]")) return;
    target.closest(".order").remove();
    fieldset.querySelector("select").focus();
    show();
  });
  show();
}

// The forms that send: JSON, with the session's CSRF token in a header.

// Leaves are JSON texts already, so that a long number arrives as it was typed.
const text = (node) =>
  typeof node === "string"
    ? node
    : `{${[...node].map(([key, value]) => `${JSON.stringify(key)}:${text(value)}`).join()}}`;

function leaf({ value, dataset, form }) {
  if (dataset.type === "string") return JSON.stringify(value);
  try {
    JSON.parse(value);
  } catch {
    throw new Error(`${dataset.path || "input"}: ${form.dataset.notJson}`);
  }
  return value;
}

function put(tree, path, value) {
  const [name, ...rest] = path;
  if (!rest.length) return tree.set(name, value);
  if (!tree.has(name)) tree.set(name, new Map());
  return put(tree.get(name), rest, value);
}

function bodyOf(form) {
  const raw = form.querySelector("[data-raw]");
  if (raw) return raw.value;
  const body = new Map([["type", JSON.stringify(form.dataset.create)], ["input", new Map()]]);
  for (const control of form.querySelectorAll("[data-path]")) {
    const path = control.dataset.path ? control.dataset.path.split(".") : [];
    if (control.value.trim()) put(body, ["input", ...path], leaf(control));
  }
  const name = form.querySelector("[data-name]").value;
  if (name) body.set("name", JSON.stringify(name));
  return text(body);
}

async function messageOf(response) {
  try {
    return Object.values(await response.json())[0].message;
  } catch {
    return `${response.status} ${response.statusText}`;
  }
}

async function post(form, body) {
  const headers = {
    Accept: "application/json",
    [form.dataset.csrfHeader]: form.elements.csrfmiddlewaretoken.value,
  };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const response = await fetch(form.action, { method: "POST", headers, body });
  if (!response.ok) throw new Error(await messageOf(response));
  return response.headers.get("Location");
}

async function send(form) {
  const problem = form.querySelector(".problem");
  const [button] = form.querySelectorAll("button");
  problem.hidden = true;
  button.disabled = true;
  try {
    const created = await post(form, "create" in form.dataset ? bodyOf(form) : undefined);
    if (created) location.assign(created);
    else location.reload();
  } catch (error) {
    problem.textContent = error.message;
    problem.hidden = false;
    problem.focus();
  } finally {
    button.disabled = false;
  }
}

function openCreate() {
  if (location.hash !== "#create") return;
  const first = document.querySelector("#create details");
  if (first && !document.querySelector("#create details[open]")) first.open = true;
}

for (const form of document.querySelectorAll("[data-query]")) {
  form.addEventListener("formdata", ({ formData }) => rewrite(form, formData));
}
for (const fieldset of document.querySelectorAll("[data-order]")) prepareOrder(fieldset);
document.addEventListener("click", ({ target }) => {
  if (target.matches("[data-example]")) target.form.querySelector("[data-raw]").value = target.dataset.example;
});
document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-create], [data-action]")) return;
  event.preventDefault();
  send(event.target);
});
window.addEventListener("hashchange", openCreate);
openCreate();
