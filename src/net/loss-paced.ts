// Takes a connection from bbr, where that is the system's default, to Reno. bbr judges a connection by what it got at first: in
// queues that are full that is little, and a peer that asks for a few blocks at a time lets it find out no more for seconds.
// Reno's slow start goes on until something is lost. Knows nothing of who the peer is.
import { dlopen, FFIType } from "bun:ffi";
import { cLibrary } from "../lib/c-library.ts";

const IPPROTO_TCP = 6;
/** Linux: the name of what paces the connection, at most 16 bytes with its end. */
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

/** @returns what paces the connection, such as "bbr"; undefined where the system does not tell. */
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

/** The runtime does not promise that a socket has its descriptor, so one without it stays as it is. */
export function paceByLoss(socket: object): void {
  const fd: unknown = "fd" in socket ? socket.fd : undefined;
  if (typeof fd === "number" && fd >= 0 && congestionControl(fd)?.startsWith("bbr") === true)
    setCongestionControl(fd, "reno");
}
