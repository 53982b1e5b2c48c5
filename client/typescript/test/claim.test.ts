import assert from "node:assert/strict";
import { test } from "node:test";

import { parseClaim } from "../src/claim.js";
import { knownAnswer, refusal } from "./support.js";

const GOOD = knownAnswer("auxiliary slack for an absolute value");

test("commitments of auxiliary vectors are left to the proof", () => {
  const claim = parseClaim(GOOD);
  assert.equal(claim.statement.auxiliary, 1);
  assert.equal(claim.commitments.length, 1);
  assert.equal(claim.name, GOOD.name);
  assert.equal(parseClaim({ ...GOOD, name: undefined }).name, "claim");
});

test("weights come in any order", () => {
  const rows = [{ bits: 8, constant: "-0x1", weights: [{ 7: "0x1", 3: "-0x2" }] }];
  const { statement } = parseClaim({ ...GOOD, vectors: 1, rows });
  assert.deepEqual(statement.rows, [{ bits: 8, constant: -1n, weights: [[[3, -2n], [7, 1n]]] }]);
});

test("what is no claim", () => {
  for (const document of [null, undefined, 3, "text", [], {}]) {
    assert.equal(refusal(() => parseClaim(document)).code, "MALFORMED");
  }
});

test("every field is needed, of its own kind", () => {
  for (const key of ["n", "vectors", "inputs", "rows", "context", "commitments", "proof"]) {
    for (const value of [undefined, null, {}, [null], "0x", "a", "AA", true, 1.5]) {
      const { code, step } = refusal(() => parseClaim({ ...GOOD, [key]: value }));
      assert.deepEqual([code, step], ["MALFORMED", undefined], `${key}: ${String(value)}`);
    }
  }
  assert.equal(refusal(() => parseClaim({ ...GOOD, name: 3 })).code, "MALFORMED");
});

test("every field of a row", () => {
  const row = { bits: 8, constant: "0x0", weights: [{}, {}] };
  const changes: Record<string, unknown>[] = [
    ...["8", null, 8.5].map((bits) => ({ bits })),
    ...[0, "0", "0xg", "0x", "--0x1", `0x${"f".repeat(97)}`].map((constant) => ({ constant })),
    ...[null, {}, [[], []], [{ "-1": "0x1" }, {}], [{ "01": "0x1" }, {}], [{ x: "0x1" }, {}]].map((weights) => ({ weights })),
    { weights: [{ 0: 1 }, {}] },
  ];
  for (const change of changes) {
    const rows = [{ ...row, ...change }];
    assert.equal(refusal(() => parseClaim({ ...GOOD, rows })).code, "MALFORMED", JSON.stringify(change));
  }
});
