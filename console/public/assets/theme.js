// Before anything is painted: what the reader chose, or else what the system says.
try {
  const theme = localStorage.getItem('telltale.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Storage may be forbidden: the system decides.
}
