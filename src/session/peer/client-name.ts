// What we call ourselves to other clients (BEP 10, `v`).
import { VERSION } from "../../lib/version.ts";

export const CLIENT_NAME = `p2pfile ${VERSION}`;
