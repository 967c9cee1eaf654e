// Draws the gateway's OpenAPI document. Everything goes in as text, never as markup.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function el(name, attributes, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.flat());
  return element;
}

// A type as text and links to the schemas below.
function typed(schema) {
  if (schema === true || schema === undefined) return ["anything"];
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return [el("a", { href: "#schema-" + name }, name)];
  }
  for (const [key, sign] of [["oneOf", " | "], ["anyOf", " | "], ["allOf", " & "]]) {
    if (schema[key]) return schema[key].flatMap((one, at) => (at ? [sign, ...typed(one)] : typed(one)));
  }
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(" | ")];
  if (schema.const !== undefined) return [JSON.stringify(schema.const)];
  const types = [schema.type ?? "anything"].flat();
  if (types.includes("array")) {
    const rest = types.filter((type) => type !== "array").map((type) => " | " + type);
    return ["list of ", ...typed(schema.items), ...rest];
  }
  const bounds = ["format", "pattern", "minimum", "maximum", "minLength", "maxLength"]
    .filter((key) => schema[key] !== undefined)
    .map((key) => (key === "format" ? schema[key] : key + " " + schema[key]));
  return [types.join(" | ") + (bounds.length ? " (" + bounds.join(", ") + ")" : "")];
}

function table(heads, rows) {
  const head = el("tr", {}, heads.map((text) => el("th", { scope: "col" }, text)));
  const body = rows.map((cells) => el("tr", {}, cells.map((cell) => el("td", {}, cell))));
  return el("table", {}, el("thead", {}, head), el("tbody", {}, body));
}

// What a body is, for each media type.
function content(of) {
  return Object.entries(of ?? {}).flatMap(([type, media]) => [
    el("div", {}, el("code", {}, type), ": ", ...typed(media.schema)),
  ]);
}

function operation(path, method, shared, found) {
  const parts = [el("p", {}, found.summary ?? "", " ", found.description ?? "")];
  if (found.security?.length) parts.push(el("p", {}, "Needs a session: Authorization: Bearer TOKEN."));
  const parameters = [...(shared ?? []), ...(found.parameters ?? [])];
  if (parameters.length) {
    const row = (one) => [
      [el("code", {}, one.name)], [one.in], typed(one.schema), [one.required ? "required" : ""], [one.description ?? ""],
    ];
    parts.push(el("h4", {}, "Parameters"), table(["name", "in", "type", "", ""], parameters.map(row)));
  }
  if (found.requestBody) parts.push(el("h4", {}, "Body"), ...content(found.requestBody.content));
  const answers = Object.entries(found.responses ?? {}).map(([status, answer]) => [
    [status], [answer.description ?? "", ...content(answer.content)],
    Object.entries(answer.headers ?? {}).flatMap(([name, header]) => [
      el("div", {}, el("code", {}, name), ": ", ...typed(header.schema), " ", header.description ?? ""),
    ]),
  ]);
  parts.push(el("h4", {}, "Answers"), table(["status", "body", "headers"], answers));
  const title = [el("span", { class: "method" }, method.toUpperCase()), " ", el("code", {}, path)];
  const words = [method, path, found.summary, found.description].join(" ").toLowerCase();
  return el("details", { "data-words": words }, el("summary", {}, ...title, " ", found.summary ?? ""), ...parts);
}

function schema(name, found) {
  const parts = [el("p", {}, found.description ?? "")];
  const required = found.required ?? [];
  const properties = Object.entries(found.properties ?? {});
  if (properties.length) {
    const row = ([key, one]) => [
      [el("code", {}, key)], typed(one), [required.includes(key) ? "required" : ""], [one.description ?? ""],
    ];
    parts.push(table(["name", "type", "", ""], properties.map(row)));
  } else {
    parts.push(el("p", {}, ...typed(found)));
  }
  const words = [name, found.description].join(" ").toLowerCase();
  return el("details", { id: "schema-" + name, "data-words": words }, el("summary", {}, el("code", {}, name)), ...parts);
}

// All sections: one a tag, and the schemas.
function sections(api) {
  const tags = new Map((api.tags ?? []).map((tag) => [tag.name, { about: tag.description, operations: [] }]));
  for (const [path, item] of Object.entries(api.paths ?? {})) {
    for (const method of METHODS.filter((method) => item[method])) {
      const tag = item[method].tags?.[0] ?? "other";
      if (!tags.has(tag)) tags.set(tag, { about: "", operations: [] });
      tags.get(tag).operations.push(operation(path, method, item.parameters, item[method]));
    }
  }
  const all = [...tags].map(([name, tag]) => [name, tag.about, tag.operations]);
  const schemas = Object.entries(api.components?.schemas ?? {}).map(([name, found]) => schema(name, found));
  return [...all, ["schemas", "What bodies are made of", schemas]];
}

// Draws `api` into the page.
function render(api) {
  const at = (id) => document.getElementById(id);
  at("title").textContent = api.info.title + " " + api.info.version;
  at("description").textContent = api.info.description ?? "";
  const drawn = sections(api);
  const link = ([name]) => el("a", { href: "#tag-" + name }, name);
  at("tags").replaceChildren(...drawn.map(link));
  const section = ([name, about, items]) =>
    el("section", { "aria-labelledby": "tag-" + name }, el("h2", { id: "tag-" + name }, name), el("p", {}, about ?? ""), ...items);
  at("content").replaceChildren(...drawn.map(section));
  const items = drawn.flatMap(([, , items]) => items);
  at("filter").addEventListener("input", (event) => {
    const wanted = event.target.value.trim().toLowerCase();
    for (const item of items) item.hidden = !item.getAttribute("data-words").includes(wanted);
  });
  // A link to a schema opens it.
  const open = () => {
    const target = at(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.tagName === "DETAILS") target.open = true;
    target.hidden = false;
    target.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();
}

async function load() {
  const answer = await fetch("/openapi.json");
  if (!answer.ok) throw new Error("status " + answer.status);
  render(await answer.json());
}

load().catch((error) => {
  document.getElementById("status").textContent = "openapi.json could not be drawn: " + error.message;
});
