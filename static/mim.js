/* What every page does with scripts on. Pages work without them; nothing here uses eval or writes style attributes.
   The kit's data attributes are listed at the top of mim.css; live pages are in live.js. */

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const body = document.body;

function icon(name, css = "") {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", `icon ${css}`);
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${body.dataset.icons}#${name}`);
  svg.append(use);
  return svg;
}

function make(tag, css, ...children) {
  const element = document.createElement(tag);
  if (css) element.className = css;
  element.append(...children);
  return element;
}

/* ---------- Clocks: the same words as mim/templatetags/frame.py ---------- */
const two = (number) => String(number).padStart(2, "0");
const serverNow = Date.parse($('meta[name="server-now"]')?.content ?? "");
// The page may be old already (back button), so only a clock that is wrong by more than a few seconds is corrected.
const drift = Number.isNaN(serverNow) ? 0 : serverNow - (performance.timeOrigin + performance.now());
const skew = Math.abs(drift) > 5000 && performance.getEntriesByType("navigation")[0]?.type !== "back_forward" ? drift : 0;
const now = () => Date.now() + skew;

function clockWords(seconds) {
  const rest = Math.max(seconds, 0);
  const days = Math.floor(rest / 86400);
  const clock = `${two(Math.floor((rest % 86400) / 3600))}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`;
  return days ? `${days} d ${clock}` : clock;
}

function durationWords(seconds) {
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) {
    const rest = seconds % 60;
    return rest && seconds < 600 ? `${Math.floor(seconds / 60)} min ${two(rest)} s` : `${Math.floor(seconds / 60)} min`;
  }
  if (seconds < 86400) return `${Math.floor(seconds / 3600)} h ${two(Math.floor(seconds / 60) % 60)} min`;
  return `${Math.floor(seconds / 86400)} d ${Math.floor(seconds / 3600) % 24} h`;
}

function countdownWords(seconds) {
  const rest = Math.abs(seconds);
  let clock = `${Math.floor(rest / 60)}:${two(rest % 60)}`;
  if (rest >= 86400) clock = durationWords(rest);
  else if (rest >= 3600) clock = `${Math.floor(rest / 3600)}:${two(Math.floor(rest / 60) % 60)}:${two(rest % 60)}`;
  return seconds < 0 ? `overdue ${clock}` : `in ${clock}`;
}

function agoWords(seconds) {
  const rest = Math.abs(seconds);
  if (rest < 45) return "just now";
  const words = durationWords(rest < 3600 ? Math.floor(rest / 60) * 60 || 60 : rest);
  return seconds > 0 ? `${words} ago` : `in ${words}`;
}

function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

function tick() {
  const at = now();
  for (const element of $$("[data-clock-since]")) {
    say(element, clockWords(Math.floor((at - Date.parse(element.dataset.clockSince)) / 1000)));
  }
  for (const element of $$("[data-countdown-to]")) {
    const left = Math.floor((Date.parse(element.dataset.countdownTo) - at) / 1000);
    element.classList.toggle("is-overdue", left < 0);
    element.classList.toggle("is-soon", left >= 0 && left <= 300);
    say(element, countdownWords(left));
  }
}

function tickSlowly() {
  for (const element of $$("time[data-relative]")) {
    say(element, agoWords(Math.floor((now() - Date.parse(element.dateTime)) / 1000)));
  }
}

setInterval(tick, 1000);
setInterval(tickSlowly, 15000);
tick();

/* ---------- Toasts ---------- */
const toneIcons = { good: "circle-check", warn: "alert-triangle", bad: "alert-circle", info: "info-circle" };

export function toast(text, tone = "info", link = null) {
  const shelf = $("#toasts");
  if (!shelf || !text) return;
  const words = make("p", "", text);
  if (link) {
    const anchor = make("a", "", link.text);
    anchor.href = link.url;
    words.append(" ", anchor);
  }
  const close = make("button", "icon-button", icon("x", "icon-small"));
  close.type = "button";
  close.setAttribute("aria-label", "Dismiss");
  const box = make("div", `toast tone-${tone}`, icon(toneIcons[tone] ?? "info-circle"), words, close);
  const leave = () => {
    box.remove();
    if (!shelf.children.length && shelf.matches(":popover-open")) shelf.hidePopover();
  };
  close.addEventListener("click", leave);
  if ([...shelf.children].some((other) => $("p", other).textContent === words.textContent)) return;
  shelf.append(box);
  if (shelf.matches(":popover-open")) shelf.hidePopover();
  shelf.showPopover(); // again, so that it stands above a dialog opened meanwhile
  if (tone !== "bad") setTimeout(leave, link ? 12000 : 6000);
}

body.addEventListener("toast", (event) => {
  const { text, value, tone, url, action } = event.detail ?? {};
  toast(text ?? value, tone, url ? { url, text: action ?? "Open" } : null);
});

/* ---------- Dialogs ---------- */
const isDirty = (control) => {
  if (control.type === "checkbox" || control.type === "radio") return control.checked !== control.defaultChecked;
  if (control.tagName === "SELECT") return [...control.options].some((option) => option.selected !== option.defaultSelected);
  if (control.type === "hidden" || control.type === "search" || control.type === "submit") return false;
  return "defaultValue" in control && control.value !== control.defaultValue;
};
export const hasUnsaved = (root) => $$("textarea, input:not([type=checkbox], [type=radio])", root).some((control) => !control.closest("[data-autosaved]") && isDirty(control) && control.value.trim());

function openDialog(dialog) {
  if (!dialog.open) dialog.showModal();
  const first = $("[autofocus], .has-error :is(input, select, textarea), .field :is(input:not([type=hidden]), select, textarea)", dialog);
  first?.focus();
}

function closeDialog(dialog) {
  dialog.close();
  if (dialog.id === "dialog") dialog.replaceChildren();
}

let warnedDialog = null;
document.addEventListener("cancel", (event) => {
  const dialog = event.target;
  if (!(dialog instanceof HTMLDialogElement)) return;
  if (dialog.id === "dialog" && hasUnsaved(dialog) && warnedDialog !== dialog) {
    event.preventDefault();
    warnedDialog = dialog;
    setTimeout(() => { warnedDialog = null; }, 4000);
    toast("You have unsaved text here. Press Esc again to discard it.", "warn");
  }
}, true);
document.addEventListener("close", (event) => {
  if (event.target.id === "dialog") event.target.replaceChildren();
}, true);

body.addEventListener("dialog-close", () => closeDialog($("#dialog")));
body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target?.id !== "dialog" || !event.detail.target.childElementCount) return;
  window.htmx?.process(event.detail.target); // its forms work before it is seen: a quick Enter must not leave the page
  openDialog(event.detail.target);
});

/* A question before something weighty: hx-confirm on htmx elements, data-confirm on plain forms. */
function ask(question, action, proceed) {
  const dialog = $("#confirm");
  $("#confirm-title").textContent = question;
  const yes = $("[data-confirm-yes]", dialog);
  yes.textContent = action || "Yes, go on";
  yes.onclick = () => { dialog.close(); proceed(); };
  dialog.showModal();
}
body.addEventListener("htmx:confirm", (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  ask(event.detail.question, event.detail.elt.dataset.confirmAction, () => event.detail.issueRequest(true));
});

/* ---------- Clicks ---------- */
document.addEventListener("click", (event) => {
  const target = event.target.closest("button, a");
  if (!target) {
    if (event.target instanceof HTMLDialogElement && event.target.id !== "dialog") event.target.close();
    return;
  }
  if (target.dataset.dialogOpen) openDialog(document.getElementById(target.dataset.dialogOpen));
  if ("dialogClose" in target.dataset) closeDialog(target.closest("dialog"));
  if ("palette" in target.dataset && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    openPalette();
  }
  if (target.dataset.tab) pickTab(target);
  if (target.dataset.copy) {
    navigator.clipboard?.writeText(target.dataset.copy).then(() => toast("Copied.", "good"), () => toast(target.dataset.copy));
  }
  if (target.dataset.reveal) {
    const input = document.getElementById(target.dataset.reveal);
    const shown = input.type === "text";
    input.type = shown ? "password" : "text";
    target.setAttribute("aria-pressed", String(!shown));
  }
  const menu = target.closest("[popover].menu");
  if (menu && !target.matches("[name=theme]")) menu.hidePopover();
});
/* ---------- Tabs within a page ---------- */
function pickTab(tab, focus = false) {
  for (const other of $$("[data-tab]", tab.parentElement)) {
    const picked = other === tab;
    other.setAttribute("aria-selected", String(picked));
    other.tabIndex = picked ? 0 : -1;
    const panel = document.getElementById(other.dataset.tab);
    if (panel) panel.hidden = !picked;
  }
  if (focus) tab.focus();
}
function startTabs(root) {
  for (const list of $$("[role=tablist]", root)) {
    const tabs = $$("[data-tab]", list);
    const start = tabs.find((tab) => tab.getAttribute("aria-selected") === "true") ?? tabs[0];
    for (const tab of tabs) {
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", tab.dataset.tab);
    }
    if (start) pickTab(start);
  }
}

/* ---------- Theme ---------- */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches(".theme-choice")) return;
  event.preventDefault();
  const chosen = event.submitter?.value ?? "device";
  if (chosen === "device") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
  for (const button of $$("[name=theme]", form)) button.setAttribute("aria-pressed", String(button.value === chosen));
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `theme=${chosen}; path=/; max-age=${365 * 24 * 3600}; samesite=lax${secure}`; // as mim.pages.theme_switch does
  document.dispatchEvent(new CustomEvent("mim:theme"));
});

/* ---------- Forms: sent once, never lost ---------- */
let leaving = false;
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.matches(".theme-choice") || form.method === "dialog") return;
  if (form.dataset.confirm && !form.dataset.confirmed) {
    event.preventDefault();
    const { submitter } = event;
    ask(form.dataset.confirm, form.dataset.confirmAction, () => { form.dataset.confirmed = "1"; form.requestSubmit(submitter); });
    return;
  }
  if (form.matches("[hx-post], [hx-get], [hx-put], [hx-patch], [hx-delete]")) return;
  if (form.dataset.sent) return event.preventDefault();
  leaving = true;
  if (form.method !== "post") return;
  form.dataset.sent = "1";
  event.submitter?.classList.add("is-busy");
});
window.addEventListener("pageshow", () => {
  leaving = false;
  for (const form of $$("form[data-sent]")) delete form.dataset.sent;
  for (const button of $$(".button.is-busy")) button.classList.remove("is-busy");
});
window.addEventListener("beforeunload", (event) => {
  if (!leaving && $$("form[data-unsaved], form:has(textarea), #dialog form").some((form) => hasUnsaved(form))) event.preventDefault();
});
body.addEventListener("htmx:beforeRequest", (event) => {
  const element = event.detail.elt;
  if (element.tagName !== "FORM" || event.detail.requestConfig.verb === "get") return;
  if (element.dataset.sent) return event.preventDefault();
  element.dataset.sent = "1";
  event.detail.requestConfig.triggeringEvent?.submitter?.classList.add("is-busy");
});
body.addEventListener("htmx:afterRequest", (event) => {
  const element = event.detail.elt;
  delete element.dataset.sent;
  for (const button of $$(".is-busy", element)) button.classList.remove("is-busy");
  if (element.tagName !== "FORM" || !event.detail.successful) return;
  for (const area of $$("[data-draft]", element)) sessionStorage.removeItem(`draft:${area.dataset.draft}`);
  if ("once" in element.dataset && element.isConnected) element.reset();
});
/* data-draft="key" on a textarea: what is being written outlives a reload of the page. */
document.addEventListener("input", (event) => {
  const key = event.target.dataset?.draft;
  if (key) sessionStorage.setItem(`draft:${key}`, event.target.value);
  const form = event.target.closest?.("form[data-filter-form]");
  if (form) {
    clearTimeout(form.timer);
    form.timer = setTimeout(() => form.requestSubmit(), event.target.type === "search" ? 350 : 0);
  }
});
function restoreDrafts(root) {
  for (const area of $$("[data-draft]", root)) {
    const kept = sessionStorage.getItem(`draft:${area.dataset.draft}`);
    if (kept && !area.value) area.value = kept;
  }
}

/* ---------- Answers that are not what was hoped for ---------- */
function reasonOf(xhr) {
  try {
    const problem = JSON.parse(xhr.responseText);
    return problem.detail ?? problem.title ?? "";
  } catch {
    const page = new DOMParser().parseFromString(xhr.responseText ?? "", "text/html");
    return $("[data-message]", page)?.textContent.trim() ?? "";
  }
}
const defaults = {
  403: "You may not do this.", 404: "This is not there any more.", 409: "Somebody was faster: look at the page again.",
  413: "That is too large.", 429: "Too many requests. Wait a minute and try again.", 503: "The service is not reachable for a moment. Try again shortly.",
};
body.addEventListener("htmx:responseError", (event) => {
  const { xhr, requestConfig } = event.detail;
  if (requestConfig.triggeringEvent?.type === "live") return;
  if (/"toast"/.test(xhr.getResponseHeader("HX-Trigger") ?? "")) return;
  toast(reasonOf(xhr) || defaults[xhr.status] || "Something went wrong on our side. What you typed is still here.", "bad");
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  body.addEventListener(name, (event) => {
    if (event.detail.requestConfig?.triggeringEvent?.type === "live") return;
    toast("The server cannot be reached. What you typed is still here; try again in a moment.", "bad");
  });
}
body.addEventListener("htmx:beforeSwap", (event) => {
  // A button inside a live part inherits its hx-swap="outerHTML", which must never take the dialog itself away.
  if (event.detail.target?.id === "dialog") event.detail.swapOverride = "innerHTML";
  if (!new URL(event.detail.xhr.responseURL || location.href).pathname.startsWith("/accounts/login")) return;
  event.detail.shouldSwap = false;
  const back = `/accounts/login/?next=${encodeURIComponent(location.pathname + location.search)}`;
  toast("You are signed out.", "warn", { url: back, text: "Sign in again" });
});

/* ---------- Lists by keyboard ---------- */
const ROW = "tr, .list-item, [data-row]";
function moveInRows(step) {
  const list = $$("[data-rows]").find((one) => one.offsetParent !== null);
  if (!list) return;
  const links = $$(".row-link, [data-row-link]", list).filter((link) => link.offsetParent !== null);
  const at = links.indexOf(document.activeElement?.closest?.(ROW)?.querySelector(".row-link, [data-row-link]"));
  const next = links[Math.min(Math.max(at + step, 0), links.length - 1)];
  next?.focus({ preventScroll: true });
  next?.closest(ROW)?.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    return openPalette();
  }
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter" && event.target.tagName === "TEXTAREA") {
    return event.target.form?.requestSubmit();
  }
  const tab = event.target.closest?.("[role=tab]");
  if (tab && /^Arrow(Left|Right)$/.test(event.key)) {
    const tabs = $$("[role=tab]", tab.parentElement);
    return pickTab(tabs[(tabs.indexOf(tab) + (event.key === "ArrowRight" ? 1 : tabs.length - 1)) % tabs.length], true);
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select, [contenteditable], dialog[open]")) return;
  if (event.key === "j") moveInRows(1);
  else if (event.key === "k") moveInRows(-1);
  else if (event.key === "x") document.activeElement?.closest?.(ROW)?.querySelector("input[type=checkbox]")?.click();
  else if (event.key === "b") $$(".bulk-bar button").find((button) => button.offsetParent !== null)?.focus();
  else if (event.key === "?") openDialog($("#keys"));
  else if (event.key === "/") {
    event.preventDefault();
    const field = $("main input[type=search]");
    if (field && field.offsetParent) field.focus();
    else openPalette();
  }
});

/* ---------- Palette ---------- */
const palette = $("#palette");
const paletteList = $("#palette-list");
const paletteQuery = $("#palette-query");
let paletteTurn = 0;

function option({ label, url, icon: name = "arrow-right", note = "" }) {
  const anchor = make("a", "palette-option", icon(name, "icon-small"), make("span", "truncate", label));
  anchor.href = url;
  if (note) anchor.append(make("small", "", note));
  return anchor;
}

function places(query) {
  const found = $$(".sidebar .nav-item, .topbar-actions > a.button").filter((link) => link.textContent.toLowerCase().includes(query));
  return found.map((link) => option({ label: link.textContent.trim(), url: link.href, icon: $("use", link).getAttribute("href").split("#")[1], note: "Go to" }));
}

function showOptions(elements) {
  paletteList.replaceChildren(...elements);
  const options = $$(".palette-option", paletteList);
  options.forEach((element, at) => {
    element.id = `palette-${at}`;
    element.setAttribute("role", "option");
    element.tabIndex = -1;
  });
  if (!options.length) paletteList.append(make("p", "empty empty-small", "Nothing found. Try a reference such as MI-12, or fewer words."));
  pickOption(options[0]);
}

function pickOption(element) {
  for (const other of $$(".palette-option", paletteList)) other.setAttribute("aria-selected", String(other === element));
  paletteQuery.setAttribute("aria-activedescendant", element?.id ?? "");
  element?.scrollIntoView({ block: "nearest" });
}

function openPalette() {
  if (!palette || palette.open) return;
  paletteQuery.value = "";
  showOptions(places(""));
  palette.showModal();
  paletteQuery.focus();
}

async function lookUp() {
  const turn = ++paletteTurn;
  const query = paletteQuery.value.trim();
  const local = places(query.toLowerCase());
  showOptions(local);
  const url = $("[data-palette]")?.dataset.palette;
  if (!url || !query) return;
  try {
    const answer = await fetch(`${url}?q=${encodeURIComponent(query)}`, { headers: { "HX-Request": "true" } });
    if (!answer.ok || turn !== paletteTurn) return;
    if ((answer.headers.get("Content-Type") ?? "").includes("json")) {
      const { results } = await answer.json();
      if (turn === paletteTurn) showOptions([...results.map(option), ...local]);
    } else {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (turn === paletteTurn) showOptions([...page.body.children, ...local]);
    }
  } catch {
    if (turn === paletteTurn) toast("Search does not answer at the moment.", "warn");
  }
}

let paletteTimer;
paletteQuery?.addEventListener("input", () => {
  clearTimeout(paletteTimer);
  paletteTimer = setTimeout(lookUp, 120);
});
palette?.addEventListener("keydown", (event) => {
  const options = $$(".palette-option", paletteList);
  const at = options.findIndex((element) => element.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    pickOption(options[(at + (event.key === "ArrowDown" ? 1 : options.length - 1)) % options.length]);
  } else if (event.key === "Enter" && options[at]) {
    event.preventDefault();
    palette.close();
    options[at].click();
  }
});

/* ---------- Charts: the library comes only when a chart is in view ---------- */
let library;
const token = (name) => {
  const probe = make("span", "");
  probe.hidden = true;
  probe.style.setProperty("color", `var(${name})`);
  body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
};

const loaded = new Promise((resolve) => {
  if (document.readyState === "complete") resolve();
  else window.addEventListener("load", resolve, { once: true });
});

async function loadLibrary() {
  await loaded; // the page first, the pictures after it
  library ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = body.dataset.chartLibrary;
    script.onload = () => resolve(window.echarts);
    script.onerror = reject;
    document.head.append(script);
  });
  return library;
}

function dressed(given) {
  const [ink, quiet, line, surface] = ["--ink-2", "--ink-3", "--line", "--surface"].map(token);
  const axis = (one) => ({
    axisLine: { lineStyle: { color: line } }, axisTick: { show: false }, axisLabel: { color: quiet }, splitLine: { lineStyle: { color: line } }, ...one,
  });
  const bar = (one) => (one.type === "bar" ? { barMaxWidth: 36, itemStyle: { borderRadius: [3, 3, 0, 0] }, ...one } : one);
  const each = (axes) => (Array.isArray(axes) ? axes.map(axis) : axes && axis(axes));
  return {
    color: [token("--accent"), quiet, token("--good"), token("--warn")], animation: !matchMedia("(prefers-reduced-motion: reduce)").matches,
    textStyle: { fontFamily: getComputedStyle(body).fontFamily, color: ink }, grid: { left: 8, right: 8, top: given.legend ? 40 : 16, bottom: 8, containLabel: true },
    ...given, series: (given.series ?? []).map(bar), xAxis: each(given.xAxis), yAxis: each(given.yAxis), legend: given.legend && { textStyle: { color: ink }, ...given.legend },
    tooltip: { trigger: "axis", backgroundColor: surface, borderColor: line, textStyle: { color: ink }, ...given.tooltip, renderMode: "richText", confine: true },
  };
}

async function draw(element) {
  const echarts = await loadLibrary();
  // A part that htmx fetched carries its option in an attribute: it takes every script element out.
  const given = JSON.parse(element.dataset.option ?? document.getElementById(element.dataset.chart).textContent);
  const chart = echarts.getInstanceByDom(element) ?? echarts.init(element, null, { renderer: "canvas" });
  chart.setOption(dressed(given), true);
  chart.off("click");
  chart.on("click", (picked) => { if (picked.data?.url) location.assign(picked.data.url); });
  new ResizeObserver(() => chart.resize()).observe(element);
}
const inView = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    inView.unobserve(entry.target);
    draw(entry.target);
  }
}, { rootMargin: "200px" });
document.addEventListener("mim:theme", () => { if (library) $$("[data-chart]").forEach(draw); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (library) $$("[data-chart]").forEach(draw); });

/* ---------- Print, full screen: only where the browser can ---------- */
async function drawAll() { // what was never scrolled to would be blank on paper
  await Promise.all($$("[data-chart]").map(draw));
  window.print();
}
window.addEventListener("beforeprint", () => { if (library) $$("[data-chart]").forEach(draw); });
function startScreen(root) {
  for (const button of $$("[data-print]", root)) { button.hidden = false; button.onclick = drawAll; }
  for (const button of $$("[data-fullscreen]", root)) {
    button.hidden = !document.fullscreenEnabled;
    button.onclick = () => (document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen());
  }
}
document.addEventListener("fullscreenchange", () => body.classList.toggle("is-fullscreen", Boolean(document.fullscreenElement)));

/* ---------- Passwords: seen when wanted, judged while typed ---------- */
function judge(password) {
  if (password.length < 10) return [password.length / 20, "bad", `${10 - password.length} more characters at least`];
  const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/].filter((kind) => kind.test(password)).length;
  const variety = new Set(password.toLowerCase()).size;
  const score = Math.min(password.length / 24, 1) * 0.6 + Math.min(variety / 14, 1) * 0.25 + kinds * 0.0375;
  if (variety < 6 || score < 0.55) return [Math.min(score, 0.5), "warn", "Fair: a few more words make it strong"];
  return [score, "good", "Strong"];
}
function startStrength(root) {
  for (const input of $$("input[autocomplete=new-password]", root)) {
    if (/2$/.test(input.name) || input.dataset.judged) continue;
    input.dataset.judged = "1";
    const bar = make("progress", "progress");
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute("aria-hidden", "true");
    const words = make("span", "help");
    words.setAttribute("role", "status");
    const line = make("div", "strength", bar, words);
    line.hidden = true;
    (input.closest(".password") ?? input).after(line);
    input.addEventListener("input", () => {
      const [score, tone, text] = judge(input.value);
      line.hidden = !input.value;
      bar.value = score;
      bar.className = `progress tone-${tone}`;
      say(words, text);
    });
  }
}

/* ---------- Whatever arrives on the page is made ready ---------- */
function ready(root) {
  tick();
  tickSlowly();
  startTabs(root);
  restoreDrafts(root);
  startStrength(root);
  startScreen(root);
  for (const button of $$("[data-reveal]", root)) button.hidden = false;
  for (const chart of $$("[data-chart]", root)) inView.observe(chart);
}
ready(document);
body.addEventListener("htmx:afterSettle", (event) => ready(event.detail.elt ?? document));
