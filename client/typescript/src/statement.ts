/** Section 2: statements, their canonical form and digest. */

import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, utf8ToBytes } from "@noble/hashes/utils.js";

import { DOMAIN_SIZES } from "./domain.js";
import { ArgumentError, atStep } from "./errors.js";
import { mod, scalarToBytes } from "./field.js";
import { checkIntervals } from "./intervals.js";
import { proofLength } from "./proof.js";

/** Digits are base 256: rows take a whole number of bytes. */
export const DIGIT_BITS = 8;

const MAX_ROW_BITS = 128;
const MAX_COLUMNS = 64;
const MAX_CELLS = 1 << 16;

/** One weight: the index of an entry and what it is multiplied with. */
export type Term = readonly [index: number, weight: bigint];

/** One row: 0 ≤ constant + Σ weight · entry < 2^bits. */
export interface Row {
  /** A multiple of 8 from 8 to 128. */
  readonly bits: number;
  /** |constant| < 2^190. */
  readonly constant: bigint;
  /** One list per vector, indices strictly rising, 0 < |weight| < 2^64. */
  readonly weights: readonly (readonly Term[])[];
}

/** What a statement is made of. */
export interface StatementShape {
  /** The length of every vector: 256, 512, 1024 or 2048. */
  readonly n: number;
  /** V, all vectors; n·V ≤ 2^16. */
  readonly vectors: number;
  /** How many of the vectors the verifier is given; the rest are auxiliary, committed in the proof. */
  readonly inputs: number;
  /** At least one. */
  readonly rows: readonly Row[];
}

/**
 * A well-formed statement: its shape and canonical form are right and no row can wrap around modulo r. Make it once and
 * keep it: the analysis and the digest cost more than the arithmetic of a verification needs of it.
 */
export class Statement implements StatementShape {
  readonly n: number;
  readonly vectors: number;
  readonly inputs: number;
  readonly rows: readonly Row[];
  /** c, the digit columns. */
  readonly columns: number;
  private readonly digestBytes: Uint8Array;

  /**
   * Checks everything that makes a statement well-formed; it keeps a copy of the rows.
   *
   * @throws ArgumentError STATEMENT_SHAPE, STATEMENT_NOT_CANONICAL, STATEMENT_WEIGHT_RANGE, STATEMENT_CONSTANT_RANGE,
   * STATEMENT_UNBOUND_AUXILIARY, STATEMENT_WRAP; always at step 1.
   */
  constructor(shape: StatementShape) {
    this.n = shape.n;
    this.vectors = shape.vectors;
    this.inputs = shape.inputs;
    this.rows = atStep(1, () => checked(shape));
    this.columns = columns(this.n, this.rows);
    this.digestBytes = digest(this);
  }

  /** V − inputs. */
  get auxiliary(): number {
    return this.vectors - this.inputs;
  }

  /** SHA-256 of the canonical form, 32 bytes. */
  get digest(): Uint8Array {
    return this.digestBytes.slice();
  }

  /** The length of every proof of this statement, in bytes. */
  get proofLength(): number {
    return proofLength(this.auxiliary, this.columns);
  }
}

/** A copy of the rows, once everything holds. */
function checked(shape: StatementShape): readonly Row[] {
  checkShape(shape);
  const rows = shape.rows.map((row) => Object.freeze(copy(row)));
  rows.forEach((row, number) => checkRowShape(row, shape.vectors, number));
  requireShape(columns(shape.n, rows) <= MAX_COLUMNS, "the digits must fit 64 columns; split the statement");
  rows.forEach((row, number) => checkCanonical(row, shape.n, number));
  checkIntervals(shape.inputs, rows);
  return Object.freeze(rows);
}

function copy({ bits, constant, weights }: Row): Row {
  return { bits, constant, weights: weights.map((terms) => terms.map(([index, weight]) => [index, weight] as const)) };
}

function columns(n: number, rows: readonly Row[]): number {
  const digits = rows.reduce((sum, row) => sum + row.bits / DIGIT_BITS, 0);
  return Math.max(1, Math.ceil(digits / n));
}

function checkShape({ n, vectors, inputs, rows }: StatementShape): void {
  requireShape(DOMAIN_SIZES.includes(n), "n must be 256, 512, 1024 or 2048");
  const inputsFit = Number.isInteger(inputs) && inputs >= 1 && inputs <= vectors;
  requireShape(inputsFit, "the number of inputs must be 1 to the number of vectors");
  requireShape(n * vectors <= MAX_CELLS, "n times the number of vectors must not exceed 65536");
  requireShape(rows.length >= 1, "give at least one row");
}

function checkRowShape(row: Row, vectors: number, number: number): void {
  const whole = row.bits % DIGIT_BITS === 0 && row.bits >= DIGIT_BITS && row.bits <= MAX_ROW_BITS;
  requireShape(whole, "bits must be a multiple of 8 from 8 to 128", number);
  requireShape(row.weights.length === vectors, "give one list of weights per vector", number);
  requireShape(typeof row.constant === "bigint", "the constant must be a bigint", number);
}

function checkCanonical(row: Row, n: number, number: number): void {
  for (const terms of row.weights) {
    const inside = terms.every(([index]) => Number.isInteger(index) && index >= 0 && index < n);
    requireShape(inside, "every index must be below n", number);
    requireShape(terms.every(([, weight]) => typeof weight === "bigint"), "every weight must be a bigint", number);
    const rising = terms.every(([index], place) => index > (terms[place - 1]?.[0] ?? -1));
    requireCanonical(rising, "indices must rise strictly", number);
    requireCanonical(terms.every(([, weight]) => weight !== 0n), "leave weights of zero out", number);
  }
}

function requireShape(condition: boolean, rule: string, row?: number): void {
  if (!condition) throw new ArgumentError("STATEMENT_SHAPE", rule, row);
}

function requireCanonical(condition: boolean, rule: string, row: number): void {
  if (!condition) throw new ArgumentError("STATEMENT_NOT_CANONICAL", rule, row);
}

function digest({ n, vectors, inputs, rows }: StatementShape): Uint8Array {
  const hash = sha256.create().update(utf8ToBytes("marginproof/statement/v1"));
  for (const count of [n, vectors, inputs, rows.length]) hash.update(u32(count));
  for (const row of rows) {
    hash.update(Uint8Array.of(row.bits)).update(scalarToBytes(mod(row.constant)));
    for (const terms of row.weights) {
      const encoded = terms.flatMap(([index, weight]) => [u32(index), scalarToBytes(mod(weight))]);
      hash.update(concatBytes(u32(terms.length), ...encoded));
    }
  }
  return hash.digest();
}

function u32(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}
