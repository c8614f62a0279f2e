import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { expect, test } from "@playwright/test";

const html = await readFile(new URL("counter.html", import.meta.url));
const server = createServer((_, answer) => answer.end(html));

test.beforeAll(() => new Promise((ready) => server.listen(0, "127.0.0.1", ready)));
test.afterAll(() => server.close());

test("the button counts", async ({ page }) => {
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.getByRole("button").click();
  await expect(page.getByRole("button")).toHaveText("1");
});
