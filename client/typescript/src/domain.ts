/** The domain H of the n-th roots of unity, and where polynomials on it are evaluated. */

import { invertAll, mod, ORDER, power, powers } from "./field.js";

/** Sizes of the domain that networks may fix. */
export const DOMAIN_SIZES: readonly number[] = [256, 512, 1024, 2048];

const ROOT_BASE = 7n;

/** A point outside H with what evaluating there needs. */
export interface EvaluationPoint {
  /** Z_H(z). */
  readonly vanishing: bigint;
  /** L_i(z). */
  readonly lagrange: readonly bigint[];
}

/** H for one n; n is one of {@link DOMAIN_SIZES}. */
export class Domain {
  /** ω. */
  readonly generator: bigint;
  /** ω^i. */
  readonly elements: readonly bigint[];
  /** 1/n. */
  readonly sizeInverse: bigint;
  private readonly size: bigint;
  private readonly scaled: readonly bigint[];

  private static readonly made = new Map<number, Domain>();

  private constructor(n: number) {
    this.size = BigInt(n);
    this.generator = power(ROOT_BASE, (ORDER - 1n) / this.size);
    this.elements = powers(this.generator, n);
    this.sizeInverse = power(this.size, ORDER - 2n);
    this.scaled = this.elements.map((element) => mod(element * this.sizeInverse));
  }

  /** The domain of a size, made at its first use. */
  static of(n: number): Domain {
    const domain = Domain.made.get(n) ?? new Domain(n);
    Domain.made.set(n, domain);
    return domain;
  }

  /** L_i(z) = Z_H(z)·ω^i/(n·(z − ω^i)) with one inversion; nothing where z lies in H. */
  evaluationPoint(z: bigint): EvaluationPoint | undefined {
    const inverses = invertAll(this.elements.map((element) => mod(z - element)));
    if (inverses === undefined) return undefined;
    const vanishing = mod(power(z, this.size) - 1n);
    const lagrange = this.scaled.map((element, index) => mod(mod(vanishing * element) * (inverses[index] ?? 0n)));
    return { vanishing, lagrange };
  }
}
