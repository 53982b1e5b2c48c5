import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { GENERATOR } from "../src/points.js";
import { ONE_G2, pairingsAgree, SETUP_DIGEST, TAU_G2 } from "../src/setup.js";
import { decodePoint, POINT_BYTES, Terms } from "../src/points.js";
import { ROOT } from "./support.js";

const G1_POWERS = 4096;
const G2_POWERS = 65;
const G2_BYTES = 96;
const setup = readFileSync(new URL("core/crates/argument/data/setup.bin", ROOT));

function g1(power: number): Buffer {
  return setup.subarray(POINT_BYTES * power, POINT_BYTES * (power + 1));
}

function g2(power: number): string {
  const start = POINT_BYTES * G1_POWERS + G2_BYTES * power;
  return setup.subarray(start, start + G2_BYTES).toString("hex");
}

test("the constants are those of the Rust crate's setup", () => {
  assert.equal(setup.length, POINT_BYTES * G1_POWERS + G2_BYTES * G2_POWERS);
  assert.equal(createHash("sha256").update(setup).digest("hex"), SETUP_DIGEST);
  assert.equal(GENERATOR.toHex(), g1(0).toString("hex"));
  assert.deepEqual([ONE_G2, TAU_G2], [g2(0), g2(1)]);
});

test("the pairing check tells consecutive powers from others", () => {
  const [tau, square] = [decodePoint(g1(1)), decodePoint(g1(2))];
  assert.ok(pairingsAgree(GENERATOR, tau));
  assert.ok(pairingsAgree(tau, square));
  assert.ok(!pairingsAgree(tau, tau));
  assert.ok(!pairingsAgree(GENERATOR, square));
});

test("infinity pairs to one", () => {
  const infinity = GENERATOR.subtract(GENERATOR);
  assert.ok(pairingsAgree(infinity, infinity));
  assert.ok(!pairingsAgree(infinity, GENERATOR));
  assert.ok(!pairingsAgree(GENERATOR, infinity));
});

test("sums of multiples", () => {
  const terms = new Terms();
  terms.add(5n, GENERATOR);
  terms.add(0n, decodePoint(g1(1)));
  terms.add(2n, GENERATOR);
  assert.ok(terms.sum().equals(GENERATOR.multiplyUnsafe(7n)));
});
