// Does a shaped link give what it promises? A plain TCP transfer from one host to another, before anything is measured.
import { join } from "node:path";
import type { Workspace } from "./workspace.ts";
import type { ShapedHost } from "./shaped-network.ts";
import { rounded } from "./statistics.ts";

const PROBE = join(import.meta.dir, "shaped-link-probe.ts");
/** Long enough that the burst at the beginning is below a percent. */
const SECONDS = 2;
const TIMEOUT_MS = 30_000;

export interface LinkCheck {
  /** Payload per second by the link's rate: 1448 bytes of payload travel in 1514 of Ethernet, so 0.956 is all there is. */
  readonly share: number;
}

/** `from` and `to` have links of the same rate. */
export async function checkLink(
  workspace: Workspace,
  from: ShapedHost,
  to: ShapedHost,
  folder: string,
): Promise<LinkCheck> {
  const { rate } = to;
  if (rate === undefined) throw new RangeError("a link without a rate cannot be checked");
  const bytes = String(Math.round((rate / 8) * SECONDS));
  const probe = (name: string, host: ShapedHost, ...words: string[]) =>
    workspace.spawn(host.on([process.execPath, PROBE, ...words]), { cwd: folder, log: join(folder, name) });
  const receiver = probe("receiver", to, "receive", to.address, bytes);
  try {
    const port = await receiver.waitForOutput(/^ready (\d+)$/m, TIMEOUT_MS);
    const sender = probe("sender", from, "send", to.address, bytes, port);
    const ms = Number(await receiver.waitForOutput(/^received ([\d.]+)$/m, TIMEOUT_MS));
    await workspace.end(sender);
    return { share: rounded((Number(bytes) * 8) / (ms / 1000) / rate, 3) };
  } finally {
    await workspace.end(receiver);
  }
}
