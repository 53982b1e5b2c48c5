/** Section 3: a chain of SHA-256 that both sides draw their challenges from. */

import { sha256 } from "@noble/hashes/sha2.js";
import { concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

import { integerFromBytes, mod } from "./field.js";
import type { ProofBytes } from "./proof.js";
import { SETUP_DIGEST } from "./setup.js";

/** The challenges of one proof, by their transcript labels. */
export interface Challenges {
  /** The point at which digits and table are compared. */
  readonly beta: bigint;
  /** Folds the rows. */
  readonly gamma: bigint;
  /** Keeps lookup and rows apart. */
  readonly alpha: bigint;
  /** Folds the identities. */
  readonly y: bigint;
  /** Where the identities are opened. */
  readonly z: bigint;
  /** Folds the openings at z. */
  readonly v: bigint;
  /** Folds the openings at z and ωz. */
  readonly u: bigint;
}

/** Replays a proof's transcript from bytes alone. */
export function drawChallenges(
  statementDigest: Uint8Array,
  context: Uint8Array,
  commitments: readonly Uint8Array[],
  proof: ProofBytes,
): Challenges {
  const transcript = new Transcript();
  transcript.absorb("setup", hexToBytes(SETUP_DIGEST));
  transcript.absorb("statement", statementDigest);
  transcript.absorb("context", context);
  transcript.absorb("commitment", ...commitments, ...proof.auxiliary);
  transcript.absorb("d", ...proof.digits);
  transcript.absorb("m", proof.multiplicities);
  const beta = transcript.challenge("beta");
  const gamma = transcript.challenge("gamma");
  const alpha = transcript.challenge("alpha");
  transcript.absorb("phi", ...proof.inverses);
  transcript.absorb("phi_t", proof.tableInverse);
  transcript.absorb("acc", proof.accumulator);
  const y = transcript.challenge("y");
  transcript.absorb("q", proof.quotient);
  const z = transcript.challenge("z");
  transcript.absorb("d(z)", ...proof.digitEvaluations);
  transcript.absorb("acc(wz)", proof.accumulatorEvaluation);
  const v = transcript.challenge("v");
  transcript.absorb("W_z", proof.openingAtZ);
  transcript.absorb("W_wz", proof.openingAtNext);
  return { beta, gamma, alpha, y, z, v, u: transcript.challenge("u") };
}

/** The running state. */
class Transcript {
  private state: Uint8Array = sha256(utf8ToBytes("marginproof/linear-range/v1"));

  /** Absorbs messages one after another, each under the same label. */
  absorb(label: string, ...messages: Uint8Array[]): void {
    const name = utf8ToBytes(label);
    for (const message of messages) {
      const head = concatBytes(this.state, Uint8Array.of(name.length), name, u64(message.length));
      this.state = sha256.create().update(head).update(message).digest();
    }
  }

  challenge(label: string): bigint {
    this.absorb("challenge", utf8ToBytes(label));
    const half = (suffix: number): Uint8Array => sha256(concatBytes(this.state, Uint8Array.of(suffix)));
    return mod(integerFromBytes(concatBytes(half(0), half(1))));
  }
}

function u64(value: number): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(value));
  return bytes;
}
