// Runs the page's script over a document, on as much of a DOM as it needs: node docs.mjs PAGE.js OPENAPI.json
import { readFileSync } from "node:fs";
import vm from "node:vm";

class Element {
  constructor(name) { Object.assign(this, { tagName: name.toUpperCase(), attributes: {}, children: [], hidden: false, listeners: {} }); }
  setAttribute(key, value) { this.attributes[key] = value; if (key === "id") page.set(value, this); }
  getAttribute(key) { return this.attributes[key]; }
  append(...children) {
    for (const child of children) {
      if (typeof child !== "string" && !(child instanceof Element)) throw new Error("appended " + typeof child);
      this.children.push(child);
    }
  }
  replaceChildren(...children) { this.children = []; this.append(...children); }
  addEventListener(name, listener) { this.listeners[name] = listener; }
  scrollIntoView() {}
  get textContent() { return this.children.map((child) => child.textContent ?? child).join(""); }
  set textContent(text) { this.children = [text]; }
  set innerHTML(_) { throw new Error("markup"); }
  all() { return [this, ...this.children.flatMap((child) => child.all?.() ?? [])]; }
}

const page = new Map();
for (const id of ["title", "description", "tags", "content", "filter", "status"]) page.set(id, new Element("div"));
const [script, file] = process.argv.slice(2);
const api = JSON.parse(readFileSync(file, "utf8"));
const document = { createElement: (name) => new Element(name), getElementById: (id) => page.get(id) };
const fetch = async (url) => ({ ok: url === "/openapi.json", status: 404, json: async () => api });
const location = { hash: "#schema-Problem" };
vm.runInNewContext(readFileSync(script, "utf8"), { document, fetch, location, addEventListener() {} });
await new Promise((done) => setImmediate(done));

const drawn = page.get("content").all();
const summaries = drawn.filter((one) => one.tagName === "SUMMARY").map((one) => one.textContent);
const wanted = (condition, what) => { if (!condition) throw new Error(what + "; status: " + page.get("status").textContent); };
let operations = 0;
for (const [path, item] of Object.entries(api.paths)) {
  for (const method of Object.keys(item)) {
    operations += 1;
    wanted(summaries.some((text) => text.startsWith(`${method.toUpperCase()} ${path} `)), `${method} ${path} is not drawn`);
  }
}
for (const name of Object.keys(api.components.schemas)) wanted(page.has("schema-" + name), name + " is not drawn");
for (const link of drawn.filter((one) => one.tagName === "A")) wanted(page.has(link.attributes.href.slice(1)), "dead link " + link.attributes.href);
for (const tag of api.tags) wanted(page.has("tag-" + tag.name), tag.name + " is not drawn");
wanted(page.get("schema-Problem").open === true, "a link opens what it names");
wanted(!drawn.some((one) => /undefined|\[object/.test(one.textContent)), "something is drawn that is not there");
page.get("filter").listeners.input({ target: { value: " /V1/Grants " } });
const seen = drawn.filter((one) => one.tagName === "DETAILS" && !one.hidden);
wanted(seen.length > 0 && seen.length < operations, "the filter hides the others");
console.log(`${operations} operations`);
