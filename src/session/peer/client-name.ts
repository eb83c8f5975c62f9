// The name of this client in the extension handshake (BEP 10, `v`).
import { VERSION } from "../../lib/version.ts";

export const CLIENT_NAME = `p2pfile ${VERSION}`;
