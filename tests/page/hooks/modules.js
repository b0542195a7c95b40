// How node finds what a server would serve: every script as a module, and the report's under the app's ./report/.

const report = new URL("../../../src/Tamx.Report/Page/", import.meta.url);

export async function resolve(specifier, context, next) {
  const isOfReport = specifier.startsWith("./report/") && context.parentURL?.includes("/Tamx.Web/Page/");
  const found = await next(isOfReport ? new URL(specifier.slice("./report/".length), report).href : specifier, context);
  return found.url.includes("/Page/") ? { ...found, format: "module" } : found;
}
