/** Answers to claims, for comparison with the Rust crate: one JSON claim a line in, one JSON verdict a line out. */

import { createInterface } from "node:readline";

import { type Claim, parseClaim } from "../src/claim.js";
import { ArgumentError } from "../src/errors.js";
import { challenges, verify } from "../src/verifier.js";

function answer(document: unknown): Record<string, unknown> {
  let claim: Claim | undefined;
  try {
    claim = parseClaim(document);
    verify(claim.statement, claim.commitments, claim.context, claim.proof);
    return { ...bytesOf(claim), code: null, step: null };
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    return { ...(claim && bytesOf(claim)), code: error.code, step: error.step ?? null };
  }
}

/** Digest and challenges, where there are any. */
function bytesOf({ statement, commitments, context, proof }: Claim): Record<string, unknown> {
  const digest = Buffer.from(statement.digest).toString("hex");
  if (commitments.length !== statement.inputs || proof.length !== statement.proofLength) return { digest };
  const drawn = Object.entries(challenges(statement, commitments, context, proof));
  return { digest, challenges: Object.fromEntries(drawn.map(([label, value]) => [label, value.toString()])) };
}

for await (const line of createInterface({ input: process.stdin })) {
  const document: unknown = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(answer(document))}\n`);
}
