// What this program is: the version from package.json, and the commit when the build knows it.
import packageJson from "../../package.json" with { type: "json" };

declare global {
  /** Set by build.ts: the commit that was built, "" when it is not known. */
  const P2PFILE_COMMIT: string | undefined;
}

export const VERSION: string = packageJson.version;

/** As git abbreviates it or in full; undefined for sources, and for a build outside of a repository. */
export const COMMIT: string | undefined =
  typeof P2PFILE_COMMIT === "string" && P2PFILE_COMMIT !== "" ? P2PFILE_COMMIT : undefined;
