import { type ReactElement, useState } from 'react';

const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];
const NAMES: Readonly<Record<Theme, string>> = { system: 'System', light: 'Light', dark: 'Dark' };

const KEY = 'telltale.theme';

/** Light, dark, or as the system has it. `theme.js` sets what was chosen before the first paint. */
export function ThemeChoice(): ReactElement {
  const [theme, setTheme] = useState<Theme>(() => (document.documentElement.dataset.theme as Theme) ?? 'system');
  const choose = (next: Theme): void => {
    setTheme(next);
    if (next === 'system') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      if (next === 'system') localStorage.removeItem(KEY);
      else localStorage.setItem(KEY, next);
    } catch {
      // Storage may be forbidden: the choice lasts as long as the page.
    }
  };
  return (
    <select aria-label="Colours" value={theme} onChange={(event) => choose(event.target.value as Theme)}>
      {THEMES.map((it) => (
        <option key={it} value={it}>
          {NAMES[it]}
        </option>
      ))}
    </select>
  );
}
