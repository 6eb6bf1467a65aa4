/**
 * Collects the time of each node over the calls of a session.
 */

import {opNode} from '../graph/passes/rewrite.ts';
import type {Graph} from '../graph/tensor.ts';

/** Start and end of a node in microseconds on a clock that all runs of a process share. */
export interface NodeTime {
  readonly node: number;
  readonly startUs: number;
  readonly endUs: number;
}

/** One node of one call. */
export interface ProfileRow {
  /** The compiled function's name. */
  readonly function: string;
  readonly op: string;
  readonly scope: string;
  readonly shape: readonly number[];
  readonly startUs: number;
  readonly endUs: number;
  readonly flops: number;
  readonly bytes: number;
}

/** Collects the times of ops; given as `profile` to `generate`. */
export class ProfileSink {
  readonly rows: ProfileRow[] = [];

  /** Adds a call's times; node numbers are those of `graph.nodes`. */
  add(name: string, graph: Graph, times: readonly NodeTime[]): void {
    for (const {node: index, startUs, endUs} of times) {
      const tensor = graph.nodes[index];
      // Copies that lowering appends for outputs are not part of the graph.
      if (tensor === undefined) continue;
      const {op, inputs, attributes, scope} = opNode(tensor);
      const cost = op.costOf({inputs, attributes, output: tensor});
      this.rows.push({function: name, op: op.name, scope, shape: tensor.shape, startUs, endUs, ...cost});
    }
  }
}
