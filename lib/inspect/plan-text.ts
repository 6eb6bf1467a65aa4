/**
 * A program's memory plan as text.
 */
import type {FunctionPlan} from '../engine/compiled-function.ts';
import {opNode} from '../graph/passes/rewrite.ts';
import type {Graph} from '../graph/tensor.ts';
import type {PlanRow} from '../runtime/program-handle.ts';
import {formatBytes} from './format.ts';
import {table} from './table.ts';

const largestShown = 10;

/** Peak, lower bound and number of buffers, then the largest buffers: by whom they are filled, and how long they live. */
export function planText({name, graph, program}: Pick<FunctionPlan, 'name' | 'graph' | 'program'>): string {
  const {peakBytes, lowerBoundBytes, rows} = program;
  const largest = rows.toSorted((a, b) => b.bytes - a.bytes).slice(0, largestShown);
  return [
    `${name}: ${graph.nodes.length} ops, peak ${formatBytes(peakBytes)}, ` +
      `lower bound ${formatBytes(lowerBoundBytes)}, ${rows.length} buffers`,
    table(
      ['size', 'ops', 'op', 'scope'],
      largest.map(row => [
        formatBytes(row.bytes),
        `${row.firstNode}-${row.lastNode}`,
        ...producer(graph, row),
      ]),
    ),
  ].join('\n');
}

/** Op and scope of the node that first uses a buffer. */
function producer(graph: Graph, {tensor, firstNode}: PlanRow): [string, string] {
  const filled = graph.nodes[firstNode];
  // Copies that lowering appends for outputs are not part of the graph.
  if (filled === undefined) return ['copy', ''];
  const {op, scope} = opNode(filled);
  return [tensor < 0 ? `${op.name} (scratch)` : op.name, scope];
}
