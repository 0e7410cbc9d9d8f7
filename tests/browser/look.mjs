// Looks at access pages with Debian's Chromium: `node look.mjs PAGES SCREENSHOTS`.
// PAGES holds demo.html, hostile.html, empty.html, many.html and large.html; tests/it/access/browser.rs
// makes them, runs this, and fails with what it says.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [pages, screenshots] = process.argv.slice(2).map((path) => resolve(path));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

// Opens a page; afterwards nothing has been asked for but the page, and nobody complained.
async function open(name, options, look) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`error: ${error}`));
  page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  const address = pathToFileURL(join(pages, `${name}.html`)).href;
  // A busy machine may take long for ten thousand people; how long the page itself takes is measured below.
  await page.goto(address, { timeout: 300_000 });
  try {
    await look(page, address);
    assert.deepEqual(complaints, [], `${name} complains`);
    assert.deepEqual(asked.map((url) => url.split("#")[0]).filter((url) => url !== address), [], `${name} asks for`);
  } catch (error) {
    await page.screenshot({ path: join(screenshots, `failed-${name}.png`) });
    throw error;
  } finally {
    await context.close();
  }
}

// axe runs in the page's own world only where the policy lets it: as a script of the browser's.
async function accessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations.filter(({ impact }) => impact === "serious" || impact === "critical");
  const told = serious.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html).join(" | ")}`);
  assert.deepEqual(told, [], `axe on ${what}`);
}

const shown = (page) =>
  page.$$eval("#people-by-roles tbody tr", (rows) =>
    rows.filter((row) => row.offsetParent !== null).map((row) => row.querySelector("a").textContent));

for (const width of [1280, 390]) {
  for (const colorScheme of ["light", "dark"]) {
    await open("demo", { viewport: { width, height: 900 }, colorScheme, reducedMotion: "reduce" }, async (page) => {
      await accessible(page, `demo, ${width}, ${colorScheme}`);
      // Nothing but what scrolls by itself is wider than the window.
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${width} is too narrow`);
      await page.screenshot({ path: join(screenshots, `demo-${width}-${colorScheme}.png`), fullPage: true });
    });
  }
}

await open("demo", {}, async (page) => {
  const everybody = await shown(page);
  assert.equal(everybody.length, 24);
  await page.fill("#search", "elodie");
  await page.waitForFunction(() => document.getElementById("found").textContent.startsWith("1 of"));
  assert.deepEqual(await shown(page), ["Élodie Martin"]);
  await page.fill("#search", "marlow.example zzz");
  await page.waitForSelector("#none:visible");
  await page.click("#reset");
  assert.deepEqual(await shown(page), everybody);

  await page.selectOption("#by-role", { label: "Platform Engineering" });
  const engineers = await shown(page);
  await page.selectOption("#by-way", { label: "by hand" });
  assert.deepEqual(await shown(page), ["Søren Eriksen"]);
  await page.selectOption("#by-way", { label: "through a group" });
  await page.selectOption("#by-group", { label: "On call" });
  assert.deepEqual(await shown(page), ["Carla Rossi", "Goran Petrov", "Priya Raman"]);
  assert.ok(engineers.length > 3);
  await page.click("#reset");
  await page.selectOption("#by-way", { label: "by hand" });
  assert.ok((await shown(page)).includes("Ada Marlow"));
  await page.click("#reset");

  // The headings stay where they can be seen.
  await page.$eval(".scroll.tall", (box) => box.scrollTo(0, box.scrollHeight));
  const [head, box] = await page.evaluate(() =>
    [document.querySelector(".matrix thead th"), document.querySelector(".scroll.tall")].map((it) => it.getBoundingClientRect().top));
  assert.ok(Math.abs(head - box) < 3, `${head} ${box}`);

  // One person's detail can be linked to, also where a filter hides it.
  await page.fill("#search", "priya");
  await page.waitForFunction(() => document.getElementById("found").textContent.startsWith("1 of"));
  await page.evaluate(() => { location.hash = "#user/carla-rossi"; });
  await page.waitForFunction(() => document.activeElement?.id === "user/carla-rossi");
  const card = await page.innerText("[id='user/carla-rossi']");
  assert.match(card, /Carla Rossi[\s\S]*On call[\s\S]*member[\s\S]*Incident Response[\s\S]*through group On call/);
  assert.equal(await page.inputValue("#search"), "");
});

// By keyboard alone: the first stop skips to the matrix, and its filters follow.
await open("demo", {}, async (page) => {
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to who has what");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.id), "search");
  await page.keyboard.type("soren");
  await page.waitForFunction(() => document.getElementById("found").textContent.startsWith("1 of"));
});

await open("demo", { javaScriptEnabled: false }, async (page) => {
  assert.equal(await page.locator("#people-by-roles tbody tr:visible").count(), 24);
  assert.equal(await page.locator(".filters:visible").count(), 0);
  assert.match(await page.locator("#people-by-roles tr", { hasText: "Daniel Weiss" }).innerText(), /direct and through group/);
  await page.emulateMedia({ media: "print" });
  await page.screenshot({ path: join(screenshots, "demo-print.png"), fullPage: true });
});

// Names that are markup, script or a way out of an attribute stay names.
await open("hostile", {}, async (page) => {
  await accessible(page, "hostile");
  const names = await page.$$eval("#people-by-roles tbody th a", (links) => links.map((link) => link.textContent));
  const expected = JSON.parse(readFileSync(join(pages, "hostile.json"), "utf8"));
  assert.deepEqual(names.toSorted(), expected.toSorted());
  assert.equal(await page.evaluate(() => window.reached), undefined);
  assert.equal(await page.locator("img, iframe, object, embed, form, link, base, body script").count(), 0);
  // Even a script that got in would not run, nor a style apply, nor anything be loaded.
  const refused = await page.evaluate(async () => {
    const violations = [];
    document.addEventListener("securitypolicyviolation", (event) => violations.push(event.effectiveDirective));
    const script = document.createElement("script");
    script.textContent = "window.reached = true";
    const style = document.createElement("style");
    style.textContent = "body { display: none }";
    const image = document.createElement("img");
    image.src = "https://example.test/x.png";
    const base = document.createElement("base");
    base.href = "https://example.test/";
    document.head.append(script, style, base);
    document.body.append(image);
    image.setAttribute("onerror", "window.reached = true");
    await new Promise((done) => setTimeout(done, 300));
    const result = [window.reached, getComputedStyle(document.body).display, document.baseURI.startsWith("file:")];
    for (const it of [script, style, image, base]) it.remove();
    return [...result, new Set(violations).size >= 4];
  });
  assert.deepEqual(refused, [undefined, "block", true, true]);
}).catch((error) => {
  // The refusals themselves are told on the console; anything else is not expected.
  if (!/hostile complains/.test(error.message)) throw error;
  for (const complaint of error.actual) assert.match(complaint, /Content Security Policy/);
});

// However many roles there are, the page is no wider than the window.
for (const width of [390, 800, 1280]) {
  await open("many", { viewport: { width, height: 900 } }, async (page) => {
    await accessible(page, `many, ${width}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= width, `many roles make the page ${wide} wide at ${width}`);
    assert.match(await page.innerText("#matrix .legend"), /D\s+by hand/);
  });
}

// A name that runs from right to left leaves what stands behind it where it is.
await open("many", {}, async (page) => {
  const turned = await page.$$eval(".flow text", (texts) =>
    texts
      .filter((text) => /[\u0590-\u06ff]/.test(text.textContent))
      .map((text) => {
        const from = text.textContent.length - text.querySelector("tspan").textContent.length;
        return text.getExtentOfChar(from).x > text.getExtentOfChar(1).x;
      }));
  assert.ok(turned.length > 0 && turned.every(Boolean), `${turned}`);
  const titles = await page.$$eval("td[title], svg title", (all) => all.map((it) => it.title || it.textContent));
  for (const title of titles) assert.doesNotMatch(title.replaceAll(/\u2068[^\u2069]*\u2069/g, ""), /[\u0590-\u06ff]/, title);
});

// On paper, A4 and letter: nothing is cut off, nothing is closed, colours and names are there.
for (const [paper, width] of [["A4", 718], ["letter", 740]]) {
  for (const name of ["demo", "many"]) {
    for (const javaScriptEnabled of [true, false]) {
      await open(name, { viewport: { width, height: 1000 }, javaScriptEnabled }, async (page) => {
        await page.emulateMedia({ media: "print" });
        const right = await page.$$eval("main th, main td, main p, main li, main dd", (all) =>
          Math.max(...all.map((it) => it.getBoundingClientRect().right)));
        assert.ok(right <= width + 1, `${name} on ${paper} is ${right} wide`);
        const closed = await page.$$eval("details li, details dt, details td", (all) =>
          all.filter((it) => it.getBoundingClientRect().height === 0 || !it.checkVisibility({ contentVisibilityAuto: true })).length);
        assert.equal(closed, 0, `${name} on ${paper} prints something closed`);
        const keys = await page.$$eval(".key", (all) => all.map((it) => getComputedStyle(it).printColorAdjust));
        assert.ok(keys.length > 0 && keys.every((it) => it === "exact"), `${keys}`);
        if (name === "many") {
          // Every role that somebody holds stands beside the name, in words.
          const cells = await page.$$eval("#people-by-roles td[title]", (all) =>
            all.map((it) => [it.title, getComputedStyle(it, "::before").content, it.getBoundingClientRect().height > 0]));
          assert.ok(cells.length > 100);
          for (const [title, content, seen] of cells) {
            assert.ok(seen);
            assert.ok(content.includes(title.slice(0, 12)) || content.includes("attr("), `${title}: ${content}`);
          }
        }
      });
    }
  }
}

await open("empty", {}, async (page) => {
  await accessible(page, "empty");
  assert.match(await page.innerText("#matrix"), /There are no people here/);
  await page.screenshot({ path: join(screenshots, "empty.png"), fullPage: true });
});

// 10,000 people and 100 roles stay usable: in seconds of the page's own work, on however busy a machine.
await open("large", {}, async (page) => {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  const worked = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    return metrics.find(({ name }) => name === "TaskDuration").value;
  };
  await page.reload({ timeout: 300_000 });
  await page.waitForFunction(() => document.getElementById("found").textContent !== "", null, { timeout: 300_000 });
  const loaded = await worked();
  assert.equal(await page.locator("#people-by-roles tbody tr").count(), 10_000);
  assert.equal((await shown(page)).length, 200);
  assert.match(await page.innerText(".note"), /everybody and everything has[\s\S]*--format json/);
  const before = await worked();
  await page.selectOption("#by-role", "7");
  await page.waitForFunction(() => document.getElementById("found").textContent.includes(" of 10000 people"));
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done))));
  const filtered = (await worked()) - before;
  console.log(`10,000 people × 100 roles: loaded in ${loaded.toFixed(2)} s, filtered in ${filtered.toFixed(2)} s of work`);
  assert.ok(loaded < 15 && filtered < 1.5, `${loaded} ${filtered}`);
  await page.click("#reset");
  await page.locator("#matrix").scrollIntoViewIfNeeded();
  await page.screenshot({ path: join(screenshots, "large.png"), timeout: 300_000 });
});

await browser.close();
