// Live regions: the server says that something changed, the page fetches itself again and swaps the region. Nothing is
// swapped while somebody types in it or has chosen something, or while the page is not looked at.
import { swap } from "./regions.js";

export function goLive() {
  const region = document.querySelector("[data-live]");
  if (!region || !window.EventSource) return;
  let missed = false;
  const update = () => {
    const busy = document.hidden || document.querySelector("dialog[open]") || touched(region);
    missed = Boolean(busy);
    if (!busy) swap(location.href, { history: "none", region });
  };
  const connection = new URLSearchParams(location.search).get("connection");
  const source = new EventSource(connection ? `/live?connection=${encodeURIComponent(connection)}` : "/live");
  source.addEventListener("changed", update);
  document.addEventListener("visibilitychange", () => !document.hidden && missed && update());
}

function touched(region) {
  const active = document.activeElement;
  const typing = region.contains(active) && active.matches("input, select, textarea");
  return typing || region.querySelector("input[type=checkbox]:checked") || !getSelection().isCollapsed;
}
