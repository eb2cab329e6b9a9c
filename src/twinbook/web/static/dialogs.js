// A link with data-dialog leads to a page of its own; with this script, its main part opens in a dialog instead.
export function watchDialogs() {
  document.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-dialog]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    const answer = await fetch(link.href).catch(() => null);
    if (!answer?.ok) return location.assign(link.href);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    open(page.getElementById("main"), answer.url);
  });
}

function open(content, url) {
  const dialog = document.createElement("dialog");
  const title = content.querySelector("h1");
  if (title) dialog.setAttribute("aria-label", title.textContent);
  dialog.append(...content.childNodes);
  // Forms without an action belong to the page that they came from.
  for (const form of dialog.querySelectorAll("form:not([action])")) form.action = url;
  for (const leave of dialog.querySelectorAll("[data-close]")) {
    leave.addEventListener("click", (event) => { event.preventDefault(); dialog.close(); });
  }
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
