import assert from "node:assert/strict";
import { test } from "node:test";

import { greeting } from "./greeting.mjs";

test("it names who is greeted", () => {
  assert.equal(greeting("you"), "hello, you");
});
