/** One error type with stable codes: those of the Rust crate, and MALFORMED for what is no claim at all. */

/** Why something was refused. The text of a code never changes its meaning. */
export const CODES = [
  "STATEMENT_SHAPE",
  "STATEMENT_NOT_CANONICAL",
  "STATEMENT_WEIGHT_RANGE",
  "STATEMENT_CONSTANT_RANGE",
  "STATEMENT_UNBOUND_AUXILIARY",
  "STATEMENT_WRAP",
  "COMMITMENT_COUNT",
  "POINT_ENCODING",
  "POINT_NOT_IN_SUBGROUP",
  "POINT_AT_INFINITY",
  "SCALAR_RANGE",
  "PROOF_LENGTH",
  "CHALLENGE_IN_DOMAIN",
  "PROOF_INVALID",
  "MALFORMED",
] as const;

/** One of {@link CODES}. */
export type Code = (typeof CODES)[number];

/** A step of the verifier, as docs/protocol.md numbers them. */
export type Step = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** A refusal: a stable code, a message that says what to do, and where it happened. */
export class ArgumentError extends Error {
  override readonly name = "ArgumentError";

  /**
   * @param code - The stable code.
   * @param text - What is wrong and what to do.
   * @param row - The row concerned, from 0.
   * @param step - The step of the verifier that refused; none for MALFORMED.
   */
  constructor(
    readonly code: Code,
    readonly text: string,
    readonly row?: number,
    readonly step?: Step,
  ) {
    super(`${code}: ${row === undefined ? "" : `row ${row}: `}${text}`);
  }
}

/** Runs one step of the verifier; its refusals carry the number. */
export function atStep<T>(step: Step, action: () => T): T {
  try {
    return action();
  } catch (error) {
    throw error instanceof ArgumentError ? new ArgumentError(error.code, error.text, error.row, step) : error;
  }
}
