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

/* Undefined values stand last in both directions; ties keep the order of the document. Of many rows the order of the
   whole column is found once and kept: each further cell, page or direction then only picks from it. */
const orders = new WeakMap();

function sortedRows(rows, values, down) {
  if (rows.length < 500) return Array.from(rows).sort(byValue(values, down));
  if (!orders.has(values)) orders.set(values, {});
  const kept = orders.get(values);
  const way = down ? 'down' : 'up';
  kept[way] = kept[way] || columnOrder(values, down ? -1 : 1);
  const order = kept[way];
  if (rows.length === order.length) return Array.from(order); /* an array of numbers alone cannot be mapped to elements */
  const wanted = new Uint8Array(order.length);
  for (const row of rows) wanted[row] = 1;
  const found = [];
  for (let i = 0; i < order.length; i += 1) if (wanted[order[i]]) found.push(order[i]);
  return found;
}

function byValue(values, down) {
  return (a, b) => {
    const x = values[a];
    const y = values[b];
    if (x !== x || y !== y) return (x !== x) - (y !== y) || a - b;
    if (x === y) return a - b;
    return (x < y) === down ? 1 : -1;
  };
}

/* Numbers are sorted by the engine without a comparison of ours; each row is then put where its number begins, after
   those of the same number that were there before it. Missing ones stand where the known ones end. */
function columnOrder(values, turn) {
  const known = Float64Array.from(values);
  for (let row = 0; row < known.length; row += 1) known[row] *= turn;
  const sorted = known.slice().sort();
  const taken = new Uint32Array(known.length);
  const order = new Uint32Array(known.length);
  for (let row = 0; row < known.length; row += 1) {
    const place = firstPlace(sorted, known[row]);
    order[place + taken[place]] = row;
    taken[place] += 1;
  }
  return order;
}

function firstPlace(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value || (value !== value && sorted[middle] === sorted[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}

/* Names are sorted as read: each value's place in the alphabet stands for it. One array a column, kept. */
const sortable = new Map();

function sortValues(book, table, key) {
  const dimension = book.dimensions.get(key);
  /* The key may come from an address: only a column of numbers is one. */
  if (key !== 'badge' && !(Object.hasOwn(table, key) && ArrayBuffer.isView(table[key]))) return null;
  if (key !== 'badge' && !dimension) return table[key];
  if (key === 'badge' && !table.badge) return null;
  const name = key + (table === book.cells ? ' of cells' : ' of trades');
  if (!sortable.has(name)) sortable.set(name, key === 'badge' ? badgeValues(table.badge) : nameValues(dimension, table[key]));
  return sortable.get(name);
}

const badgeValues = (badges) => Float64Array.from(badges, (badge) => (badge === 'better' ? 2 : badge === 'worse' ? 1 : 0));

function nameValues(dimension, column) {
  const order = dimension.words.map((word, i) => [word, i]).sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const places = new Float64Array(order.length);
  order.forEach(([, i], place) => { places[i] = place; });
  return Float64Array.from(column, (value) => (value < 0 ? NaN : places[value]));
}

/* The embedded closed trades of a cell, or null where trades do not say whether they are in such a cell. */
function tradeRows(book, keys, values) {
  const tests = keys.map((key, i) => {
    const value = book.dimensions.get(key).position.get(values[i]);
    return value === undefined ? null : memberTest(book, key, value);
  });
  if (tests.includes(null)) return null;
  if (!tests.length) return book.closedRows;
  return book.closedRows.filter((row) => tests.every((test) => test(row)));
}
