// Files can be dropped or pasted anywhere on the page.

/**
 * Listens for files.
 * @param {() => boolean} isWanted whether files are taken now
 * @param {(files: File[]) => void} take
 */
export function listenToFiles(isWanted, take) {
  const offer = (/** @type {File[]} */ files) => isWanted() && take(files);
  const hasFiles = (/** @type {DataTransfer | null} */ transfer) =>
    transfer !== null && transfer.types.includes("Files");
  const mark = (/** @type {boolean} */ isOver) => document.body.classList.toggle("dropping", isOver && isWanted());
  let depth = 0;
  addEventListener("dragenter", (event) => {
    if (hasFiles(event.dataTransfer)) {
      depth++;
      mark(true);
    }
  });
  addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    mark(depth > 0);
  });
  addEventListener("dragover", (event) => hasFiles(event.dataTransfer) && event.preventDefault());
  addEventListener("drop", (event) => {
    depth = 0;
    mark(false);
    if (event.dataTransfer !== null && hasFiles(event.dataTransfer)) {
      event.preventDefault();
      offer([...event.dataTransfer.files]);
    }
  });
  addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length > 0) {
      event.preventDefault();
      offer(files);
    }
  });
}
