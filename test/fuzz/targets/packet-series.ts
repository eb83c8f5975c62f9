// Inputs that are several packets: two bytes of length before each, big-endian. A length beyond the end means the rest.
import { concatBytes, readUint16 } from "../../../src/lib/bytes.ts";
import type { Series } from "../engine/target.ts";

const MAX_PACKET_LENGTH = 0xffff;

export const packetSeries: Series = {
  split(input) {
    const packets: Uint8Array[] = [];
    for (let at = 0; at + 2 <= input.length;) {
      const end = at + 2 + readUint16(input, at);
      packets.push(input.subarray(at + 2, end));
      at = end;
    }
    return packets;
  },
  join: (packets) =>
    concatBytes(
      packets.flatMap((packet) => {
        const kept = packet.subarray(0, MAX_PACKET_LENGTH);
        return [Uint8Array.of(kept.length >>> 8, kept.length & 255), kept];
      }),
    ),
};
