import { describe, expect, test } from "bun:test";
import * as fc from "fast-check";
import { UploadMarks } from "../../../src/session/peer/upload-marks.ts";

describe("UploadMarks", () => {
  test("a block counts when its last byte was written, and once", () => {
    const marks = new UploadMarks();
    marks.add(100, 80);
    expect([marks.passed(99), marks.passed(100), marks.passed(100)]).toEqual([0, 80, 0]);
  });

  test("blocks that were passed together count together", () => {
    const marks = new UploadMarks();
    for (const end of [100, 200, 300]) marks.add(end, end / 10);
    expect([marks.passed(250), marks.passed(1e9)]).toEqual([30, 30]);
  });

  test("keeps the order when it grows while blocks are under way", () => {
    const marks = new UploadMarks();
    for (let block = 1; block <= 100; block++) marks.add(block, 1);
    expect(marks.passed(50)).toBe(50);
    for (let block = 101; block <= 400; block++) marks.add(block, 1);
    for (let written = 51; written <= 400; written++) expect(marks.passed(written)).toBe(1);
  });

  test("counts as a plain list does, however blocks and writes alternate", () => {
    const step = fc.record({
      blocks: fc.nat(200),
      length: fc.integer({ min: 1, max: 16_384 }),
      written: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30, size: "max" }), (steps) => {
        const marks = new UploadMarks();
        let model: { end: number; length: number }[] = [];
        let end = 0;
        let written = 0;
        for (const { blocks, length, written: share } of steps) {
          for (let i = 0; i < blocks; i++) {
            end += length + 13;
            marks.add(end, length);
            model.push({ end, length });
          }
          written += Math.floor((end - written) * share);
          const passed = model.filter((block) => block.end <= written);
          model = model.filter((block) => block.end > written);
          expect(marks.passed(written)).toBe(passed.reduce((sum, block) => sum + block.length, 0));
        }
      }),
    );
  });
});
