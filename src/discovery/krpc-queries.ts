// The queries that our node takes, by name, each with the check of its arguments (BEP 5). Pure. A query that is not here is
// dropped, BEP 44's put and get among them: we store nothing for others but peers.
import { type BencodeDict, dictBytes, dictInteger } from "../core/format/bencode.ts";
import { MAX_TOKEN_LENGTH } from "./limits.ts";

type ArgumentCheck = (args: BencodeDict) => boolean;

const ID_LENGTH = 20;

const checks: ReadonlyMap<string, ArgumentCheck> = new Map<string, ArgumentCheck>([
  ["ping", () => true],
  ["find_node", (args) => hasId(args, "target")],
  ["get_peers", (args) => hasId(args, "info_hash")],
  ["announce_peer", (args) => hasId(args, "info_hash") && hasToken(args) && namesPort(args)],
]);

/** @returns undefined for a query that our node does not take. */
export function checkOfQuery(name: string): ArgumentCheck | undefined {
  return checks.get(name);
}

/** `key` holds a node id or an info hash. */
export function hasId(dict: BencodeDict, key: string): boolean {
  return dictBytes(dict, key)?.length === ID_LENGTH;
}

export function hasToken(dict: BencodeDict): boolean {
  const token = dictBytes(dict, "token");
  return token !== undefined && token.length > 0 && token.length <= MAX_TOKEN_LENGTH;
}

/** With `implied_port` the source port counts and `port` may be anything from 0 (BEP 5). */
function namesPort(args: BencodeDict): boolean {
  const implied = args.has("implied_port") ? dictInteger(args, "implied_port") : 0;
  if (implied === undefined) return false;
  if (implied !== 0 && !args.has("port")) return true;
  const port = dictInteger(args, "port");
  return port !== undefined && port >= (implied === 0 ? 1 : 0) && port <= 65535;
}
