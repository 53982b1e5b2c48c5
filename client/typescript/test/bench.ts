/**
 * Milliseconds of processor time of one verification and of its parts; medians. Run with: npm run bench [-- FILE]
 *
 * FILE gets the figures as JSON.
 */

import { writeFileSync } from "node:fs";

import { parseClaim } from "../src/claim.js";
import { Domain } from "../src/domain.js";
import { decodePoint, GENERATOR, type Point, Terms } from "../src/points.js";
import { splitProof } from "../src/proof.js";
import { evaluatePublicVectors } from "../src/public-vectors.js";
import { pairingsAgree } from "../src/setup.js";
import { Statement } from "../src/statement.js";
import { drawChallenges } from "../src/transcript.js";
import { verify } from "../src/verifier.js";
import { knownAnswers } from "./support.js";

const ROUNDS = 31;
/** A verification is to stay below. */
const LIMIT_MILLISECONDS = 150;

function median(action: () => void): number {
  const times = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    action();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  });
  return times.sort((first, second) => first - second)[ROUNDS >> 1] ?? NaN;
}

function measure(document: unknown): Record<string, number> {
  const { statement, commitments, context, proof } = parseClaim(document);
  const encoded = splitProof(statement.auxiliary, statement.columns, proof);
  const { auxiliary, digits, inverses, multiplicities, tableInverse, accumulator, quotient, ...rest } = encoded;
  const bytes = [commitments, auxiliary, digits, inverses, multiplicities, tableInverse, accumulator, quotient];
  const points = [...bytes.flat(), rest.openingAtZ, rest.openingAtNext];
  const decoded = points.map(decodePoint);
  const drawn = drawChallenges(statement.digest, context, commitments, encoded);
  const domain = Domain.of(statement.n);
  const lagrange = domain.evaluationPoint(drawn.z)?.lagrange ?? [];
  const sum = (of: readonly Point[]): Point => {
    const terms = new Terms();
    for (const point of of) terms.add(drawn.u, point);
    return terms.sum();
  };
  const parts = {
    verify: () => verify(statement, commitments, context, proof),
    "points decoded, subgroup checked": () => points.map(decodePoint),
    transcript: () => drawChallenges(statement.digest, context, commitments, encoded),
    "Lagrange values": () => domain.evaluationPoint(drawn.z),
    "inner products": () => evaluatePublicVectors(statement, drawn.gamma, lagrange),
    "sums of multiples": () => [sum([...decoded, GENERATOR]), sum(decoded.slice(0, 1))],
    "pairing check": () => pairingsAgree(decoded[0] ?? GENERATOR, decoded[1] ?? GENERATOR),
    "statement, once": () => new Statement(statement),
  };
  return Object.fromEntries(Object.entries(parts).map(([name, action]) => [name, Number(median(action).toFixed(1))]));
}

const wanted = ["n = 256, 1 columns", "n = 256, 8 columns", "n = 1024, 1 columns", "n = 2048, 1 columns"];
const cases = [...knownAnswers().values()].flatMap((file) => file.cases).filter((each) => wanted.includes(each.name));
const figures = Object.fromEntries(cases.map((each) => [each.name, measure(each)]));
console.table(figures);
const slowest = Math.max(...Object.values(figures).map((parts) => parts["verify"] ?? NaN));
console.log(`slowest verification ${slowest} ms, limit ${LIMIT_MILLISECONDS}: ${slowest <= LIMIT_MILLISECONDS ? "met" : "missed"}`);
const file = process.argv[2];
if (file !== undefined) {
  const machine = { node: process.version, rounds: ROUNDS, limit: LIMIT_MILLISECONDS };
  writeFileSync(file, `${JSON.stringify({ ...machine, figures }, undefined, 1)}\n`);
}
