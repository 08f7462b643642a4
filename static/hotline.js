/* The hotline form: a clock that starts with the first key, and a field that finds who is calling. Works without, too:
   what was typed is then looked up when the form is sent. */

const form = document.querySelector("form[data-call]");
const started = form.elements.call_started_at;
const clock = document.getElementById("call-clock");

function startClock(at) {
  started.value = at;
  clock.dataset.clockSince = at; // mim.js ticks it
}
if (started.value) startClock(started.value);
form.addEventListener("input", () => {
  if (!started.value) startClock(new Date().toISOString());
});

const box = form.querySelector("[data-combobox]");
const field = form.elements.caller;
const chosen = form.elements.requester;
const list = document.getElementById("callers");
const said = document.getElementById("callers-said");
const card = document.getElementById("caller-card");
let timer;
let turn = 0;

const options = () => [...list.querySelectorAll("[role=option]:not([aria-disabled])")];
const picked = () => list.querySelector("[aria-selected=true]");

function show(is) {
  list.hidden = !is;
  field.setAttribute("aria-expanded", String(is));
  if (!is) field.removeAttribute("aria-activedescendant");
}

function mark(option) {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  if (option) {
    field.setAttribute("aria-activedescendant", option.id);
    option.scrollIntoView({ block: "nearest" });
  } else field.removeAttribute("aria-activedescendant");
}

async function fetchInto(element, url) {
  const answer = await fetch(url, { headers: { "HX-Request": "true" } });
  if (!answer.ok || answer.redirected) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  element.replaceChildren(...page.body.childNodes);
  return true;
}

async function look() {
  const mine = ++turn;
  if (field.value.trim().length < 2) return show(false);
  const found = document.createElement("ul");
  try {
    if (!(await fetchInto(found, `${box.dataset.combobox}?caller=${encodeURIComponent(field.value)}`))) return;
  } catch {
    return; // no directory at the moment: the words are kept all the same
  }
  if (mine !== turn || document.activeElement !== field) return;
  list.replaceChildren(...found.childNodes);
  const count = options().length;
  said.textContent = count ? `${count} ${count === 1 ? "person" : "people"} found` : "Nobody found";
  show(true);
}

function choose(option) {
  field.value = option.dataset.text;
  chosen.value = option.dataset.value;
  if (!form.elements.callback_number.value) form.elements.callback_number.value = option.dataset.phone;
  turn += 1;
  show(false);
  fetchInto(card, option.dataset.url).catch(() => {});
}

field.addEventListener("input", () => {
  if (chosen.value) card.replaceChildren(); // it was somebody else
  chosen.value = "";
  clearTimeout(timer);
  timer = setTimeout(look, 180);
});
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.ctrlKey) {
    event.preventDefault(); // chooses, and goes on: who is calling is never all there is to say
    if (!list.hidden && (picked() || options()[0])) choose(picked() ?? options()[0]);
    form.elements.callback_number.focus();
    return;
  }
  if (list.hidden) {
    if (event.key === "ArrowDown" && field.value) look();
    return;
  }
  const all = options();
  const at = all.indexOf(picked());
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    if (all.length) mark(all[(at + (event.key === "ArrowDown" ? 1 : all.length - (at < 0 ? 0 : 1))) % all.length]);
  } else if (event.key === "Escape") {
    event.preventDefault();
    show(false);
  } else if (event.key === "Tab" && picked()) choose(picked());
});
list.addEventListener("mousedown", (event) => {
  const option = event.target.closest("[role=option]:not([aria-disabled])");
  event.preventDefault();
  if (option) choose(option);
});
field.addEventListener("blur", () => show(false));
