/**
 * Section 6: the verifier, as a numbered list. The numbers are the same in the errors, in the Rust crate and in
 * docs/protocol.md.
 *
 * 1. the statement is well-formed (true of every {@link Statement})
 * 2. one commitment per input, each a valid point
 * 3. the proof has the length that the statement fixes
 * 4. every point of the proof is canonical, on the curve, in the subgroup and not infinity
 * 5. every scalar of the proof is below r
 * 6. the challenges follow from the transcript, and z lies outside H
 * 7. the evaluations and identities fold into one point F
 * 8. e(W_z + u·W_ωz, [τ]₂) = e(F, [1]₂)
 */

import { at } from "./arrays.js";
import { Domain, type EvaluationPoint } from "./domain.js";
import { ArgumentError, atStep } from "./errors.js";
import { mod, powers, scalarFromBytes } from "./field.js";
import { decodePoint, GENERATOR, type Point, Terms } from "./points.js";
import { type ProofBytes, splitProof } from "./proof.js";
import { evaluatePublicVectors } from "./public-vectors.js";
import { pairingsAgree } from "./setup.js";
import type { Statement } from "./statement.js";
import { type Challenges, drawChallenges } from "./transcript.js";

/**
 * Accepts silently, or refuses with the number of the step that failed.
 *
 * @param statement - The rows.
 * @param commitments - Those of the inputs, in order, 48 bytes each.
 * @param context - Everything the proof must be tied to, opaque here.
 * @param proof - The bytes of the proof.
 * @throws ArgumentError Any code of the steps above, with `step` set.
 */
export function verify(
  statement: Statement,
  commitments: readonly Uint8Array[],
  context: Uint8Array,
  proof: Uint8Array,
): void {
  const inputs = atStep(2, () => decodeCommitments(statement, commitments));
  const encoded = atStep(3, () => splitProof(statement.auxiliary, statement.columns, proof));
  const points = atStep(4, () => decodePoints(encoded));
  const scalars = atStep(5, () => decodeScalars(encoded));
  const drawn = drawChallenges(statement.digest, context, commitments, encoded);
  const atZ = atStep(6, () => outsideDomain(Domain.of(statement.n), drawn.z));
  const right = fold(statement, inputs, points, scalars, drawn, atZ).sum();
  const left = new Terms();
  left.add(1n, points.openingAtZ);
  left.add(drawn.u, points.openingAtNext);
  atStep(8, () => checkPairing(left.sum(), right));
}

/**
 * The challenges of a proof of the right length, whether it would be accepted or not.
 *
 * @throws ArgumentError COMMITMENT_COUNT, PROOF_LENGTH.
 */
export function challenges(
  statement: Statement,
  commitments: readonly Uint8Array[],
  context: Uint8Array,
  proof: Uint8Array,
): Challenges {
  atStep(2, () => checkCommitmentCount(statement, commitments));
  const encoded = atStep(3, () => splitProof(statement.auxiliary, statement.columns, proof));
  return drawChallenges(statement.digest, context, commitments, encoded);
}

/** Step 2. */
function decodeCommitments(statement: Statement, commitments: readonly Uint8Array[]): Point[] {
  checkCommitmentCount(statement, commitments);
  return commitments.map(decodePoint);
}

function checkCommitmentCount(statement: Statement, commitments: readonly Uint8Array[]): void {
  if (commitments.length !== statement.inputs) {
    throw new ArgumentError(
      "COMMITMENT_COUNT",
      `got ${commitments.length} commitments; send one for each of the ${statement.inputs} inputs, ` +
        "auxiliary ones travel in the proof",
    );
  }
}

/** The points of a proof. */
interface ProofPoints {
  readonly auxiliary: readonly Point[];
  readonly digits: readonly Point[];
  readonly multiplicities: Point;
  readonly inverses: readonly Point[];
  readonly tableInverse: Point;
  readonly accumulator: Point;
  readonly quotient: Point;
  readonly openingAtZ: Point;
  readonly openingAtNext: Point;
}

/** Step 4. */
function decodePoints(encoded: ProofBytes): ProofPoints {
  return {
    auxiliary: encoded.auxiliary.map(decodePoint),
    digits: encoded.digits.map(decodePoint),
    multiplicities: decodePoint(encoded.multiplicities),
    inverses: encoded.inverses.map(decodePoint),
    tableInverse: decodePoint(encoded.tableInverse),
    accumulator: decodePoint(encoded.accumulator),
    quotient: decodePoint(encoded.quotient),
    openingAtZ: decodePoint(encoded.openingAtZ),
    openingAtNext: decodePoint(encoded.openingAtNext),
  };
}

/** The scalars of a proof. */
interface ProofScalars {
  readonly digits: readonly bigint[];
  readonly accumulator: bigint;
}

/** Step 5. */
function decodeScalars(encoded: ProofBytes): ProofScalars {
  return {
    digits: encoded.digitEvaluations.map(scalarFromBytes),
    accumulator: scalarFromBytes(encoded.accumulatorEvaluation),
  };
}

/** Step 6: z ∉ H; inside H the quotient would not count. */
export function outsideDomain(domain: Domain, z: bigint): EvaluationPoint {
  const point = domain.evaluationPoint(z);
  if (point === undefined) {
    throw new ArgumentError("CHALLENGE_IN_DOMAIN", "the challenge z lies in the domain; make the proof again");
  }
  return point;
}

/** Step 7: F, the identity N = q·Z_H at z and both openings, folded with y, v and u. */
function fold(
  statement: Statement,
  inputs: readonly Point[],
  points: ProofPoints,
  scalars: ProofScalars,
  { beta, gamma, alpha, y, z, v, u }: Challenges,
  atZ: EvaluationPoint,
): Terms {
  const domain = Domain.of(statement.n);
  const known = evaluatePublicVectors(statement, gamma, atZ.lagrange);
  const yPowers = powers(y, statement.columns + 2);
  const vPowers = powers(v, statement.columns + 1);
  const yTable = at(yPowers, statement.columns);
  const ySum = at(yPowers, statement.columns + 1);
  const ySumAlpha = mod(ySum * alpha);
  const kappa = mod(alpha * mod(known.constants * domain.sizeInverse));
  const sum = new Terms();
  let constant = ySum * (scalars.accumulator + kappa) - u * scalars.accumulator;
  scalars.digits.forEach((digit, j) => {
    const [yj, vj] = [at(yPowers, j), at(vPowers, j + 1)];
    sum.add(mod(yj * (beta - digit) - ySum), at(points.inverses, j));
    sum.add(vj, at(points.digits, j));
    constant -= yj + mod(vj + ySumAlpha * at(known.places, j)) * digit;
  });
  sum.add(mod(yTable * (beta - known.table) + ySum), points.tableInverse);
  sum.add(mod(-yTable), points.multiplicities);
  sum.add(mod(u - ySum), points.accumulator);
  sum.add(mod(-atZ.vanishing), points.quotient);
  [...inputs, ...points.auxiliary].forEach((commitment, k) => {
    sum.add(mod(ySumAlpha * at(known.weights, k)), commitment);
  });
  sum.add(mod(constant), GENERATOR);
  sum.add(z, points.openingAtZ);
  sum.add(mod(mod(u * domain.generator) * z), points.openingAtNext);
  return sum;
}

/** Step 8. */
function checkPairing(left: Point, right: Point): void {
  if (!pairingsAgree(left, right)) {
    throw new ArgumentError(
      "PROOF_INVALID",
      "the proof does not show this statement for these commitments in this context; make one that does",
    );
  }
}
