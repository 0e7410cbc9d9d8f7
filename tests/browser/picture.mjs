// Draws the README's picture of the access page from the demo's organization. From the root:
//   cargo run -- demo && npm ci --prefix tests/browser && node tests/browser/picture.mjs access.html
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox", "--disable-gpu"] });
const page = await browser.newPage({ viewport: { width: 1200, height: 1500 }, colorScheme: "light" });
await page.goto(pathToFileURL(resolve(process.argv[2])).href);
const { y, height } = await page.locator("#pictures").boundingBox();
await page.screenshot({
  fullPage: true,
  path: resolve(import.meta.dirname, "../../docs/images/access.png"),
  clip: { x: 0, y: 0, width: 1200, height: Math.round(y + height) },
});
await browser.close();
