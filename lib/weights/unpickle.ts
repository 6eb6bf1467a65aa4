/** A dict of the pickled program; `collections.OrderedDict` becomes one too. */
export type PickleDict = Map<PickleValue, PickleValue>;

/**
 * A callable or class that the stream names. It is only ever data here, unless the host lends it a meaning.
 */
export class PickleGlobal {
  readonly name: string;
  /** What a call of it gives: plain data made from plain data. */
  readonly call: ((args: readonly PickleValue[]) => PickleValue) | undefined;

  constructor(name: string, call?: (args: readonly PickleValue[]) => PickleValue) {
    this.name = name;
    this.call = call;
  }
}

/** An object of the host that the stream passes around but cannot look into. */
export abstract class PickleObject {
  abstract readonly kind: string;
}

export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleValue[]
  | PickleDict
  | PickleGlobal
  | PickleObject;

/** The host's side: the only way in which a stream can refer to anything outside of itself. */
export interface PickleHost {
  /** Gives a listed global, or throws. */
  findGlobal(name: string): PickleGlobal;
  /** Gives what a persistent id stands for, or throws. */
  loadPersistent(id: PickleValue): PickleValue;
}

/** The stream is damaged, or uses what a weight file has no use for. */
export class PickleError extends Error {}

const STOP = 0x2e;
/** A checkpoint with optimiser state has some 10^5. One instruction costs at most a few hundred bytes. */
const MAX_INSTRUCTIONS = 1_000_000;

const utf8 = new TextDecoder();

/**
 * Reads a pickle stream (Python's `pickletools` documents the opcodes) as data. Nothing is executed: a global
 * that the host does not list is an error, and so is every opcode that state dicts do not use. `torch.save`
 * writes protocol 2; what protocol 4 has for the same data is read too.
 *
 * Time and memory are linear in the stream's length: no opcode copies a container, and the machine does not
 * recurse. Off-the-shelf parsers call whatever function lies on the stack and set attributes of it, which an
 * allow-list of names does not prevent; hence an own machine.
 *
 * @throws PickleError
 */
export function unpickle(stream: Uint8Array, host: PickleHost): PickleValue {
  return new Unpickler(stream, host).run();
}

class Unpickler {
  private position = 0;
  private stack: PickleValue[] = [];
  /** The stacks below the open marks. */
  private readonly outer: PickleValue[][] = [];
  private readonly memo = new Map<number, PickleValue>();
  private readonly stream: Uint8Array;
  private readonly view: DataView;
  private readonly host: PickleHost;

  constructor(stream: Uint8Array, host: PickleHost) {
    this.stream = stream;
    this.host = host;
    this.view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  }

  run(): PickleValue {
    for (let count = 0; count < MAX_INSTRUCTIONS; count++) {
      const opcode = this.uint(1);
      if (opcode === STOP) return this.pop();
      const action = ACTIONS[opcode];
      if (!action) {
        throw new PickleError(`opcode 0x${opcode.toString(16)} at byte ${this.position - 1} is not allowed`);
      }
      action(this);
    }
    throw new PickleError(`the stream has more than ${MAX_INSTRUCTIONS} instructions`);
  }

  /** Moves on by `length` bytes and says where they begin. */
  advance(length: number): number {
    const start = this.position;
    if (length > this.stream.length - start) {
      throw new PickleError(`the stream ends within the item at byte ${start}`);
    }
    this.position = start + length;
    return start;
  }

  uint(bytes: 1 | 2 | 4 | 8): number {
    const at = this.advance(bytes);
    if (bytes === 1) return this.view.getUint8(at);
    if (bytes === 2) return this.view.getUint16(at, true);
    if (bytes === 4) return this.view.getUint32(at, true);
    return Number(this.view.getBigUint64(at, true));
  }

  int32(): number {
    return this.view.getInt32(this.advance(4), true);
  }

  float64(): number {
    return this.view.getFloat64(this.advance(8), false);
  }

  /** A little-endian two's complement integer. */
  long(length: number): number {
    if (length > 8) throw new PickleError(`an integer of ${length} bytes is too large for a weight file`);
    let value = 0n;
    const at = this.advance(length);
    for (let i = length - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.view.getUint8(at + i));
    return Number(BigInt.asIntN(length * 8, value));
  }

  text(length: number): string {
    const start = this.advance(length);
    return utf8.decode(this.stream.subarray(start, start + length));
  }

  line(): string {
    const end = this.stream.indexOf(0x0a, this.position);
    if (end < 0) throw new PickleError(`the stream ends within the line at byte ${this.position}`);
    const text = this.text(end - this.position);
    this.position++;
    return text;
  }

  push(value: PickleValue): void {
    this.stack.push(value);
  }

  pop(): PickleValue {
    const value = this.stack.pop();
    if (value === undefined) throw new PickleError(`the stack is empty at byte ${this.position}`);
    return value;
  }

  top(): PickleValue {
    const value = this.stack.at(-1);
    if (value === undefined) throw new PickleError(`the stack is empty at byte ${this.position}`);
    return value;
  }

  mark(): void {
    this.outer.push(this.stack);
    this.stack = [];
  }

  /** What was pushed since the last mark. */
  popToMark(): PickleValue[] {
    const items = this.stack;
    const below = this.outer.pop();
    if (!below) throw new PickleError(`no mark is open at byte ${this.position}`);
    this.stack = below;
    return items;
  }

  pushTuple(): void {
    const items = this.popToMark();
    this.push(items);
  }

  popTuple(length: number): PickleValue[] {
    return Array.from({length}, () => this.pop()).reverse();
  }

  store(index: number): void {
    this.memo.set(index, this.top());
  }

  storeNext(): void {
    this.store(this.memo.size);
  }

  fetch(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw new PickleError(`memo ${index} is read before it is written`);
    this.push(value);
  }

  setItems(keysAndValues: readonly PickleValue[]): void {
    const dict = this.top();
    if (!(dict instanceof Map)) throw new PickleError(`items are set on something else than a dict`);
    if (keysAndValues.length % 2 !== 0) throw new PickleError(`a dict has a key without a value`);
    for (let i = 0; i < keysAndValues.length; i += 2) dict.set(keysAndValues[i]!, keysAndValues[i + 1]!);
  }

  append(items: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw new PickleError(`items are appended to something else than a list`);
    for (const item of items) list.push(item);
  }

  findGlobal(module: PickleValue, name: PickleValue): void {
    if (typeof module !== 'string' || typeof name !== 'string') throw new PickleError('a global has no name');
    this.push(this.host.findGlobal(`${module}.${name}`));
  }

  loadPersistent(): void {
    this.push(this.host.loadPersistent(this.pop()));
  }

  /** Calls a listed global; a call of anything else is an error. */
  reduce(): void {
    const [callable, args] = this.popTuple(2);
    if (!(callable instanceof PickleGlobal) || !callable.call || !Array.isArray(args)) {
      const what = callable instanceof PickleGlobal ? `'${callable.name}'` : 'something that is no function';
      throw new PickleError(`a call of ${what} is not allowed`);
    }
    this.push(callable.call(args));
  }
}

type Action = (machine: Unpickler) => void;

/**
 * By opcode. BUILD only ever sets attributes of the object below (such as `_metadata`), which weights do not
 * need.
 */
const ACTIONS: Readonly<Record<number, Action>> = {
  128: m => m.advance(1), // PROTO
  149: m => m.advance(8), // FRAME
  40: m => m.mark(), // MARK
  113: m => m.store(m.uint(1)), // BINPUT
  114: m => m.store(m.uint(4)), // LONG_BINPUT
  148: m => m.storeNext(), // MEMOIZE
  104: m => m.fetch(m.uint(1)), // BINGET
  106: m => m.fetch(m.uint(4)), // LONG_BINGET
  78: m => m.push(null), // NONE
  136: m => m.push(true), // NEWTRUE
  137: m => m.push(false), // NEWFALSE
  74: m => m.push(m.int32()), // BININT
  75: m => m.push(m.uint(1)), // BININT1
  77: m => m.push(m.uint(2)), // BININT2
  138: m => m.push(m.long(m.uint(1))), // LONG1
  71: m => m.push(m.float64()), // BINFLOAT
  88: m => m.push(m.text(m.uint(4))), // BINUNICODE
  140: m => m.push(m.text(m.uint(1))), // SHORT_BINUNICODE
  141: m => m.push(m.text(m.uint(8))), // BINUNICODE8
  41: m => m.push([]), // EMPTY_TUPLE
  133: m => m.push(m.popTuple(1)), // TUPLE1
  134: m => m.push(m.popTuple(2)), // TUPLE2
  135: m => m.push(m.popTuple(3)), // TUPLE3
  116: m => m.pushTuple(), // TUPLE
  93: m => m.push([]), // EMPTY_LIST
  97: m => m.append(m.popTuple(1)), // APPEND
  101: m => m.append(m.popToMark()), // APPENDS
  125: m => m.push(new Map()), // EMPTY_DICT
  115: m => m.setItems(m.popTuple(2)), // SETITEM
  117: m => m.setItems(m.popToMark()), // SETITEMS
  99: m => m.findGlobal(m.line(), m.line()), // GLOBAL
  147: m => m.findGlobal(...(m.popTuple(2) as [PickleValue, PickleValue])), // STACK_GLOBAL
  81: m => m.loadPersistent(), // BINPERSID
  82: m => m.reduce(), // REDUCE
  98: m => m.pop(), // BUILD
};
