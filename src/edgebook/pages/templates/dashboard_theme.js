/* Light, dark, or as the system is set. Remembered where the browser lets a page remember. */
function startTheme() {
  const choice = byId('theme');
  const use = (theme) => {
    if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    choice.value = theme || '';
  };
  let kept = '';
  try { kept = localStorage.getItem('edgebook-theme') || ''; } catch { kept = ''; }
  use(kept);
  choice.closest('label').hidden = false;
  choice.addEventListener('change', () => {
    use(choice.value);
    try { localStorage.setItem('edgebook-theme', choice.value); } catch { /* a page from a file may not remember */ }
  });
}

startTheme();
startExplorer();
