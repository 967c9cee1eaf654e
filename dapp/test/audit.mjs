// Whether a page is for everybody: WCAG by axe-core, and room for it on a narrow screen.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { tool } from "./harness.mjs";

const AXE = await readFile(tool.resolve("axe-core/axe.min.js"), "utf8");
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
const GRAVE = ["serious", "critical"];
export const NARROW = { width: 320, height: 640 };

/** The page as it is shown, with what lies on it. */
export async function audit({ page, context }, where) {
  const cdp = await context.newCDPSession(page);
  // Beside the page's policy, which lets nothing be added.
  await cdp.send("Runtime.evaluate", { expression: AXE });
  await cdp.detach();
  await page.evaluate(() => {
    // What turns for as long as something is under way has no end.
    const ending = document.getAnimations().filter(({ effect }) => effect.getComputedTiming().endTime < Infinity);
    return Promise.all(ending.map((animation) => animation.finished.then(() => {}, () => {})));
  });
  const { violations } = await page.evaluate((values) => globalThis.axe.run(document, { runOnly: { type: "tag", values } }), TAGS);
  const told = violations.filter(({ impact }) => GRAVE.includes(impact));
  const lines = told.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n  ${failureSummary}`));
  assert.deepEqual(lines, [], `${where}: ${lines.join("\n")}`);
  assert.equal(await page.getByRole("heading", { level: 1 }).count(), 1, `${where}: one heading of the page`);
}

/** How far the page, or a dialog on it, runs over the side: in pixels. */
export function over({ page }) {
  return page.evaluate(() => {
    const boxes = [document.documentElement, ...document.querySelectorAll("dialog[open], :popover-open")];
    const sides = boxes.map((box) => {
      const { left, right } = box.getBoundingClientRect();
      return Math.max(box.scrollWidth - box.clientWidth, right - innerWidth, -left);
    });
    return Math.floor(Math.max(...sides));
  });
}

/** Both, as it is shown and as a narrow screen shows it. */
export async function look(person, where) {
  const { page } = person;
  const size = page.viewportSize();
  await audit(person, where);
  await page.setViewportSize(NARROW);
  const pixels = await over(person);
  await page.setViewportSize(size);
  assert.ok(pixels <= 0, `${where} runs ${pixels} pixels over the side of a narrow screen`);
}
