// Who counts for `serve --until-done`: addresses, once each, and only by what they say of themselves.
import { expect, test } from "bun:test";
import { join } from "node:path";
import { MiB } from "../../src/lib/units.ts";
import { makeBigFile } from "../helpers/big-file.ts";
import { type P2pfile, runP2pfile } from "../helpers/binary.ts";
import { useTestFixture } from "../helpers/test-directory.ts";

const fixture = useTestFixture();

async function startSeed(...flags: readonly string[]): Promise<{ seed: P2pfile; magnet: string }> {
  const file = makeBigFile(join(fixture.directory("source"), "image.raw"), 4 * MiB);
  const seed = runP2pfile(fixture, ["serve", ...flags, file.path]);
  return { seed, magnet: await seed.magnet() };
}

/** Downloads at once, each to the directory and from the address at its index. */
async function downloadAll(magnet: string, hosts: readonly { cwd: string; ip: string }[]): Promise<void> {
  const running = hosts.map((host) => runP2pfile(fixture, ["download", magnet], host));
  for (const one of running) expect(await one.waitForExit()).toBe(0);
}

const newHost = (ip = fixture.address()) => ({ cwd: fixture.directory("host"), ip });

test("ten addresses with a directory each end --until-done 10 by the tenth, whatever is run again", async () => {
  const { seed, magnet } = await startSeed("--until-done", "10");
  const nine = Array.from({ length: 9 }, () => newHost());
  for (let run = 0; run < 4; run++) await downloadAll(magnet, nine);
  await Bun.sleep(1_000);
  expect(seed.hasExited).toBe(false);
  await downloadAll(magnet, [newHost()]);
  const doneAt = performance.now();
  expect(await seed.waitForExit(5_000)).toBe(0);
  expect(performance.now() - doneAt).toBeLessThan(2_000);
  expect(seed.eventsOf("hostsDone")).toMatchObject([{ hosts: 10, wanted: 10 }]);
}, 90_000);

test("one address counts once, or by its destinations up to --hosts-per-address", async () => {
  for (const perAddress of [1, 2]) {
    const { seed, magnet } = await startSeed("--until-done", "3", "--hosts-per-address", `${perAddress}`);
    const ip = fixture.address();
    const [first, second, third] = [newHost(ip), newHost(ip), newHost(ip)];
    await downloadAll(magnet, [first, second, third]);
    await downloadAll(magnet, [first, second]);
    await Bun.sleep(500);
    expect(seed.hasExited).toBe(false);
    await downloadAll(magnet, [newHost()]);
    if (perAddress === 2) expect(await seed.waitForExit(5_000)).toBe(0);
    else {
      await Bun.sleep(500);
      expect(seed.hasExited).toBe(false);
    }
  }
}, 60_000);
