import assert from "node:assert/strict";
import { test } from "node:test";

import { type Row, Statement, type StatementShape, type Term } from "../src/statement.js";
import { refusal } from "./support.js";

function row(bits: number, constant: bigint, ...weights: Term[][]): Row {
  return { bits, constant, weights };
}

function shape(rows: readonly Row[], changes: Partial<StatementShape> = {}): StatementShape {
  return { n: 256, vectors: rows[0]?.weights.length ?? 1, inputs: 1, rows, ...changes };
}

function codeOf(statement: StatementShape): string {
  const { code, step } = refusal(() => new Statement(statement));
  assert.equal(step, 1);
  return code;
}

const GOOD = row(64, 1n, [[3, 1n]]);

test("shape", () => {
  for (const n of [0, 1, 128, 255, 256.5, 4096, NaN]) assert.equal(codeOf(shape([GOOD], { n })), "STATEMENT_SHAPE");
  for (const vectors of [0, -1, 1.5, 2, 257]) assert.equal(codeOf(shape([GOOD], { vectors })), "STATEMENT_SHAPE");
  for (const inputs of [0, -1, 0.5, 2, NaN]) assert.equal(codeOf(shape([GOOD], { inputs })), "STATEMENT_SHAPE");
  assert.equal(codeOf(shape([])), "STATEMENT_SHAPE");
  for (const bits of [0, 4, 12, 136, -8, NaN]) assert.equal(codeOf(shape([row(bits, 0n, [])])), "STATEMENT_SHAPE");
  for (const index of [256, -1, 1.5, NaN]) assert.equal(codeOf(shape([row(8, 0n, [[index, 1n]])])), "STATEMENT_SHAPE");
  assert.equal(codeOf(shape([GOOD, row(8, 0n, [], [])])), "STATEMENT_SHAPE");
});

test("numbers where integers of any size belong", () => {
  const number = 1 as unknown as bigint;
  assert.equal(codeOf(shape([row(8, number, [])])), "STATEMENT_SHAPE");
  assert.equal(codeOf(shape([row(8, 0n, [[0, number]])])), "STATEMENT_SHAPE");
});

test("n·V ends at 2^16 and the columns at 64", () => {
  const wide = row(8, 0n, ...Array.from({ length: 256 }, () => []));
  assert.equal(new Statement(shape([wide])).vectors, 256);
  assert.equal(codeOf(shape([row(8, 0n, ...wide.weights.map(() => []), [])])), "STATEMENT_SHAPE");
  const full = Array.from({ length: 64 * 16 }, () => row(128, 0n, []));
  assert.equal(new Statement(shape(full)).columns, 64);
  assert.equal(codeOf(shape([...full, row(8, 0n, [])])), "STATEMENT_SHAPE");
});

test("canonical form", () => {
  for (const terms of [[[3, 1n], [3, 1n]], [[3, 1n], [2, 1n]], [[3, 0n]]] as Term[][]) {
    assert.equal(codeOf(shape([row(8, 0n, terms)])), "STATEMENT_NOT_CANONICAL");
  }
});

test("ranges of weights and constants", () => {
  const weight = (1n << 64n) - 1n;
  const constant = (1n << 190n) - 1n;
  new Statement(shape([row(8, constant, [[0, weight]]), row(8, -constant, [[0, -weight]])]));
  for (const sign of [1n, -1n]) {
    assert.equal(codeOf(shape([row(8, 0n, [[0, sign * (weight + 1n)]])])), "STATEMENT_WEIGHT_RANGE");
    assert.equal(codeOf(shape([row(8, sign * (constant + 1n), [])])), "STATEMENT_CONSTANT_RANGE");
  }
});

test("an auxiliary entry is bound by a row in which it alone is unbound, with weight 1 or -1", () => {
  const binding = row(64, 0n, [], [[0, -1n]]);
  new Statement(shape([binding, row(64, -1n, [], [[0, 2n]])]));
  assert.equal(codeOf(shape([row(64, -1n, [], [[0, 2n]])])), "STATEMENT_UNBOUND_AUXILIARY");
  assert.equal(codeOf(shape([row(64, 0n, [], [[0, 1n], [1, 1n]])])), "STATEMENT_UNBOUND_AUXILIARY");
  const late = [row(64, 0n, [], [[0, 1n], [1, 1n]]), row(64, 0n, [], [[0, 1n]])];
  assert.equal(codeOf(shape(late)), "STATEMENT_UNBOUND_AUXILIARY", "the first row is not visited again");
  const rest = [row(64, 0n, [], [[0, 1n], [1, 1n]]), row(64, 0n, [], [[1, 1n]])];
  assert.equal(codeOf(shape(rest)), "STATEMENT_UNBOUND_AUXILIARY", "nor did it bind the other entry");
  const other = [row(64, 0n, [], [[0, 1n]], []), row(64, 0n, [], [], [[0, 2n]])];
  assert.equal(codeOf(shape(other)), "STATEMENT_UNBOUND_AUXILIARY", "the same index of another vector");
});

test("an unused auxiliary entry needs no row, an input entry none either", () => {
  new Statement(shape([row(64, 0n, [[5, 2n], [6, 2n]], [])]));
});

/** Entries 0 … links, each bound to about 2^63 times the one before. */
function chain(links: number): Row[] {
  const weight = 1n << 63n;
  const rows = Array.from({ length: links }, (_, link) => row(8, 0n, [], [[link, -weight], [link + 1, 1n]]));
  return [row(8, 0n, [], [[0, 1n]]), ...rows];
}

test("bounds end below 2^253", () => {
  new Statement(shape(chain(3))); // 2^8·2^189 and less
  const { code, row: number } = refusal(() => new Statement(shape(chain(5))));
  assert.deepEqual([code, number], ["STATEMENT_WRAP", 4]);
  const last: Term[] = [[3, 1n << 55n]];
  new Statement(shape([...chain(3), row(8, 0n, [], last)]));
  assert.equal(codeOf(shape([...chain(3), row(8, 0n, [], [[3, 1n << 56n]])])), "STATEMENT_WRAP", "not a binding row");
});

test("a statement keeps what it checked", () => {
  const terms: Term[] = [[3, 1n]];
  const rows = [row(64, 1n, terms)];
  const statement = new Statement(shape(rows));
  const digest = Buffer.from(statement.digest).toString("hex");
  terms.push([0, 1n << 70n]);
  rows.push(GOOD);
  statement.digest.fill(0);
  assert.equal(statement.rows.length, 1);
  assert.equal(statement.rows[0]?.weights[0]?.length, 1);
  assert.equal(Buffer.from(statement.digest).toString("hex"), digest);
});
