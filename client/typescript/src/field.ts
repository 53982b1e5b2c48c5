/** The scalar field of BLS12-381 as integers in [0, r). */

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { bytesToNumberBE, numberToBytesBE } from "@noble/curves/utils.js";

import { ArgumentError } from "./errors.js";

const Fr = bls12_381.fields.Fr;

/** r, the order of the groups. */
export const ORDER: bigint = Fr.ORDER;

/** Length of an encoded scalar. */
export const SCALAR_BYTES = 32;

/** The residue of any integer. */
export function mod(value: bigint): bigint {
  const residue = value % ORDER;
  return residue < 0n ? residue + ORDER : residue;
}

/** base^exponent. */
export function power(base: bigint, exponent: bigint): bigint {
  return Fr.pow(base, exponent);
}

/** 1, base, base², … */
export function powers(base: bigint, count: number): bigint[] {
  const all = [1n];
  for (let last = 1n; all.length < count; all.push(last)) last = mod(last * base);
  return all;
}

/** 1/value for every value, with one inversion; nothing where one of them is 0. */
export function invertAll(values: bigint[]): bigint[] | undefined {
  return values.includes(0n) ? undefined : Fr.invertBatch(values);
}

/** 32 bytes, big-endian, of a residue. */
export function scalarToBytes(residue: bigint): Uint8Array {
  return numberToBytesBE(residue, SCALAR_BYTES);
}

/** The integer of big-endian bytes. */
export function integerFromBytes(bytes: Uint8Array): bigint {
  return bytesToNumberBE(bytes);
}

/**
 * Decodes 32 bytes.
 *
 * @throws ArgumentError SCALAR_RANGE.
 */
export function scalarFromBytes(bytes: Uint8Array): bigint {
  const value = integerFromBytes(bytes);
  if (value >= ORDER) {
    throw new ArgumentError("SCALAR_RANGE", "a scalar is not below the order r; encode it reduced");
  }
  return value;
}
