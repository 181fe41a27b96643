// Follows two tasks with openapi-fetch and the types that openapi-typescript has made.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Task = components["schemas"]["ImageTask"];

const [root = "", token = ""] = process.argv.slice(2);
const client = createClient<paths>({ baseUrl: root, headers: { "X-Auth-Token": token } });

function answered<T>({ data, error }: { data?: T; error?: unknown }): T {
  if (data === undefined) throw new Error(JSON.stringify(error));
  return data;
}

function expect(actual: unknown, expected: unknown): void {
  const [told, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (told !== wanted) throw new Error(`${told} is not ${wanted}`);
}

async function create(name: string): Promise<Task> {
  const input = { import_from: `${root}/demo.qcow2` };
  return answered(await client.POST("/v2/tasks", { body: { type: "import", input, name } }));
}

async function wait({ id }: Task): Promise<Task> {
  for (;;) {
    const shown = await client.GET("/v2/tasks/{id}", { params: { path: { id } } });
    const task = answered(shown);
    if (task.status === "success" || task.status === "failure") return task;
    const seconds = Number(shown.response.headers.get("Retry-After"));
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  }
}

const [first, second] = [await create("typescript 1"), await create("typescript 2")];
const query = { name: ["typescript 1", "typescript 2"], sort: ["name:asc"] };
const page = answered(await client.GET("/v2/tasks", { params: { query } }));
expect(page.tasks.map((task) => task.id), [first.id, second.id]);

const path = { id: second.id };
answered(await client.POST("/v2/tasks/{id}/actions/cancel", { params: { path } }));
expect((await wait(second)).message, "Cancelled by demo");

const done = await wait(first);
expect(done.result?.["disk_format"], "qcow2");

const nobody = { params: { path: { id: crypto.randomUUID() } } };
const { error } = await client.GET("/v2/tasks/{id}", nobody);
expect(error && "itemNotFound" in error && error.itemNotFound.code, 404);
