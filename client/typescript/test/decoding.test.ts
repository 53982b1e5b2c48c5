import assert from "node:assert/strict";
import { test } from "node:test";

import { ORDER, scalarFromBytes, scalarToBytes } from "../src/field.js";
import { decodePoint, GENERATOR } from "../src/points.js";
import { proofLength, splitProof } from "../src/proof.js";
import { refusal } from "./support.js";

const P = 0x1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaabn;
const COMPRESSED = 1n << 383n;
const INFINITY = 1n << 382n;
const LARGER_Y = 1n << 381n;

function encode(integer: bigint): Uint8Array {
  return Buffer.from(integer.toString(16).padStart(96, "0"), "hex");
}

function codeOf(bytes: Uint8Array): string {
  return refusal(() => decodePoint(bytes)).code;
}

test("points return from their encodings, of either sign", () => {
  for (const point of [GENERATOR, GENERATOR.negate(), GENERATOR.multiply(12345n), GENERATOR.multiply(12346n)]) {
    assert.ok(decodePoint(point.toBytes()).equals(point));
  }
});

test("each rule of encodings", () => {
  const { x } = GENERATOR;
  assert.equal(codeOf(encode(x)), "POINT_ENCODING", "not compressed");
  assert.equal(codeOf(encode(COMPRESSED + P + 1n)), "POINT_ENCODING", "x is not reduced");
  assert.equal(codeOf(encode(COMPRESSED + P)), "POINT_ENCODING", "x is p");
  assert.equal(codeOf(encode(COMPRESSED + 1n)), "POINT_ENCODING", "x = 1 is not on the curve");
  assert.equal(codeOf(GENERATOR.toBytes().subarray(1)), "POINT_ENCODING", "47 bytes");
  assert.equal(codeOf(Buffer.concat([Buffer.of(0x80), GENERATOR.toBytes()])), "POINT_ENCODING", "49 bytes");
  assert.equal(codeOf(new Uint8Array(0)), "POINT_ENCODING", "no bytes");
  assert.equal(codeOf(GENERATOR.toBytes(false)), "POINT_ENCODING", "96 bytes");
});

test("infinity has one encoding, which is refused as such", () => {
  assert.equal(codeOf(encode(COMPRESSED + INFINITY)), "POINT_AT_INFINITY");
  for (const noise of [1n, LARGER_Y, 1n << 370n, 1n << 100n]) {
    assert.equal(codeOf(encode(COMPRESSED + INFINITY + noise)), "POINT_ENCODING");
  }
});

test("points outside the subgroup", () => {
  assert.equal(codeOf(encode(COMPRESSED)), "POINT_NOT_IN_SUBGROUP", "x = 0 has order 3");
  assert.equal(codeOf(encode(COMPRESSED + LARGER_Y)), "POINT_NOT_IN_SUBGROUP");
  assert.equal(codeOf(encode(COMPRESSED + 4n)), "POINT_NOT_IN_SUBGROUP");
});

test("scalars below r", () => {
  for (const scalar of [0n, 1n, ORDER - 1n]) assert.equal(scalarFromBytes(scalarToBytes(scalar)), scalar);
  for (const scalar of [ORDER, ORDER + 1n, (1n << 256n) - 1n]) {
    const bytes = Buffer.from(scalar.toString(16).padStart(64, "0"), "hex");
    assert.equal(refusal(() => scalarFromBytes(bytes)).code, "SCALAR_RANGE");
  }
});

test("a proof is cut exactly", () => {
  assert.equal(proofLength(0, 1), 448);
  const bytes = Uint8Array.from({ length: proofLength(1, 2) }, (_, index) => index % 251);
  const { auxiliary, digits, multiplicities, inverses, tableInverse, accumulator, quotient, ...rest } = splitProof(1, 2, bytes);
  const points = [auxiliary, digits, multiplicities, inverses, tableInverse, accumulator, quotient].flat();
  const tail = [rest.digitEvaluations, rest.accumulatorEvaluation, rest.openingAtZ, rest.openingAtNext].flat();
  assert.deepEqual(Buffer.concat([...points, ...tail]), Buffer.from(bytes));
  for (const length of [0, bytes.length - 1, bytes.length + 1]) {
    assert.equal(refusal(() => splitProof(1, 2, new Uint8Array(length))).code, "PROOF_LENGTH");
  }
});
