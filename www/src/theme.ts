/** Light or dark: as the system says, until the button says otherwise. The page's head sets the first one. */

const KEY = "theme";

/** Follows the system, the button and the other tabs; `onChange` runs after each change. */
export function startTheme(button: HTMLButtonElement, onChange: () => void): void {
  const { dataset } = document.documentElement;
  const set = (theme: string) => {
    dataset["theme"] = theme;
    button.setAttribute("aria-pressed", String(theme === "dark"));
    onChange();
  };
  set(dataset["theme"] ?? "light");
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ({ matches }) => {
    if (kept() === null) set(matches ? "dark" : "light");
  });
  addEventListener("storage", ({ key, newValue }) => {
    if (key === KEY && newValue !== null) set(newValue);
  });
  button.onclick = () => {
    set(dataset["theme"] === "dark" ? "light" : "dark");
    try {
      localStorage.setItem(KEY, dataset["theme"] ?? "light");
    } catch {
      // Where nothing may be kept, the choice lasts as long as the page.
    }
  };
}

function kept(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
