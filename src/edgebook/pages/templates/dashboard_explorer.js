/* The explorer: state in the address, one function that shows it. */
function startExplorer() {
  const book = openBook();
  let state = readState(book);
  let last = null;
  const show = () => {
    const level = state.cell || state.trade ? 'trades' : 'cells';
    byId('explorer').dataset.level = level;
    byId('cells-view').hidden = level !== 'cells';
    byId('trades-view').hidden = level === 'cells';
    setControls(book, state);
    if (level === 'cells') last = showCells(book, state, go);
    else {
      const cell = state.cell || [];
      const rows = showTrades(book, { ...state, cell }, go);
      showTrade(book, { ...state, cell }, rows, go);
      byId('back').href = addressOf({ ...state, cell: null, trade: '', leaf: 0 });
    }
    byId('all-trades').href = addressOf({ ...state, cell: [], trade: '', leaf: 0 });
  };
  /* Typing changes the address in place: Back should not undo letter by letter. */
  function go(change, how) {
    state = { ...state, ...change };
    history[how === 'typing' ? 'replaceState' : 'pushState'](null, '', addressOf(state));
    show();
    if (change.trade) revealed('trade-title');
  }
  const follow = () => {
    const before = state;
    if (!location.hash.startsWith('#explore') && location.hash) return;
    state = readState(book);
    show();
    if (state.trade && state.trade !== before.trade) revealed('trade-title');
    else if (state.cell && !before.cell) revealed('trades-title');
    else if (!state.cell && before.cell && location.hash) revealed('explore-title');
  };
  window.addEventListener('hashchange', follow);
  window.addEventListener('resize', () => redraw());
  rowClicks('cells-table');
  rowClicks('trades-table');
  buildControls(book, () => state, go);
  byId('csv').addEventListener('click', () => last && saveText(`cells_${book.head.as_of}.csv`, cellsCsv(book, last)));
  byId('explorer').hidden = false;
  show();
  if (location.hash.startsWith('#explore')) revealed(state.trade ? 'trade-title' : state.cell ? 'trades-title' : 'explore-title');
}

/* The heading is where a reader, and a screen reader, goes on. */
function revealed(id) {
  const heading = byId(id).closest('[hidden]') ? byId('trades-title') : byId(id);
  heading.focus({ preventScroll: true });
  heading.scrollIntoView({ block: 'start', behavior: 'instant' });
}

/* A mouse may press anywhere in a row; the link in it is for the keyboard and for opening in a new tab. */
function rowClicks(id) {
  byId(id).tBodies[0].addEventListener('click', (event) => {
    if (event.target.closest('a') || String(getSelection())) return;
    const row = event.target.closest('tr');
    if (row) row.querySelector('a').click();
  });
}
