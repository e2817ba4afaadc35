// The eleven jobs that operators do most, each by its fewest clicks; the clicks are counted where they are promised.
import { check, line, sound, visitor } from "./browser.mjs";

const heading = (page, name) => page.getByRole("heading", { name });

async function signIn(page, base, who) {
  await page.goto(`${base}/`);
  check(new URL(page.url()).pathname === "/sign-in", `a stranger is at ${page.url()}`);
  await page.getByLabel("Name").fill(who.name);
  await page.getByLabel("Password").fill(who.password);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(`${base}/`);
}

async function find(page, what) {
  await page.getByRole("searchbox").fill(what);
  await page.getByRole("searchbox").press("Enter");
}

// Opens a form behind a word, gives a reason and sends it.
async function because(page, scope, summary, button, reason) {
  await scope.locator("summary").filter({ hasText: summary }).first().click();
  await scope.getByLabel("Why?").locator("visible=true").fill(reason);
  await scope.getByRole("button", { name: button }).click();
}

// Comes back to a page until it says so.
async function until(page, address, text) {
  for (let tries = 0; tries < 100; tries += 1) {
    await page.goto(address);
    if ((await page.locator("main").textContent()).includes(text)) {
      return;
    }
    await page.waitForTimeout(100);
  }
  throw new Error(`${address} does not come to say '${text}'`);
}

const card = (page, name) => page.locator(`[data-part="destination ${name}"]`);

export const jobs = (given) => ({
  "sign in, and out again": async (page) => {
    await signIn(page, given.base, given.operator);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL(/\/sign-in/);
    await page.goto(`${given.base}/exchanges`);
    check(/\/sign-in\?next=/.test(page.url()), `signed out, and at ${page.url()}`);
    await signIn(page, given.base, given.operator);
  },

  "1 see what is stuck without a click": async (page) => {
    await page.goto(`${given.base}/`);
    const first = page.locator(".destination").first();
    check((await first.textContent()).includes("pas"), "the worst destination is on top");
    check(await heading(page, /need.* somebody/).isVisible(), "the headline says that somebody is needed");
  },

  "2 see why it is stuck without a click": async (page) => {
    await page.goto(`${given.base}/`);
    const why = await card(page, "pas").locator(".why").textContent();
    check(/3 dead letters.*1 wait/.test(why), why);
    check((await card(page, "pas").locator(".failure").textContent()).includes("AE"), "the partner's last answer");
  },

  "3 find a patient's messages": async (page) => {
    await page.goto(`${given.base}/`);
    await find(page, given.patient.replace(/(...)(...)(....)/, "$1 $2 $3"));
    await page.waitForURL(/\/exchanges\?patient=/);
    check(!page.url().includes(given.patient), "no number of a patient in an address");
    check(await page.locator("tbody tr").count() === 2, "two messages of this patient");
    check(!(await page.content()).includes(given.patient), "no number of a patient in the list");
  },

  "4 find a message by its id": async (page) => {
    await find(page, given.request);
    await page.waitForURL(/\/exchanges\?request=/);
    check(await page.locator("tbody tr").count() === 1, "one message with this request id");
    await find(page, given.dead);
    await page.waitForURL(new RegExp(`/exchanges/${given.dead}$`));
    await find(page, "no such thing");
    check(await page.getByText("names are not kept").isVisible(), "nothing found is said, and how it was understood");
  },

  "5 see each attempt and what the partner said": async (page) => {
    await page.goto(`${given.base}/exchanges/${given.dead}`);
    const text = await page.locator("main").textContent();
    check(/refused|dead/.test(text) && /AE/.test(text), text);
    await page.goto(`${given.base}/exchanges/${given.refused}`);
    const issues = await page.locator(".issues").textContent();
    check(issues.includes("Patient.gender") && /line \d+, column \d+/.test(issues), issues);
  },

  "6 see a body, for a reason": async (page) => {
    await page.goto(`${given.base}/exchanges/${given.dead}`);
    check(!(await page.content()).includes(given.patient), "the story holds nothing of the patient");
    await because(page, page.locator("main"), "Show", /Show/, "the ward asks what was sent");
    await page.waitForURL(/\/body$/);
    check((await page.locator("pre").textContent()).includes(given.patient), "the body as it came");
  },

  "7 pause a destination and let it go on": async (page) => {
    await page.goto(`${given.base}/`);
    await because(page, card(page, "archive"), "Pause", /Pause/, "disk is changed");
    await page.getByRole("status").filter({ hasText: "paused" }).waitFor();
    check(/disk is changed/.test(await card(page, "archive").locator(".why").textContent()), "the reason is shown");
    await because(page, card(page, "archive"), "Resume", /Resume/, "disk is changed now");
    await page.getByRole("status").filter({ hasText: "goes on" }).waitFor();
  },

  "8 list what was refused at the door": async (page) => {
    await page.goto(`${given.base}/`);
    await page.locator(".door").getByRole("link", { name: "refused" }).click();
    check(await page.locator("tbody tr").count() === 1, "one refused message");
    await page.getByLabel("Outcome").selectOption("accepted");
    await page.getByRole("button", { name: "Filter" }).click();
    check(await page.locator("tbody tr").count() === 50, "fifty of the accepted on a page");
    await page.getByRole("link", { name: "Older" }).click();
    check(await page.locator("tbody tr").count() === 5, "and the others on the next");
  },

  "9 retry a dead letter": async (page) => {
    await page.goto(`${given.base}/dead-letters`);
    await because(page, page.locator(".letters li").first(), "Retry", /Retry/, "the partner mended its table");
    await page.getByRole("status").filter({ hasText: "1 delivery will be tried again" }).waitFor();
    await until(page, `${given.base}/exchanges/${given.dead}`, "retry by operator: the partner mended its table");
    await until(page, `${given.base}/exchanges/${given.dead}`, "Will be tried again at");
  },

  "10 skip all dead letters of one reason": async (page) => {
    await page.goto(`${given.base}/dead-letters`);
    await because(page, page.locator(".group").first(), "Skip", /Skip all/, "sent by hand, agreed with the ward");
    await page.getByRole("status").filter({ hasText: "2 deliveries left out" }).waitFor();
    check(await page.getByText("None. Everything was delivered").isVisible(), "no dead letter is left");
  },

  "11 decide about a message in quarantine": async (page) => {
    await page.goto(`${given.base}/`);
    await page.getByRole("link", { name: "1 in quarantine" }).click();
    const held = page.locator(".group").first();
    check((await held.locator(".issues").textContent()).includes("Patient.gender"), "what was found");
    await because(page, held, "Refuse", /Refuse/, "the practice sends it again");
    await page.getByRole("status").filter({ hasText: "goes to nobody" }).waitFor();
    check(await page.getByText("None. No message waits").isVisible(), "nothing is left in quarantine");
    await until(page, `${given.base}/exchanges/${given.held}`, "refuse by operator: the practice sends it again");
  },
});

// Without a pointer: Tab reaches what is needed, in an order that makes sense, and shows where it is.
export async function byKeyboard(page, given) {
  await page.goto(`${given.base}/sign-in`);
  check(await page.evaluate(() => document.activeElement.id) === "name", "the name is asked for first");
  await page.keyboard.type(given.operator.name);
  await page.keyboard.press("Tab");
  await page.keyboard.type(given.operator.password);
  await page.keyboard.press("Enter");
  await page.waitForURL(`${given.base}/`);
  await page.keyboard.press("Tab");
  const skip = page.getByRole("link", { name: "Skip to content" });
  check(await skip.evaluate((link) => link === document.activeElement), "first comes the way past the head");
  const { y } = await skip.boundingBox();
  check(y >= 0, "and it is seen when it is reached");
  await page.keyboard.press("Enter");
  const reached = async (wanted, most = 60) => {
    for (let steps = 0; steps < most; steps += 1) {
      await page.keyboard.press("Tab");
      const here = await page.evaluate(() => {
        const { outlineStyle, boxShadow } = getComputedStyle(document.activeElement);
        const name = document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent;
        return { name, shown: outlineStyle !== "none" || boxShadow !== "none" };
      });
      check(here.shown, `'${here.name}' has the focus and does not show it`);
      if (wanted.test(here.name)) {
        return;
      }
    }
    throw new Error(`${wanted} is not reached by keyboard`);
  };
  await reached(/^Pause archive/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.type("by keyboard");
  await page.keyboard.press("Enter");
  await page.getByRole("status").filter({ hasText: "paused" }).waitFor();
  await page.keyboard.press("Tab");
  await reached(/^Resume archive/);
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.type("by keyboard");
  await page.keyboard.press("Enter");
  await page.getByRole("status").filter({ hasText: "goes on" }).waitFor();
}

// The first page says when its line is down, and is live again by itself when the line is back.
export async function theLineDrops(browser, given) {
  const wire = await line(new URL(given.base));
  const { context, page, broken } = await visitor(browser);
  await signIn(page, wire.base, given.operator);
  const said = (text) => page.locator("#line").filter({ hasText: text }).waitFor();
  await said("Live");
  const told = () => page.locator(".summary time").getAttribute("datetime");
  const before = await told();
  await wire.cut();
  await said("Not live");
  await wire.mend();
  await said(/^Live/);
  const later = await told();
  check(later > before, `the page is as it was: ${before}, ${later}`);
  check(broken.length === 0, broken.join("\n"));
  await context.close();
  await wire.cut();
}

// The server ends a line that is well now and then; the page comes back at once, and a screen reader says nothing.
export async function aTurnEnds(browser, given) {
  const { context, page, broken } = await visitor(browser);
  let turns = 0;
  await page.route("**/live", (route) => {
    if (route.request().method() !== "GET" || turns > 0) {
      return route.continue();
    }
    turns += 1;
    return route.fulfill({ contentType: "text/event-stream", body: "event: turn\ndata: over\n\n" });
  });
  await page.addInitScript(() => {
    window.said = [];
    new MutationObserver(() => window.said.push(document.getElementById("line")?.textContent))
      .observe(document, { subtree: true, childList: true, characterData: true });
  });
  await signIn(page, given.base, given.operator);
  await page.locator("#line").filter({ hasText: "Live" }).waitFor();
  check(turns === 1, `${turns} turns ended`);
  const said = await page.evaluate(() => window.said);
  check(!said.some((text) => /Not live/.test(text)), `said of a line that was well: ${said}`);
  check(broken.length === 0, broken.join("\n"));
  await context.close();
}

// A viewer sees everything and is offered nothing to do.
export async function aViewerLooks(browser, given) {
  const { context, page, broken } = await visitor(browser);
  await signIn(page, given.base, given.viewer);
  for (const path of ["/", "/dead-letters", "/quarantine", `/exchanges/${given.held}`, `/exchanges/${given.dead}`]) {
    await page.goto(given.base + path);
    check(await page.locator("main form").count() === 0, `${path} offers a viewer something to do`);
  }
  check(broken.length === 0, broken.join("\n"));
  await context.close();
}

// Leaves a reason on the page of an exchange: as long as one may be, and without a space.
async function withTheLongestReason(browser, given) {
  const { context, page } = await visitor(browser);
  await signIn(page, given.base, given.operator);
  await page.goto(`${given.base}/exchanges/${given.dead}`);
  await because(page, page.locator("main"), "Show", /Show/, "x".repeat(200));
  await page.waitForURL(/\/body$/);
  await context.close();
}

// Nothing is hidden beside the window, a chart keeps its height, and what is opened stands within its card.
async function everythingIsSeen(page, where) {
  const wrong = await page.evaluate(() => {
    const box = (element) => element.getBoundingClientRect();
    const wide = [...document.querySelectorAll(".attempts td, .timeline li, .act form *")]
      .filter((part) => box(part).right > document.documentElement.clientWidth + 1);
    const flat = [...document.querySelectorAll(".flow")].filter((chart) => box(chart).height < 40);
    const out = [...document.querySelectorAll(".group .act, .delivery .act")].filter((act) => {
      const card = box(act.closest(".group, .delivery"));
      return box(act).left < card.left + 8 || box(act).right > card.right - 8;
    });
    const close = [...document.querySelectorAll(".acts + .delivery")]
      .filter((card) => box(card).top < box(card.previousElementSibling).bottom + 8);
    return [...wide, ...flat, ...out, ...close].map((part) => `${part.className} ${part.textContent.slice(0, 60)}`);
  });
  check(wrong.length === 0, `${where}: ${wrong.join("\n")}`);
}

// Every page, in light and dark, on the smallest window, on a telephone and on a wall.
export async function everyPageIsSound(browser, given) {
  await withTheLongestReason(browser, given);
  const paths = ["/", "/exchanges", `/exchanges/${given.dead}`, `/exchanges/${given.refused}`, "/dead-letters",
    "/quarantine", `/exchanges/${given.held}`, "/exchanges/no-such-id"];
  for (const colorScheme of ["light", "dark"]) {
    for (const [width, height] of [[320, 640], [360, 740], [1280, 800], [2560, 1440]]) {
      const { context, page, broken } = await visitor(browser, { colorScheme, viewport: { width, height } });
      const where = (path) => `${path} (${colorScheme}, ${width} px)`;
      await page.goto(`${given.base}/sign-in`);
      await sound(page, where("/sign-in"));
      await signIn(page, given.base, given.operator);
      for (const path of paths) {
        await page.goto(given.base + path);
        for (const form of await page.locator("main details").all()) {
          await form.evaluate((details) => { details.open = true; });
        }
        await sound(page, where(path));
        await everythingIsSeen(page, where(path));
      }
      check(broken.length === 0, broken.join("\n"));
      await context.close();
    }
  }
}
