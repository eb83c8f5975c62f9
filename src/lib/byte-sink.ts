// Where outgoing bytes are put. Implemented by a connection's output queue, used by the wire, so that the two need
// not know each other and a message is written once, in place.

export interface ByteSink {
  /** Room for exactly `length` bytes at the end of the queue; the caller fills it before it returns to the event loop. */
  reserve(length: number): Uint8Array;
}
