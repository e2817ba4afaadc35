// Tries the pages of a running gateway in a browser. What to find there comes as JSON in SIGNALBOX_PAGES; ends with 1 and
// says which job failed when one does. tests/journeys/pages_in_a_browser.rs starts it.
import { launch, visitor, check } from "./browser.mjs";
import { aTurnEnds, aViewerLooks, byKeyboard, everyPageIsSound, jobs, theLineDrops } from "./jobs.mjs";

const given = JSON.parse(process.env.SIGNALBOX_PAGES);
const browser = await launch();

async function attempt(name, job) {
  try {
    await job();
    console.log(`ok: ${name}`);
  } catch (error) {
    console.log(`FAILED: ${name}\n${error.stack}`);
    process.exitCode = 1;
  }
}

await attempt("every page is sound in light and dark, small and large", () => everyPageIsSound(browser, given));
await attempt("a viewer is offered nothing to do", () => aViewerLooks(browser, given));
await attempt("a turn of the line ends without a word", () => aTurnEnds(browser, given));
await attempt("the line drops and comes back", () => theLineDrops(browser, given));

const keys = await visitor(browser);
await attempt("without a pointer", () => byKeyboard(keys.page, given));
await keys.context.close();

const { context, page, broken } = await visitor(browser);
page.setDefaultTimeout(15000);
for (const [name, job] of Object.entries(jobs(given))) {
  await attempt(name, () => job(page));
}
await attempt("no script failed and nothing foreign was loaded", () => check(broken.length === 0, broken.join("\n")));
await context.close();
await browser.close();
