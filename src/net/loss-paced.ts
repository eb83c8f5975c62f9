// Sets a connection to Reno where the system's default is bbr. bbr paces by the bandwidth that it measures at the start: in full
// queues that is little, and a peer that requests a few blocks at a time gives it no larger sample for seconds. Reno's slow
// start goes on until a packet is lost. Does not know the peer.
import { dlopen, FFIType } from "bun:ffi";
import { cLibrary } from "../lib/c-library.ts";

const IPPROTO_TCP = 6;
/** Linux: the name of the congestion control, at most 16 bytes with the zero at its end. */
const TCP_CONGESTION = 13;
const MAX_NAME_LENGTH = 16;

const SYMBOLS = {
  getsockopt: {
    args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.ptr],
    returns: FFIType.i32,
  },
  setsockopt: {
    args: [FFIType.i32, FFIType.i32, FFIType.i32, FFIType.ptr, FFIType.u32],
    returns: FFIType.i32,
  },
} as const;

const libc = cLibrary((name) => dlopen(name, SYMBOLS).symbols);

/** @returns the name, such as "bbr"; undefined where the system does not give it. */
export function congestionControl(fd: number): string | undefined {
  const name = new Uint8Array(MAX_NAME_LENGTH);
  const length = new Uint32Array([MAX_NAME_LENGTH]);
  if (libc()?.getsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, length) !== 0) return undefined;
  const end = name.indexOf(0);
  return new TextDecoder().decode(name.subarray(0, end < 0 ? length[0] : end));
}

/** @returns false where the system does not have it or does not allow it. */
export function setCongestionControl(fd: number, name: string): boolean {
  const bytes = new TextEncoder().encode(name);
  return libc()?.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, bytes, bytes.length) === 0;
}

/** A socket whose descriptor the runtime does not show stays as it is. */
export function paceByLoss(socket: object): void {
  const fd: unknown = "fd" in socket ? socket.fd : undefined;
  if (typeof fd === "number" && fd >= 0 && congestionControl(fd)?.startsWith("bbr") === true)
    setCongestionControl(fd, "reno");
}
