/* The war room's composer: @names of the team are offered, screenshots are pasted, files are named before they go. */

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/* ---------- @names ---------- */
const list = document.createElement("ul");
list.className = "mention-list";
list.id = "mention-list";
list.setAttribute("role", "listbox");
list.setAttribute("aria-label", "People");
list.hidden = true;
let field = null;

function typed(area) {
  const before = area.value.slice(0, area.selectionStart);
  return before.match(/(^|[\s(])@([\p{L}\p{N}._-]*)$/u)?.[2] ?? null;
}

function close() {
  list.hidden = true;
  field?.removeAttribute("aria-activedescendant");
  field?.setAttribute("aria-expanded", "false");
}

function pick(at) {
  const options = [...list.children];
  options.forEach((option, number) => option.setAttribute("aria-selected", String(number === at)));
  options[at]?.scrollIntoView({ block: "nearest" });
  if (options[at]) field.setAttribute("aria-activedescendant", options[at].id);
}
const picked = () => [...list.children].findIndex((option) => option.getAttribute("aria-selected") === "true");

function offer(area) {
  const said = typed(area)?.toLowerCase();
  const names = $$("option", document.getElementById(area.dataset.mentions) ?? list);
  const found = said == null ? [] : names.filter((one) => `${one.value} ${one.textContent}`.toLowerCase().includes(said)).slice(0, 8);
  if (!found.length) return close();
  field = area;
  list.replaceChildren(...found.map((one, at) => {
    const option = document.createElement("li");
    option.id = `mention-${at}`;
    option.setAttribute("role", "option");
    option.dataset.handle = one.value;
    option.textContent = one.textContent;
    return option;
  }));
  area.parentElement.classList.add("mention-holder");
  area.setAttribute("role", "combobox");
  area.setAttribute("aria-autocomplete", "list");
  area.setAttribute("aria-controls", list.id);
  area.after(list);
  list.hidden = false;
  area.setAttribute("aria-expanded", "true");
  pick(0);
}

function take(option) {
  const end = field.selectionStart;
  const start = field.value.slice(0, end).lastIndexOf("@");
  field.setRangeText(`@${option.dataset.handle} `, start, end, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
  close();
  field.focus();
}

document.addEventListener("input", (event) => { if (event.target.dataset?.mentions) offer(event.target); });
document.addEventListener("keydown", (event) => {
  if (list.hidden || event.target !== field) return;
  const count = list.children.length;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    pick((picked() + (event.key === "ArrowDown" ? 1 : count - 1)) % count);
  } else if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") {
    event.preventDefault();
    take(list.children[picked()]);
  } else if (event.key === "Escape") close();
}, true);
list.addEventListener("pointerdown", (event) => {
  const option = event.target.closest("li");
  if (!option) return;
  event.preventDefault();
  take(option);
});
document.addEventListener("focusout", (event) => { if (event.target === field) setTimeout(close, 100); });

/* ---------- Files: chosen, dropped or pasted ---------- */
function name(form) {
  const input = $("input[type=file]", form);
  const words = $("[data-file-words]", form);
  const said = [...input.files].map((file) => file.name).join(", ");
  if (words) words.textContent = said ? (said.length > 40 ? `${input.files.length} files` : said) : "Files";
}

function add(form, files) {
  const input = $("input[type=file]", form);
  const all = new DataTransfer();
  for (const file of [...input.files, ...files]) all.items.add(file);
  input.files = all.files;
  name(form);
}

document.addEventListener("paste", (event) => {
  const form = event.target.closest?.("form[data-takes-files]");
  const files = [...(event.clipboardData?.files ?? [])];
  if (!form || !files.length) return;
  event.preventDefault();
  const stamp = new Date().toISOString().slice(11, 19).replaceAll(":", "-");
  add(form, files.map((file) => (file.name === "image.png" ? new File([file], `screenshot-${stamp}.png`, { type: file.type }) : file)));
});
document.addEventListener("dragover", (event) => { if (event.target.closest?.("form[data-takes-files]") && event.dataTransfer?.types.includes("Files")) event.preventDefault(); });
document.addEventListener("drop", (event) => {
  const form = event.target.closest?.("form[data-takes-files]");
  if (!form || !event.dataTransfer?.files.length) return;
  event.preventDefault();
  add(form, event.dataTransfer.files);
});
document.addEventListener("change", (event) => { if (event.target.matches?.("form[data-takes-files] input[type=file]")) name(event.target.form); });
document.addEventListener("reset", (event) => { if (event.target.matches?.("form[data-takes-files]")) setTimeout(() => name(event.target), 0); });

/* ---------- Sent once, even when the answer is lost and it is sent again ---------- */
function renew(root) {
  for (const input of $$("[data-key]", root)) input.value = `${Date.now().toString(36)}-${crypto.getRandomValues(new Uint32Array(2)).join("-")}`;
}
renew(document);
document.addEventListener("reset", (event) => setTimeout(() => renew(event.target), 0));
