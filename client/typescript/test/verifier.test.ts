import assert from "node:assert/strict";
import { test } from "node:test";

import { parseClaim } from "../src/claim.js";
import { Domain, DOMAIN_SIZES } from "../src/domain.js";
import { ArgumentError, atStep, CODES } from "../src/errors.js";
import { mod } from "../src/field.js";
import { challenges, outsideDomain, verify } from "../src/verifier.js";
import { knownAnswer, refusal } from "./support.js";

const { statement, commitments, context, proof } = parseClaim(knownAnswer("one vector, one column"));

test("challenges inside the domain are refused", () => {
  for (const n of DOMAIN_SIZES) {
    const domain = Domain.of(n);
    for (const z of [1n, domain.generator, domain.elements[n - 1] ?? 0n]) {
      assert.equal(refusal(() => outsideDomain(domain, z)).code, "CHALLENGE_IN_DOMAIN");
    }
    assert.equal(outsideDomain(domain, 7n).lagrange.length, n);
  }
});

test("Lagrange values interpolate: their sum is 1, that of L_i·ω^i is z", () => {
  for (const n of DOMAIN_SIZES) {
    const domain = Domain.of(n);
    const z = 123456789n;
    const { lagrange } = outsideDomain(domain, z);
    assert.equal(mod(lagrange.reduce((sum, value) => sum + value)), 1n);
    const first = lagrange.reduce((sum, value, index) => sum + value * (domain.elements[index] ?? 0n), 0n);
    assert.equal(mod(first), z);
  }
});

test("the steps are taken in their order", () => {
  const bad = proof.slice();
  bad.fill(0xff);
  const wrong = (count: number, bytes: Uint8Array): unknown =>
    refusal(() => verify(statement, Array<Uint8Array>(count).fill(bytes), context, bad.subarray(1)));
  const [commitment = new Uint8Array()] = commitments;
  assert.deepEqual(wrong(0, commitment), { code: "COMMITMENT_COUNT", step: 2, row: undefined });
  assert.deepEqual(wrong(2, commitment), { code: "COMMITMENT_COUNT", step: 2, row: undefined });
  assert.deepEqual(wrong(1, new Uint8Array(48)), { code: "POINT_ENCODING", step: 2, row: undefined });
  assert.deepEqual(wrong(1, commitment), { code: "PROOF_LENGTH", step: 3, row: undefined });
  assert.deepEqual(refusal(() => verify(statement, commitments, context, bad)).step, 4);
  const unreduced = proof.slice();
  unreduced.fill(0xff, 48 * 6, 48 * 6 + 64);
  assert.deepEqual(refusal(() => verify(statement, commitments, context, unreduced)).step, 5);
  assert.deepEqual(refusal(() => verify(statement, commitments, new Uint8Array(0), proof)).step, 8);
});

test("challenges need the right counts only", () => {
  assert.deepEqual(refusal(() => challenges(statement, [], context, proof)).code, "COMMITMENT_COUNT");
  assert.deepEqual(refusal(() => challenges(statement, commitments, context, proof.subarray(1))).code, "PROOF_LENGTH");
  assert.notEqual(challenges(statement, commitments, context, new Uint8Array(448)).u, 0n);
});

test("bytes of a larger buffer are read in their place", () => {
  const larger = Buffer.concat([Buffer.from("before"), proof, Buffer.from("after")]);
  verify(statement, commitments, Buffer.from(context), larger.subarray(6, 6 + proof.length));
});

test("errors tell code, row and step, and other faults pass unchanged", () => {
  const error = new ArgumentError("STATEMENT_WRAP", "use smaller weights", 3);
  assert.equal(error.message, "STATEMENT_WRAP: row 3: use smaller weights");
  assert.ok(CODES.includes(error.code));
  assert.equal(refusal(() => atStep(1, () => { throw error; })).step, 1);
  assert.throws(() => atStep(1, () => { throw new RangeError("a fault"); }), RangeError);
});
