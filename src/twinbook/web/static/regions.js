// A region is a part of a page with an id that is replaced without loading the whole page. The server answers with the
// page as ever; the region is taken out of it. A new request ends the one before it.
import { localTimes } from "./comforts.js";

let running = null;

export async function swap(url, { method = "GET", body = null, history = "push", region = null } = {}) {
  running?.abort();
  const control = (running = new AbortController());
  const old = region ?? document.querySelector("[data-region]");
  old.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(url, { method, body, signal: control.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById(old.id);
    if (!fresh) {
      location.assign(answer.url);
      return;
    }
    replace(old, fresh, { typed: history !== "none" });
    if (history === "push" && answer.url !== location.href) window.history.pushState({}, "", answer.url);
    if (history === "replace") window.history.replaceState({}, "", answer.url);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (history === "none") return; // a live update that failed is tried again by itself
    location.assign(url);
  } finally {
    if (running === control) running = null;
    old.removeAttribute("aria-busy");
  }
}

function replace(old, fresh, { typed }) {
  const active = document.activeElement;
  const inside = old.contains(active) && active.id ? active : null;
  localTimes(fresh);
  old.replaceChildren(...fresh.childNodes);
  const again = inside && document.getElementById(inside.id);
  if (!again) return;
  if (inside.matches("input[type=search], input[type=text]")) {
    again.focus();
    if (!typed) return;
    // What was typed while the answer was under way stays.
    again.value = inside.value;
    again.setSelectionRange(inside.selectionStart, inside.selectionEnd);
  } else again.focus();
}

const plainClick = (event) => !(event.metaKey || event.ctrlKey || event.shiftKey || event.button);

export function watchLinks() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-swap]");
    if (!link || !plainClick(event)) return;
    event.preventDefault();
    swap(link.href).then(() => link.closest(".pager") && document.querySelector("[data-region]").scrollIntoView());
  });
}

export function watchForms() {
  let waiting = 0;
  const send = (form, history) => {
    clearTimeout(waiting);
    swap(form.action, { method: form.method, body: new URLSearchParams(new FormData(form)), history });
  };
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-swap-form]")) return;
    event.preventDefault();
    send(event.target, "push");
  });
  document.addEventListener("input", (event) => {
    const form = event.target.closest("[data-swap-form]");
    if (!form) return;
    clearTimeout(waiting);
    waiting = setTimeout(send, event.target.matches("select") ? 0 : 250, form, "replace");
  });
}

export function watchHistory() {
  window.addEventListener("popstate", () => {
    if (document.querySelector("[data-region]")) swap(location.href, { history: "none" });
  });
}
