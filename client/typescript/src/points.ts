/** Points of G1: strict decoding, sums of multiples. */

import { mulAddUnsafe } from "@noble/curves/abstract/curve.js";
import type { WeierstrassPoint } from "@noble/curves/abstract/weierstrass.js";
import { bls12_381 } from "@noble/curves/bls12-381.js";

import { ArgumentError } from "./errors.js";
import { integerFromBytes } from "./field.js";

const { Fp } = bls12_381.fields;
const G1 = bls12_381.G1.Point;

/** A point of G1. */
export type Point = WeierstrassPoint<bigint>;

/** Length of a compressed point. */
export const POINT_BYTES = 48;

/** [1]₁. */
export const GENERATOR: Point = G1.BASE;

const COMPRESSED = 0x80;
const INFINITY = 0x40;
const LARGER_Y = 0x20;
const CURVE_CONSTANT = 4n;

/**
 * Decodes a compressed point: canonical, on the curve, not infinity, in the subgroup, checked in this order.
 *
 * @throws ArgumentError POINT_ENCODING, POINT_AT_INFINITY, POINT_NOT_IN_SUBGROUP.
 */
export function decodePoint(bytes: Uint8Array): Point {
  const flags = bytes[0];
  if (bytes.length !== POINT_BYTES || flags === undefined) throw badEncoding();
  if ((flags & COMPRESSED) === 0) throw badEncoding();
  if ((flags & INFINITY) !== 0) throw infinity(bytes);
  const point = G1.fromAffine(affine(bytes, (flags & LARGER_Y) !== 0));
  if (!point.isTorsionFree()) {
    throw new ArgumentError(
      "POINT_NOT_IN_SUBGROUP",
      "a point lies outside the subgroup of order r; use points of G1",
    );
  }
  return point;
}

function affine(bytes: Uint8Array, larger: boolean): { x: bigint; y: bigint } {
  const x = integerFromBytes(bytes) & ((1n << BigInt(8 * POINT_BYTES - 3)) - 1n);
  if (x >= Fp.ORDER) throw badEncoding();
  const square = Fp.add(Fp.mul(Fp.sqr(x), x), CURVE_CONSTANT);
  const root = Fp.pow(square, (Fp.ORDER + 1n) / 4n);
  if (Fp.sqr(root) !== square) throw badEncoding();
  return { x, y: 2n * root > Fp.ORDER === larger ? root : Fp.neg(root) };
}

/** Infinity has one encoding; with other bits set it is none at all. */
function infinity(bytes: Uint8Array): ArgumentError {
  const rest = (bytes[0] ?? 0) & ~(COMPRESSED | INFINITY);
  if (rest !== 0 || bytes.subarray(1).some((byte) => byte !== 0)) return badEncoding();
  return new ArgumentError("POINT_AT_INFINITY", "a point is infinity; commit with fresh random blindings");
}

function badEncoding(): ArgumentError {
  return new ArgumentError("POINT_ENCODING", "not the compressed encoding of a point; send the bytes unchanged");
}

/** A sum of multiples being written down; factors are residues modulo r. */
export class Terms {
  private readonly points: Point[] = [];
  private readonly factors: bigint[] = [];

  /** Adds factor · point. */
  add(factor: bigint, point: Point): void {
    this.factors.push(factor);
    this.points.push(point);
  }

  /** The sum. Time depends on the factors: everything here is public. */
  sum(): Point {
    return mulAddUnsafe(G1, this.points, this.factors);
  }
}
