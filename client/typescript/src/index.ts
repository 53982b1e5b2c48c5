/**
 * The verifier of the linear-range argument: for committed integer vectors a₀ … and public integer rows it checks proofs
 * of 0 ≤ b_s + Σ_k ⟨W_{s,k}, a_k⟩ < 2^bits_s for every row s. docs/protocol.md of Marginproof specifies it to the byte.
 *
 * @module
 */

export { type Claim, parseClaim } from "./claim.js";
export { ArgumentError, type Code, CODES, type Step } from "./errors.js";
export { SETUP_DIGEST } from "./setup.js";
export { type Row, Statement, type StatementShape, type Term } from "./statement.js";
export type { Challenges } from "./transcript.js";
export { challenges, verify } from "./verifier.js";
