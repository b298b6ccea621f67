/* The trades of a cell: the embedded ones, a page at a time; how many there are beyond them is said. */
function tradeColumns(book, state) {
  const { trades } = book;
  const name = (key) => ({ key, title: book.dimensions.get(key).title, sorts: true, show: (row) => saidOf(book, key, trades, row) });
  const number = (key, title, write, hint, sign = false) => ({ key, title, hint, sorts: true, numeric: true,
    show: (row) => shown(key, trades[key][row], write(trades[key][row]), sign ? signOf(trades[key][row]) : '') });
  const all = [
    { key: 'closed', title: 'Closed (UTC)', sorts: true, falls: true, header: true, show: (row) => tradeLink(book, state, row) },
    ...['symbol', 'timeframe', 'side', 'pattern', 'regime'].filter((key) => book.dimensions.has(key)).map(name),
    number('r', 'R', rText, 'Profit after costs over the risk taken at entry', true),
    number('profit', 'Profit', signedPercentText, 'Profit after costs over the price paid', true),
    { key: 'reason', title: 'Exit', sorts: true, show: (row) => reasonOf(book, row) },
    number('bars', 'Held', barsText, 'Bars of its timeframe'),
    number('confidence', 'Confidence', percentText, 'P(win) of the consensus at the decision')];
  return all.filter((column) => trades[column.key]);
}

function tradeLink(book, state, row) {
  const { trades } = book;
  const id = tradeId(book, row);
  const time = Number.isFinite(trades.closed[row]) ? timeText(trades.closed[row]) : 'still open';
  return make('a', { href: addressOf({ ...state, trade: id }), 'aria-label': `Chart of the trade ${id}, closed ${time}`,
    'aria-current': id === state.trade ? 'true' : null }, time);
}

const reasonOf = (book, row) => nameOf(book, 'reason', book.trades, row) || 'still open';

/* Rows of `state.cell`, sorted; null where the document does not say which trades are in such a cell. The last answer
   is kept: another page, or another trade of the list, asks for the same. */
let lastTrades = { asked: '', rows: null };

function orderedTrades(book, state) {
  const asked = JSON.stringify([state.cell, state.cell.length ? groupedBy(book, state) : [], state.order]);
  if (lastTrades.asked !== asked) lastTrades = { asked, rows: foundTrades(book, state) };
  return lastTrades.rows;
}

function foundTrades(book, state) {
  const keys = state.cell.length ? groupedBy(book, state) : [];
  const rows = tradeRows(book, keys, state.cell);
  if (rows === null) return null;
  const key = state.order.replace(/^-/, '');
  return sortedRows(rows, sortValues(book, book.trades, key) || book.trades.closed, state.order.startsWith('-'));
}

function showTrades(book, state, go) {
  const keys = state.cell.length ? groupedBy(book, state) : [];
  const title = state.cell.length ? state.cell.map((value, i) => book.dimensions.get(keys[i])?.words[
    book.dimensions.get(keys[i]).position.get(value)] ?? value).join(' · ') : 'All trades';
  const ordered = orderedTrades(book, state);
  const rows = ordered || [];
  const pages = Math.max(1, Math.ceil(rows.length / state.size));
  const leaf = Math.min(state.leaf, pages - 1);
  byId('trades-title').textContent = title;
  byId('trades-status').textContent = tradesStatus(book, state, keys, ordered);
  const table = byId('trades-table');
  table.hidden = !rows.length;
  table.caption.textContent = `Trades of ${title}`;
  fillTable(table, { columns: tradeColumns(book, state), rows: rows.slice(leaf * state.size, (leaf + 1) * state.size),
    sort: state.order, onSort: (next) => go({ order: next, leaf: 0 }),
    attributes: (row) => ({ 'data-trade': tradeId(book, row), class: tradeId(book, row) === state.trade ? 'strong' : null }) });
  pageButtons(byId('trades-pages'), { page: leaf, pages, onPage: (target) => go({ leaf: target }), label: 'trades' });
  return rows;
}

function tradesStatus(book, state, keys, ordered) {
  if (state.trade && tradeRow(book, state.trade) === undefined) return `The trade ${state.trade} is not in this page: see edgebook open.`;
  const total = cellCount(book, state, keys);
  const few = `the rest with edgebook open, or in data/ledger/${book.head.history}/`;
  if (ordered === null && !total) return 'There is no such cell in this page.';
  if (ordered === null) return `n ${countText(total)}. Which trades are in such a cell is not part of this page.`;
  const row = cellOf(book, state, keys);
  const measured = row < 0 ? '' : ` Win rate ${percentText(book.cells.win_rate[row])} `
    + `(95 % ${bandText(book.cells.win_low[row], book.cells.win_high[row], percentText)} %), expectancy ${meanText(book.cells.mean_r[row])}, `
    + `shrunk ${meanText(book.cells.shrunk_r[row])} over all ${countText(total)}.`;
  if (ordered.length < total) return `Shows the newest ${countText(ordered.length)} of ${countText(total)}; ${few}.${measured}`;
  return `Shows all ${countText(ordered.length)}.${measured}`;
}

function cellOf(book, state, keys) {
  const kind = book.kinds.get(kindKey(book, keys));
  if (!kind || !keys.length) return -1;
  const wanted = keys.map((key, i) => book.dimensions.get(key).position.get(state.cell[i]));
  return kind.rows.find((row) => keys.every((key, i) => book.cells[key][row] === wanted[i])) ?? -1;
}

function cellCount(book, state, keys) {
  const row = cellOf(book, state, keys);
  if (row >= 0) return book.cells.n[row];
  return keys.length ? 0 : book.head.trades_closed;
}
