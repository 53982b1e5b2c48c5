import assert from "node:assert/strict";
import { test } from "node:test";

import { parseClaim } from "../src/claim.js";
import { SETUP_DIGEST } from "../src/setup.js";
import { challenges, verify } from "../src/verifier.js";
import { type Answer, knownAnswers, refusal } from "./support.js";

/** Reasons of linear-range.json, which states verdicts only; all other refusals there are PROOF_INVALID at step 8. */
const REFUSED: Readonly<Record<string, readonly [string, number]>> = {
  "a scalar not reduced modulo r": ["SCALAR_RANGE", 5],
  "point at infinity": ["POINT_AT_INFINITY", 4],
  "point outside the subgroup": ["POINT_NOT_IN_SUBGROUP", 4],
  "one byte too long": ["PROOF_LENGTH", 3],
  "2x - 1 = 0": ["STATEMENT_UNBOUND_AUXILIARY", 1],
};

function expected(answer: Answer): readonly [string | undefined, number | undefined] {
  if (answer.code !== undefined) return [answer.code, answer.step];
  return REFUSED[answer.name.split(": ")[1] ?? ""] ?? ["PROOF_INVALID", 8];
}

for (const [file, { setup_digest, cases }] of knownAnswers()) {
  test(`${file}: it is of this setup and has cases of both kinds`, () => {
    assert.equal(setup_digest, SETUP_DIGEST);
    assert.ok(cases.length >= 16);
    assert.equal(new Set(cases.map((each) => each.valid)).size, 2);
  });

  for (const answer of cases) {
    test(`${file}: ${answer.name}`, () => {
      const accept = (): void => {
        const { statement, commitments, context, proof } = parseClaim(answer);
        verify(statement, commitments, context, proof);
      };
      if (answer.valid) {
        accept();
        agreesOnBytes(answer);
      } else {
        const { code, step } = refusal(accept);
        assert.deepEqual([code, step], expected(answer));
      }
    });
  }
}

function agreesOnBytes(answer: Answer): void {
  const { statement, commitments, context, proof } = parseClaim(answer);
  assert.equal(Buffer.from(statement.digest).toString("hex"), answer.statement_digest);
  assert.equal(statement.proofLength, proof.length);
  const drawn = Object.entries(challenges(statement, commitments, context, proof));
  assert.deepEqual(Object.fromEntries(drawn.map(([label, value]) => [label, `0x${value.toString(16)}`])), answer.challenges);
}
