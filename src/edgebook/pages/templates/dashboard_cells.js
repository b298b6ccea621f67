/* The table of cells: one row a cell, what was measured beside what is believed. */
const BADGE_MARKS = { better: '▲ better', worse: '▼ worse' };

function cellColumns(book, state, keys) {
  const { cells } = book;
  const names = keys.map((key, i) => ({
    key, title: book.dimensions.get(key).title, sorts: true, header: i === 0,
    show: (row) => (i === 0 ? cellLink(book, state, keys, row) : saidOf(book, key, cells, row)),
  }));
  const { even } = book.head;
  const rate = (row) => whiskers({ raw: cells.win_rate[row], shrunk: cells.shrunk[row], low: cells.win_low[row],
    high: cells.win_high[row], from: 0, to: 1, even, metric: 'win_rate' });
  const inR = (row) => whiskers({ raw: cells.mean_r[row], shrunk: cells.shrunk_r[row], low: cells.shrunk_r_low[row],
    high: cells.shrunk_r_high[row], from: -1, to: 1, even: 0, metric: 'shrunk_r' });
  const number = (key, title, write, hint, more = {}) => ({ key, title, hint, numeric: true, sorts: true,
    show: (row) => shown(key, cells[key][row], write(cells[key][row]), more.sign ? signOf(cells[key][row]) : ''), ...more });
  const band = (title, low, high, write, picture) => ({ key: low, title, numeric: false, kind: 'band', show: (row) => [
    picture(row), shown(low + '_' + high, `${cells[low][row]};${cells[high][row]}`, bandText(cells[low][row], cells[high][row], write), 'ends')] });
  return [...names,
    number('n', 'n', countText, 'Closed trades of the cell'),
    number('win_rate', 'Win rate', percentText, 'Share of trades closed at a profit after costs'),
    band('95 % interval', 'win_low', 'win_high', percentText, rate),
    number('shrunk', 'shrunk', percentText, 'Win rate drawn toward the coarser cell, the more the fewer trades'),
    number('profit_factor', 'Profit factor', ratioText, 'Sum of gains over sum of losses, of returns in percent'),
    number('mean_r', 'Expectancy', meanText, 'Mean profit a trade, in R, after costs', { sign: true }),
    number('shrunk_r', 'shrunk', meanText, 'Expectancy drawn toward the coarser cell, the more the fewer trades', { sign: true }),
    band('95 % of shrunk', 'shrunk_r_low', 'shrunk_r_high', meanText, inR),
    { key: 'badge', title: 'Badge', sorts: true, falls: true, hint: 'Only where it survives the correction over all cells',
      kind: 'badge', show: (row) => badgeOf(cells.badge[row]) }];
}

function badgeOf(badge) {
  if (!badge) return make('span', { class: 'none', 'data-metric': 'badge', 'data-value': '' }, '–');
  const tone = badge === 'better' ? 'good' : 'bad';
  return make('span', { class: 'pill ' + tone, 'data-metric': 'badge', 'data-value': badge }, BADGE_MARKS[badge] || badge);
}

function cellLink(book, state, keys, row) {
  const values = keys.map((key) => book.dimensions.get(key).values[book.cells[key][row]]);
  const address = addressOf({ ...state, cell: values, trade: '', leaf: 0 });
  return make('a', { href: address, 'aria-label': `${cellName(book, keys, row)}: its ${countText(book.cells.n[row])} trades` },
    ...[saidOf(book, keys[0], book.cells, row)].flat());
}

function showCells(book, state, go) {
  const found = cellRows(book, state);
  const { cells } = book;
  const table = byId('cells-table');
  const pages = Math.max(1, Math.ceil(found.rows.length / state.size));
  const page = Math.min(state.page, pages - 1);
  const sort = state.sort.replace(/^-/, '');
  const values = sortValues(book, cells, sort) || cells.n;
  const ordered = sortedRows(found.rows, values, state.sort.startsWith('-'));
  const columns = cellColumns(book, state, found.keys);
  /* Four names a row leave no room for the ends of the intervals in figures: their picture stays, and the CSV. */
  table.classList.toggle('tight', found.keys.length > 2);
  fillTable(table, { columns, rows: ordered.slice(page * state.size, (page + 1) * state.size), sort: state.sort,
    onSort: (next) => go({ sort: next, page: 0 }),
    attributes: (row) => ({ 'data-cell': found.keys.map((key) => book.dimensions.get(key).values[cells[key][row]]).join('|') }) });
  table.caption.textContent = 'Closed trades by ' + found.keys.map((key) => inSentence(book.dimensions.get(key).title)).join(' × ');
  pageButtons(byId('cells-pages'), { page, pages, onPage: (target) => go({ page: target }), label: 'cells' });
  byId('cells-status').textContent = cellsStatus(book, found, ordered);
  return { found, ordered, columns };
}

function cellsStatus(book, found, rows) {
  if (!found.keys.length) return 'Tick at least one thing to group by.';
  if (!found.known) return 'These are not counted together. Take away a filter, or group by something else.';
  const { kind } = found;
  const counts = rows.map((row) => book.cells.n[row]);
  const badges = rows.filter((row) => book.cells.badge[row]).length;
  const size = rows.length ? `, n ${countText(counts.reduce((a, b) => Math.min(a, b)))} to ${countText(counts.reduce((a, b) => Math.max(a, b)))}` : '';
  const left = kind.total > kind.shown ? ` ${countText(kind.total - kind.shown)} with the fewest trades are not in the page.` : '';
  const tested = !kind.report ? (found.keys[0] === 'indicator_pair'
    ? 'Only pairs that the outcome report lists, for standing out at either end. No badges: they are not among the cells that are tested.'
    : 'No badges: this crossing is not among the cells that are tested.')
    : badges === 1 ? '1 badge after correction.' : `${countText(badges) === '0' ? 'No' : countText(badges)} badges after correction.`;
  const titles = found.keys.map((key) => inSentence(book.dimensions.get(key).title)).join(' × ');
  return `${countText(rows.length)} of ${countText(found.of)} cells by ${titles}${size}.${left} ${tested}`;
}

/* The shown cells, every page of them, as a spreadsheet reads them. */
function cellsCsv(book, { found, ordered }) {
  const measured = ['n', 'n_effective', 'win_rate', 'win_low', 'win_high', 'shrunk', 'shrunk_low', 'shrunk_high', 'profit_factor',
    'mean_r', 'shrunk_r', 'shrunk_r_low', 'shrunk_r_high', 'q'].filter((key) => book.cells[key]);
  const rows = ordered.map((row) => [
    ...found.keys.map((key) => book.dimensions.get(key).values[book.cells[key][row]]),
    ...measured.map((key) => book.cells[key][row]), book.cells.badge[row]]);
  return csvText([[...found.keys, ...measured, 'badge'], ...rows]);
}
