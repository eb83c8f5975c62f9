import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { congestionControl, paceByLoss, setCongestionControl } from "../../src/net/loss-paced.ts";

let listener: Bun.TCPSocketListener;
let socket: Bun.Socket;
beforeAll(async () => {
  listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  socket = await Bun.connect({ hostname: "127.0.0.1", port: listener.port, socket: { data() {} } });
});
afterAll(() => {
  socket.terminate();
  listener.stop(true);
});

function descriptor(): number {
  if (!("fd" in socket) || typeof socket.fd !== "number")
    throw new Error("a socket has no descriptor any more");
  return socket.fd;
}

describe("paceByLoss", () => {
  test("takes a connection from bbr to Reno", () => {
    if (!setCongestionControl(descriptor(), "bbr")) return console.info("this kernel has no bbr");
    expect(congestionControl(descriptor())).toBe("bbr");
    paceByLoss(socket);
    expect(congestionControl(descriptor())).toBe("reno");
  });

  test("leaves everything else as the machine is set up", () => {
    for (const name of ["cubic", "reno"]) {
      if (!setCongestionControl(descriptor(), name)) continue;
      paceByLoss(socket);
      expect(congestionControl(descriptor())).toBe(name);
    }
  });

  test("does nothing to what has no descriptor, or none any more", () => {
    for (const nothing of [{}, { fd: -1 }, { fd: "7" }]) expect(() => paceByLoss(nothing)).not.toThrow();
    expect(congestionControl(-1)).toBeUndefined();
    expect(setCongestionControl(descriptor(), "no-such-thing")).toBe(false);
  });
});
