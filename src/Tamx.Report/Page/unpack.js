// Unpacks the page's script and starts it. The policy knows it by its hash, so that nothing else could be started.

async function unpack() {
  const packed = document.getElementById("page-script")?.textContent ?? "";
  const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const script = document.createElement("script");
  script.type = "module";
  script.textContent = await new Response(stream).text();
  document.head.append(script);
}

unpack().catch((error) => {
  const failure = /** @type {HTMLElement} */ (document.getElementById("failure"));
  failure.textContent = `This report could not be opened: ${error.message}. It needs a browser from 2023 or later.`;
  failure.hidden = false;
});
