/* What is shown is in the address, after "#explore": it can be sent to a colleague, and Back works. */
const START = { group: ['pattern'], filters: {}, search: '', minimum: 1, badged: false, sort: '-n', page: 0, size: 25,
  cell: null, trade: '', order: '-closed', leaf: 0 };

function readState(book) {
  const state = { ...START, filters: {} };
  if (!book.kinds.has('pattern')) state.group = [...book.kinds.keys()].filter(Boolean)[0]?.split('+') || [];
  if (!location.hash.startsWith('#explore')) return state;
  const given = new URLSearchParams(location.hash.slice('#explore'.length + 1));
  const known = (key) => book.dimensions.has(key);
  if (given.has('group')) state.group = given.get('group').split('.').filter(known);
  for (const key of book.dimensions.keys()) {
    const values = given.getAll('is.' + key).filter((value) => book.dimensions.get(key).position.has(value));
    if (values.length) state.filters[key] = values;
  }
  state.search = given.get('q') || '';
  state.minimum = Math.max(1, Number.parseInt(given.get('min'), 10) || 1);
  state.badged = given.has('badged');
  state.sort = given.get('sort') || START.sort;
  state.page = Math.max(0, (Number.parseInt(given.get('page'), 10) || 1) - 1);
  state.size = [25, 50, 100, 250].find((size) => size === Number(given.get('size'))) || START.size;
  state.cell = given.has('cell') ? given.getAll('cell') : given.has('all') ? [] : null;
  state.trade = given.get('trade') || '';
  state.order = given.get('order') || START.order;
  state.leaf = Math.max(0, (Number.parseInt(given.get('leaf'), 10) || 1) - 1);
  return state;
}

function addressOf(state) {
  const said = new URLSearchParams();
  said.set('group', state.group.join('.'));
  for (const [key, values] of Object.entries(state.filters)) values.forEach((value) => said.append('is.' + key, value));
  if (state.search) said.set('q', state.search);
  if (state.minimum > 1) said.set('min', state.minimum);
  if (state.badged) said.set('badged', '');
  if (state.sort !== START.sort) said.set('sort', state.sort);
  if (state.page) said.set('page', state.page + 1);
  if (state.size !== START.size) said.set('size', state.size);
  if (state.cell && state.cell.length) state.cell.forEach((value) => said.append('cell', value));
  if (state.cell && !state.cell.length) said.set('all', '');
  if (state.trade) said.set('trade', state.trade);
  if (state.order !== START.order) said.set('order', state.order);
  if (state.leaf) said.set('leaf', state.leaf + 1);
  return '#explore&' + said.toString();
}
