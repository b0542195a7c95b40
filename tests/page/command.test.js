import assert from "node:assert/strict";
import { test } from "node:test";
import { commandOf } from "../../src/Tamx.Report/Page/command.js";
import { Report } from "../../src/Tamx.Report/Page/report.js";
import { sampleData } from "./sample.js";

/** @param {(data: any) => void} change */
function commandWith(change) {
  const { data, packed } = sampleData();
  change(data);
  return commandOf(new Report(data, packed));
}

test("the command names files, question and what differs from the usual", () => {
  const command = commandWith(({ run, method }) => {
    Object.assign(run, { projectorFile: "mm proj.gguf", temperature: 0.7, topK: 40, topP: 0.95, seed: 7, minP: null });
    Object.assign(method, { profile: "Paper", changed: { eciStrength: 0.5 } });
  });

  assert.equal(
    command,
    'tamx explain -m demo.gguf --mmproj "mm proj.gguf" --image a.png -p "What is this?" --temp 0.7 --top-k 40 ' +
      "--top-p 0.95 --seed 7 --profile paper --set eciStrength=0.5",
  );
});

test("a greedy run needs no seed, and a conversation its file", () => {
  const command = commandWith((data) => {
    data.run.temperature = 0;
    data.turns.unshift({ role: "system", items: [0] });
  });

  assert.equal(command, "tamx explain -m demo.gguf --messages chat.json --temp 0");
});

test("what a shell would take apart is quoted", () => {
  const command = commandWith((data) => (data.media[0].frames[0].picture.name = 'a "b" $HOME `c`.png'));

  assert.match(command, /--image "a \\"b\\" \\\$HOME \\`c\\`\.png"/);
});

test("a video is named by its file", () => {
  const command = commandWith((data) => (data.media[0].isVideo = true));

  assert.match(command, / --video a\.png -p /);
});
