// The address that is announced and bound, in network namespaces with several interfaces.
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile, sha256Of } from "../helpers/big-file.ts";
import { binaryPath } from "../helpers/executable.ts";
import { useTestFixture } from "../helpers/test-directory.ts";

const fixture = useTestFixture();

const canMakeLinks = Bun.spawnSync(
  ["unshare", "--net", "sh", "-c", "ip link add b0 type bridge && ip link add v0 type veth peer name v1"],
  { stdout: "ignore", stderr: "ignore" },
).success;

/** A wire to nowhere with an address of ours, as a network card is one. */
const card = (name: string, cidr: string, state = "up") =>
  `ip link add ${name} type veth peer name ${name}p; ip addr add ${cidr} dev ${name}; ` +
  `ip link set ${name} up; ip link set ${name}p ${state}\n`;

/** Runs the script in a namespace of its own; $0 is the executable, $1 a file of 2 MiB. @returns the exit code and the directory. */
async function inNamespace(script: string) {
  const file = makeBigFile(join(fixture.directory("source"), "a.bin"), 2 * MiB);
  const cwd = fixture.directory("cwd");
  const command = ["unshare", "--net", "sh", "-c", `ip link set lo up\n${script}`, binaryPath, file.path];
  const alone = fixture.spawn(command, { cwd, env: { HOME: cwd } });
  const code = await alone.waitForExit();
  return { code, cwd, file, text: (name: string) => readFileSync(join(cwd, name), "utf8") };
}

/** Serves with these flags until the script ends, and downloads. */
const transfer = (serveFlags: string, downloadFlags = "") => `
  "$0" serve ${serveFlags} "$1" > magnet 2> serve.log & seed=$!
  trap 'kill $seed' EXIT
  until [ -s magnet ]; do kill -0 $seed || exit 99; sleep 0.1; done
  "$0" download ${downloadFlags} --dir target "$(cat magnet)" 2> download.log`;

test.skipIf(!canMakeLinks)(
  "a download beside docker0 and without a default route announces the address that leads to the magnet's peer",
  async () => {
    const docker =
      "ip link add docker0 type bridge; ip addr add 172.17.0.1/16 dev docker0; ip link set docker0 up\n";
    const script = docker + card("eth0", "10.1.1.5/24") + card("eth1", "10.2.2.5/24");
    const { code, cwd, file, text } = await inNamespace(script + transfer("--ip 10.1.1.5"));
    expect(code).toBe(0);
    expect(sha256Of(join(cwd, "target/a.bin"))).toBe(file.sha256);
    expect(text("download.log")).toMatch(/^listening on 10\.1\.1\.5:/);
  },
);

test.skipIf(!canMakeLinks)("--ip binds an address whose link is down", async () => {
  const { code, text } = await inNamespace(
    card("eth0", "10.1.1.5/24", "down") + transfer("--ip 10.1.1.5", "--ip 10.1.1.5"),
  );
  expect(code).toBe(0);
  expect(text("magnet")).toContain("x.pe=10.1.1.5:");
});

test.skipIf(!canMakeLinks)("--ip that no interface has ends with 2 before the file is hashed", async () => {
  const script = `${card("eth0", "10.1.1.5/24")}"$0" serve --json --ip 10.1.1.6 "$1" > out 2> err`;
  const { code, text } = await inNamespace(script);
  expect(code).toBe(2);
  expect(text("err")).toBe(
    "p2pfile: --ip 10.1.1.6 is not an address of this machine; it has 127.0.0.1 on lo, 10.1.1.5 on eth0\n",
  );
  expect(text("out")).not.toContain("hashing");
});

test.skipIf(!canMakeLinks)(
  "a public default route beside a private card is a warning with the private choice",
  async () => {
    const script = `${card("wan", "192.0.2.5/24")}${card("lan", "10.1.1.5/24")}ip route add default via 192.0.2.1\n`;
    const { code, text } = await inNamespace(script + transfer(""));
    expect(code).toBe(0);
    expect(text("magnet")).toContain("x.pe=192.0.2.5:");
    expect(text("serve.log")).toMatch(/public address 192\.0\.2\.5 on wan.*--ip with 10\.1\.1\.5 on lan/);
  },
);
