/**
 * Means of what was measured, by task.
 */
export interface TaskValue {
  readonly task: string;
  readonly value: number;
}

export function meanByTask(values: readonly TaskValue[]): Record<string, number> {
  const tasks = [...new Set(values.map(({task}) => task))];
  return Object.fromEntries(
    tasks.map(name => [name, mean(values.filter(({task}) => task === name).map(({value}) => value))]),
  );
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
