export interface ServerEvent {
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a test reads of it, it knows
  readonly data: any;
}

/** The events of a whole body of `text/event-stream`. */
export function eventsOf(body: string): ServerEvent[] {
  return body
    .split('\n\n')
    .filter(block => block.startsWith('event: '))
    .map(block => {
      const [, event, data] = /^event: (.*)\ndata: (.*)$/.exec(block)!;
      return {event: event!, data: JSON.parse(data!)};
    });
}
