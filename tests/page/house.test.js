import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const root = new URL("../../", import.meta.url);
const folders = ["src/Tamx.Report/Page/", "src/Tamx.Web/Page/", "tests/page/", "tests/page/hooks/"];
const files = folders.flatMap((folder) =>
  readdirSync(new URL(folder, root))
    .filter((name) => /\.(js|ts|css|html)$/.test(name))
    .map((name) => ({ name: folder + name, text: readFileSync(new URL(folder + name, root), "utf8") })),
);
const scripts = files.filter(({ name }) => name.startsWith("src/") && name.endsWith(".js"));

test("lines have 120 characters at most, and no blanks at their end", () => {
  const wrong = files.flatMap(({ name, text }) =>
    text.split("\n").flatMap((line, i) => (line.length > 120 || /\s$/.test(line) ? [`${name}:${i + 1}`] : [])),
  );

  assert.ok(files.length > 50);
  assert.deepEqual(wrong, []);
});

test("every import is of a file that is there, and of a name that it exports", () => {
  const exportsOf = new Map(
    scripts.map(({ name, text }) => [
      name,
      [...text.matchAll(/^export (?:async function|const|class|function) (\w+)/gm)].map(([, one]) => one),
    ]),
  );
  for (const { name, text } of scripts) {
    for (const [, names, path] of text.matchAll(/^import \{([^}]*)\} from "\.\/([^"]+)";/gm)) {
      const folder = name.slice(0, name.lastIndexOf("/") + 1);
      const file = path.startsWith("report/") ? path.replace("report/", "src/Tamx.Report/Page/") : folder + path;
      const wanted = names
        .split(",")
        .map((one) => one.trim())
        .filter(Boolean);

      assert.deepEqual(
        wanted.filter((one) => !exportsOf.get(file)?.includes(one)),
        [],
        `${name} imports ${path}`,
      );
    }
  }
});

test("what is exported is used by another script or a test", () => {
  const all = files.filter(({ name }) => name.endsWith("js"));
  // main.js and app.js are entries; live.js is one for other pages.
  for (const { name, text } of scripts.filter((one) => !one.name.endsWith("/live.js"))) {
    for (const [, exported] of text.matchAll(/^export (?:async function|const|class|function) (\w+)/gm)) {
      const isUsed = all.some((other) => other.name !== name && new RegExp(`\\b${exported}\\b`).test(other.text));

      assert.ok(isUsed, `${exported} of ${name}`);
    }
  }
});
