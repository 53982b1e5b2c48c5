/**
 * Section 2, no wrap-around: an analysis that makes every row speak about integers.
 *
 * Rows are proven modulo r, so a row says something about integers only while none of its values can reach r/2. Entries
 * of auxiliary vectors are arbitrary field elements until a row with weight ±1 binds them: without that rule
 * x = 2^(−1) mod r would prove 2x − 1 = 0.
 */

import { ArgumentError } from "./errors.js";
import type { Row } from "./statement.js";

const WEIGHT_LIMIT = 1n << 64n;
const CONSTANT_LIMIT = 1n << 190n;
const WRAP_LIMIT = 1n << 253n;
const INPUT_BOUND = 1n << 63n;

interface Entry {
  readonly vector: number;
  readonly index: number;
  readonly weight: bigint;
}

/**
 * Refuses rows that could wrap around modulo r.
 *
 * @throws ArgumentError STATEMENT_WEIGHT_RANGE, STATEMENT_CONSTANT_RANGE, STATEMENT_UNBOUND_AUXILIARY, STATEMENT_WRAP.
 */
export function checkIntervals(inputs: number, rows: readonly Row[]): void {
  rows.forEach(checkSizes);
  const bounds = new Bounds(inputs);
  rows.forEach((row, number) => bounds.bind(row, number));
  rows.forEach((row, number) => checkBound(bounds.unbound(row)[0], number));
  rows.forEach((row, number) => checkWrap(bounds.ofRow(row), number));
}

function checkSizes(row: Row, number: number): void {
  if (row.weights.some((terms) => terms.some(([, weight]) => magnitude(weight) >= WEIGHT_LIMIT))) {
    throw new ArgumentError("STATEMENT_WEIGHT_RANGE", "a weight reaches 2^64; use a coarser unit", number);
  }
  if (magnitude(row.constant) >= CONSTANT_LIMIT) {
    throw new ArgumentError("STATEMENT_CONSTANT_RANGE", "the constant reaches 2^190; use a coarser unit", number);
  }
}

function checkBound(unbound: Entry | undefined, number: number): void {
  if (unbound === undefined) return;
  const text =
    `no row binds entry ${unbound.index} of auxiliary vector ${unbound.vector}; ` +
    "add an earlier row in which it is the only unbound one, with weight 1 or -1";
  throw new ArgumentError("STATEMENT_UNBOUND_AUXILIARY", text, number);
}

function checkWrap(bound: bigint, number: number): void {
  if (bound >= WRAP_LIMIT) {
    const text = "a value could reach 2^253 and wrap around; use smaller weights or shorter chains of bindings";
    throw new ArgumentError("STATEMENT_WRAP", text, number);
  }
}

/** What is known about the absolute values of entries. */
class Bounds {
  private readonly auxiliary = new Map<string, bigint>();

  constructor(private readonly inputs: number) {}

  /** The unbound entries of a row. */
  unbound(row: Row): Entry[] {
    return entries(row).filter((entry) => this.of(entry) === undefined);
  }

  /** A row with exactly one unbound entry, of weight ±1, binds it. */
  bind(row: Row, number: number): void {
    const [only, ...more] = this.unbound(row);
    if (only === undefined || more.length > 0 || magnitude(only.weight) !== 1n) return;
    const bound = this.ofRow(row);
    checkWrap(bound, number);
    this.auxiliary.set(key(only), bound);
  }

  /** |b| + 2^bits + Σ |w| · bound over the entries of a row; what is unbound yet counts nothing. */
  ofRow(row: Row): bigint {
    const start = magnitude(row.constant) + (1n << BigInt(row.bits));
    return entries(row).reduce((sum, entry) => sum + magnitude(entry.weight) * (this.of(entry) ?? 0n), start);
  }

  private of(entry: Entry): bigint | undefined {
    return entry.vector < this.inputs ? INPUT_BOUND : this.auxiliary.get(key(entry));
  }
}

function key(entry: Entry): string {
  return `${entry.vector}/${entry.index}`;
}

function entries(row: Row): Entry[] {
  return row.weights.flatMap((terms, vector) => terms.map(([index, weight]) => ({ vector, index, weight })));
}

function magnitude(value: bigint): bigint {
  return value < 0n ? -value : value;
}
