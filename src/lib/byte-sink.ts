// Where outgoing bytes are put: a connection's output queue for the wire, which do not import each other. A message is
// written once, into the memory of the queue.

export interface ByteSink {
  /** Room for exactly `length` bytes at the end of the queue; the caller fills it before it returns to the event loop. */
  reserve(length: number): Uint8Array;
}
