// Small things that make a page nicer to use.
const shown = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) time.title = shown.format(new Date(time.dateTime));
}

// Where there is room, the menu stands open.
export function wideMenu() {
  const menu = document.querySelector("[data-menu]");
  const room = matchMedia("(width >= 56rem)");
  const fit = () => menu?.toggleAttribute("open", room.matches);
  room.addEventListener("change", fit);
  fit();
}

export function passingNotices() {
  for (const notice of document.querySelectorAll("[data-notice]")) setTimeout(() => notice.remove(), 8000);
}
