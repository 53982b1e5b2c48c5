/** What the tests share: the files of the repository and what a refusal says. */

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";

import { ArgumentError } from "../src/errors.js";

/** The repository: this file runs as client/typescript/build/test/support.js. */
export const ROOT = new URL("../../../../", import.meta.url);

/** What a case of core/vectors states beside the claim; see FORMAT.md there. */
export interface Answer {
  readonly name: string;
  readonly valid: boolean;
  readonly code?: string;
  readonly step?: number;
  readonly statement_digest?: string;
  readonly challenges?: Readonly<Record<string, string>>;
}

/** A file of known answers; `cases` are claims and {@link Answer}s at once. */
export interface Answers {
  readonly setup_digest: string;
  readonly cases: readonly (Answer & Readonly<Record<string, unknown>>)[];
}

/** All files of known answers, by name. */
export function knownAnswers(): Map<string, Answers> {
  const folder = new URL("core/vectors/", ROOT);
  const names = readdirSync(folder).filter((name) => name.endsWith(".json"));
  return new Map(names.map((name) => [name, JSON.parse(readFileSync(new URL(name, folder), "utf8")) as Answers]));
}

/** A case of linear-range.json. */
export function knownAnswer(name: string): Answer & Readonly<Record<string, unknown>> {
  const found = knownAnswers().get("linear-range.json")?.cases.find((each) => each.name === name);
  assert.ok(found, `no case is called ${name}`);
  return found;
}

/** Code and step of the refusal that an action ends with. */
export function refusal(action: () => void): { code: string; step: number | undefined; row: number | undefined } {
  try {
    action();
  } catch (error) {
    if (error instanceof ArgumentError) return { code: error.code, step: error.step, row: error.row };
    throw error;
  }
  return assert.fail("it was accepted");
}
