/** What the page says: passing remarks with a way back, a banner for what stays true, and questions. */

import { $, button, dialog } from "./elements.js";

/** How long a remark stays, in milliseconds; one that offers something stays longer. */
const REMARK_MS = 6000;
const OFFER_MS = 12_000;

let hide: ReturnType<typeof setTimeout> | undefined;

/** Says something in passing; with an offer, beside a button that takes it up. */
export function say(text: string, offer?: { label: string; take: () => void }): void {
  const toast = $("toast");
  $("status").textContent = text;
  const control = button("offer");
  control.hidden = offer === undefined;
  control.textContent = offer?.label ?? "";
  control.onclick = () => {
    delete toast.dataset["shown"];
    offer?.take();
  };
  // An open dialog would cover what is not in it.
  (document.querySelector("dialog[open]") ?? document.body).append(toast);
  toast.dataset["shown"] = "";
  clearTimeout(hide);
  hide = setTimeout(() => delete toast.dataset["shown"], offer === undefined ? REMARK_MS : OFFER_MS);
}

/** Says something that holds until the page is closed, or tried again. */
export function warn(text: string, mayTryAgain = false): void {
  $("banner-text").textContent = text;
  button("again").hidden = !mayTryAgain;
  button("again").onclick = () => location.reload();
  $("banner").hidden = false;
}

/** Asks; whatever closes the dialog but its button is a no. */
export function confirm(title: string, text: string, yes: string): Promise<boolean> {
  const box = dialog("confirm");
  $("confirm-title").textContent = title;
  $("confirm-text").textContent = text;
  $("confirm-yes").textContent = yes;
  box.returnValue = "no";
  box.showModal();
  return new Promise((resolve) => {
    box.addEventListener("close", () => resolve(box.returnValue === "yes"), { once: true });
  });
}

/** Hands the browser a file to save. */
export function save(blob: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  // The download has begun by then, and holds the bytes itself.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
