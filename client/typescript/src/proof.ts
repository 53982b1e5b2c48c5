/** Section 5: the bytes of a proof. Its length is fixed by the statement, so there is nothing to parse. */

import { ArgumentError } from "./errors.js";
import { SCALAR_BYTES } from "./field.js";
import { POINT_BYTES } from "./points.js";

/** The elements of a proof, in the order of its bytes, none of them decoded. */
export interface ProofBytes {
  /** Commitments to the auxiliary vectors. */
  readonly auxiliary: readonly Uint8Array[];
  /** Digit columns d_j. */
  readonly digits: readonly Uint8Array[];
  /** m: how often each digit occurs. */
  readonly multiplicities: Uint8Array;
  /** φ_j = 1/(β − d_j). */
  readonly inverses: readonly Uint8Array[];
  /** φ_T = m/(β − t). */
  readonly tableInverse: Uint8Array;
  /** acc, the running sum. */
  readonly accumulator: Uint8Array;
  /** q = N/Z_H. */
  readonly quotient: Uint8Array;
  /** d_j(z). */
  readonly digitEvaluations: readonly Uint8Array[];
  /** acc(ωz). */
  readonly accumulatorEvaluation: Uint8Array;
  /** W_z. */
  readonly openingAtZ: Uint8Array;
  /** W_ωz. */
  readonly openingAtNext: Uint8Array;
}

/** The length of every proof of a statement with so many auxiliary vectors and digit columns. */
export function proofLength(auxiliary: number, columns: number): number {
  return POINT_BYTES * (auxiliary + 2 * columns + 6) + SCALAR_BYTES * (columns + 1);
}

/**
 * Cuts a proof into its elements.
 *
 * @throws ArgumentError PROOF_LENGTH.
 */
export function splitProof(auxiliary: number, columns: number, bytes: Uint8Array): ProofBytes {
  const length = proofLength(auxiliary, columns);
  if (bytes.length !== length) {
    throw new ArgumentError("PROOF_LENGTH", `got ${bytes.length} bytes; a proof of this statement has ${length}`);
  }
  let offset = 0;
  const take = (size: number): Uint8Array => bytes.subarray(offset, (offset += size));
  const point = (): Uint8Array => take(POINT_BYTES);
  const many = (count: number, element: () => Uint8Array): Uint8Array[] => Array.from({ length: count }, element);
  return {
    auxiliary: many(auxiliary, point),
    digits: many(columns, point),
    multiplicities: point(),
    inverses: many(columns, point),
    tableInverse: point(),
    accumulator: point(),
    quotient: point(),
    digitEvaluations: many(columns, () => take(SCALAR_BYTES)),
    accumulatorEvaluation: take(SCALAR_BYTES),
    openingAtZ: point(),
    openingAtNext: point(),
  };
}
