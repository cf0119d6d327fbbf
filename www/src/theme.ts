/** Light or dark: as the system says, until the button says otherwise. The page's head sets the first one. */

const KEY = "theme";

/** Follows the system and the button; `onChange` runs after each change. */
export function startTheme(button: HTMLButtonElement, onChange: () => void): void {
  const { dataset } = document.documentElement;
  const set = (theme: string) => {
    dataset["theme"] = theme;
    onChange();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ({ matches }) => {
    if (localStorage.getItem(KEY) === null) set(matches ? "dark" : "light");
  });
  button.onclick = () => {
    set(dataset["theme"] === "dark" ? "light" : "dark");
    localStorage.setItem(KEY, dataset["theme"] ?? "light");
  };
}
