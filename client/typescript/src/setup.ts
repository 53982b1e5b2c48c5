/**
 * The setup: the Ethereum KZG ceremony. A verifier needs its digest and two points of G2; a test derives all three from
 * the setup of the Rust crate.
 */

import { bls12_381 } from "@noble/curves/bls12-381.js";
import { hexToBytes } from "@noble/curves/utils.js";

import type { Point } from "./points.js";

/** SHA-256 of all powers of τ, G1 then G2, compressed, in order; hexadecimal. */
export const SETUP_DIGEST = "bfe6bde32861347be66bd8af2f1be07c541971b46eb485cfa403eb1a2e846695";

/** [1]₂, compressed, hexadecimal. */
export const ONE_G2 =
  "93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e" +
  "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8";

/** [τ]₂, compressed, hexadecimal. */
export const TAU_G2 =
  "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72" +
  "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2";

type Lines = ReturnType<typeof bls12_381.utils.calcPairingPrecomputes>;

/** The lines of the Miller loop of a fixed point, made at their first use (some 5 ms each). */
function lazyLines(encoded: string): () => Lines {
  let lines: Lines | undefined;
  return () => {
    lines ??= bls12_381.utils.calcPairingPrecomputes(bls12_381.G2.Point.fromBytes(hexToBytes(encoded)));
    return lines;
  };
}

const linesOfOne = lazyLines(ONE_G2);
const linesOfTau = lazyLines(TAU_G2);

/** Whether e(left, [τ]₂) = e(right, [1]₂). Both points must lie in the subgroup; either may be infinity. */
export function pairingsAgree(left: Point, right: Point): boolean {
  const { Fp12 } = bls12_381.fields;
  const pairs: [Lines, bigint, bigint][] = [];
  for (const [point, lines] of [
    [left, linesOfTau],
    [right.negate(), linesOfOne],
  ] as const) {
    if (point.is0()) continue; // its pairing is 1
    const { x, y } = point.toAffine();
    pairs.push([lines(), x, y]);
  }
  return Fp12.eql(Fp12.finalExponentiate(bls12_381.millerLoopBatch(pairs)), Fp12.ONE);
}
