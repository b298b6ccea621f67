/* Which rows, in which order. Pure: row numbers in, row numbers out. */
function cellRows(book, state) {
  const keys = groupedBy(book, state);
  const kind = book.kinds.get(kindKey(book, keys));
  if (!kind || !keys.length) return { keys, rows: [], known: false, of: 0 };
  const wanted = state.search.toLowerCase().split(/\s+/).filter(Boolean);
  const allowed = Object.entries(state.filters)
    .filter(([key]) => keys.includes(key))
    .map(([key, values]) => [book.cells[key], new Set(values.map((value) => book.dimensions.get(key).position.get(value)))]);
  const rows = kind.rows.filter((row) =>
    book.cells.n[row] >= state.minimum &&
    (!state.badged || book.cells.badge[row]) &&
    allowed.every(([column, values]) => values.has(column[row])) &&
    wanted.every((word) => book.search[row].includes(word)));
  return { keys, rows, known: true, kind, of: kind.total };
}

/* A filter on something the rows are not grouped by splits them by it: intervals of parts cannot be added up, so the
   cells of the finer kind are shown instead. */
function groupedBy(book, state) {
  const filtered = Object.keys(state.filters).filter((key) => state.filters[key].length);
  return [...book.dimensions.keys()].filter((key) => state.group.includes(key) || filtered.includes(key));
}

/* Undefined values stand last in both directions; ties keep the order of the document. */
function sortedRows(rows, values, down) {
  const turn = down ? -1 : 1;
  return Array.from(rows).sort((a, b) => {
    const [x, y] = [values[a], values[b]];
    if (x !== x || y !== y) return (x !== x) - (y !== y) || a - b;
    return x === y ? a - b : (x < y ? -1 : 1) * turn;
  });
}

/* Names are sorted as read: each value's place in the alphabet, found once, instead of comparing texts row by row. */
function sortValues(book, table, key) {
  const dimension = book.dimensions.get(key);
  if (!dimension || !table[key]) return key === 'badge' ? table.badge.map((word) => (word ? -word.length : NaN)) : table[key];
  if (!dimension.places) {
    const order = dimension.words.map((word, i) => [word, i]).sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
    dimension.places = new Float64Array(order.length);
    order.forEach(([, i], place) => { dimension.places[i] = place; });
  }
  return Float64Array.from(table[key], (value) => (value < 0 ? NaN : dimension.places[value]));
}

/* The embedded closed trades of a cell, or null where trades do not say whether they are in such a cell. */
function tradeRows(book, keys, values) {
  const tests = keys.map((key, i) => {
    const value = book.dimensions.get(key).position.get(values[i]);
    return value === undefined ? null : memberTest(book, key, value);
  });
  if (tests.includes(null)) return null;
  const { closed } = book.trades;
  const found = [];
  for (let row = 0; row < book.trades.length; row += 1) {
    if (closed[row] === closed[row] && tests.every((test) => test(row))) found.push(row);
  }
  return found;
}
