/** What both sides know, at z: the table t, the folded weights U_k, the digit places P_j; and Σ γ^s b_s. */

import { at } from "./arrays.js";
import { mod } from "./field.js";
import { DIGIT_BITS, type Row, type Statement, type Term } from "./statement.js";

/** Digits lie in [0, 256): the table holds i at i < 256 and 0 elsewhere. */
const TABLE_SIZE = 256;

/** The public vectors at z. */
export interface PublicEvaluations {
  /** t(z). */
  readonly table: bigint;
  /** U_k(z). */
  readonly weights: readonly bigint[];
  /** P_j(z). */
  readonly places: readonly bigint[];
  /** Σ γ^s b_s. */
  readonly constants: bigint;
}

/** Inner products with L_i(z); sums of integers are reduced once each. */
export function evaluatePublicVectors(
  statement: Statement,
  gamma: bigint,
  lagrange: readonly bigint[],
): PublicEvaluations {
  const weights = new Array<bigint>(statement.vectors).fill(0n);
  const places = new Array<bigint>(statement.columns).fill(0n);
  let constants = 0n;
  let power = 1n;
  let position = 0;
  for (const row of statement.rows) {
    row.weights.forEach((terms, vector) => {
      weights[vector] = at(weights, vector) + power * mod(innerProduct(terms, lagrange));
    });
    for (const [column, place] of digitPlaces(row, position, lagrange)) {
      places[column] = at(places, column) + power * mod(place);
    }
    constants += power * row.constant;
    power = mod(power * gamma);
    position += row.bits / DIGIT_BITS;
  }
  return { table: tableAt(lagrange), weights: weights.map(mod), places: places.map(mod), constants: mod(constants) };
}

function innerProduct(terms: readonly Term[], lagrange: readonly bigint[]): bigint {
  let sum = 0n;
  for (const [index, weight] of terms) sum += weight * at(lagrange, index);
  return sum;
}

/** Σ 256^e·L_i(z) over the cells of a row's digits e, column by column. */
function* digitPlaces(row: Row, position: number, lagrange: readonly bigint[]): Generator<[number, bigint]> {
  const n = lagrange.length;
  const digits = row.bits / DIGIT_BITS;
  for (let digit = 0; digit < digits; ) {
    const start = (position + digit) % n;
    const count = Math.min(digits - digit, n - start);
    let sum = 0n;
    for (let cell = start + count - 1; cell >= start; cell--) sum = (sum << BigInt(DIGIT_BITS)) + at(lagrange, cell);
    yield [Math.floor((position + digit) / n), sum << BigInt(DIGIT_BITS * digit)];
    digit += count;
  }
}

function tableAt(lagrange: readonly bigint[]): bigint {
  let sum = 0n;
  for (let value = 1; value < TABLE_SIZE; value++) sum += BigInt(value) * at(lagrange, value);
  return mod(sum);
}
