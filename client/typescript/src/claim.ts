/** A claim as JSON: one case of the known answers, or what was exported from a saved presentation. */

import { hexToBytes } from "@noble/hashes/utils.js";

import { ArgumentError } from "./errors.js";
import { type Row, Statement, type Term } from "./statement.js";

/** What is verified, and what it is called. */
export interface Claim {
  readonly name: string;
  readonly statement: Statement;
  /** Those of the inputs, 48 bytes each. */
  readonly commitments: readonly Uint8Array[];
  readonly context: Uint8Array;
  readonly proof: Uint8Array;
}

const INTEGER = /^-?0x[0-9a-f]{1,96}$/;
const INDEX = /^(?:0|[1-9][0-9]{0,8})$/;

/**
 * Reads a claim from parsed JSON: `n`, `vectors`, `inputs`, `rows`, `context`, `commitments` and `proof`, in the format
 * of core/vectors; other keys are left alone. Commitments beyond the inputs travel in the proof and are left out.
 *
 * @throws ArgumentError MALFORMED; else all of {@link Statement}, at step 1.
 */
export function parseClaim(document: unknown): Claim {
  const claim = record(document, "the claim");
  const inputs = integer(claim["inputs"], "inputs");
  const statement = new Statement({
    n: integer(claim["n"], "n"),
    vectors: integer(claim["vectors"], "vectors"),
    inputs,
    rows: list(claim["rows"], "rows").map(parseRow),
  });
  const commitments = list(claim["commitments"], "commitments");
  return {
    name: claim["name"] === undefined ? "claim" : text(claim["name"], "name"),
    statement,
    commitments: commitments.slice(0, inputs).map((commitment) => bytes(commitment, "commitments")),
    context: bytes(claim["context"], "context"),
    proof: bytes(claim["proof"], "proof"),
  };
}

function parseRow(document: unknown): Row {
  const row = record(document, "a row");
  return {
    bits: integer(row["bits"], "bits"),
    constant: bigInteger(row["constant"], "constant"),
    weights: list(row["weights"], "weights").map(parseTerms),
  };
}

/** An object has no order: indices are sorted here, which is the canonical form. */
function parseTerms(document: unknown): Term[] {
  const pairs = Object.entries(record(document, "the weights of a vector"));
  const terms = pairs.map(([index, weight]): Term => {
    if (!INDEX.test(index)) throw malformed("an index of weights");
    return [Number(index), bigInteger(weight, "a weight")];
  });
  return terms.sort(([first], [second]) => first - second);
}

function record(value: unknown, place: string): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw malformed(place);
  return { ...value };
}

function list(value: unknown, place: string): readonly unknown[] {
  if (!Array.isArray(value)) throw malformed(place);
  return value;
}

function integer(value: unknown, place: string): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value)) throw malformed(place);
  return value;
}

function text(value: unknown, place: string): string {
  if (typeof value !== "string") throw malformed(place);
  return value;
}

function bigInteger(value: unknown, place: string): bigint {
  const digits = text(value, place);
  if (!INTEGER.test(digits)) throw malformed(place);
  return digits.startsWith("-") ? -BigInt(digits.slice(1)) : BigInt(digits);
}

function bytes(value: unknown, place: string): Uint8Array {
  const digits = text(value, place);
  if (!/^(?:[0-9a-f]{2})*$/.test(digits)) throw malformed(place);
  return hexToBytes(digits);
}

function malformed(place: string): ArgumentError {
  return new ArgumentError("MALFORMED", `this is no claim: ${place} is missing or wrong; see core/vectors/FORMAT.md`);
}
