/* How numbers, prices and times are written: the same words as edgebook.files.formats, so that page and script agree. */
const MINUS = '\u2212';
const MISSING = 'n/a';

function numberText(value, { places = 0, unit = '', sign = false, scale = 1 } = {}) {
  if (value === null || value === undefined || !Number.isFinite(value)) return MISSING;
  const fixed = Math.abs(value * scale).toFixed(places);
  const [whole, part] = fixed.split('.');
  const lead = !/[1-9]/.test(fixed) ? '' : value < 0 ? MINUS : sign ? '+' : '';
  return lead + whole.replace(/\B(?=(\d{3})+$)/g, ',') + (part ? '.' + part : '') + unit;
}

const countText = (value) => numberText(value);
const ratioText = (value) => numberText(value, { places: 2 });
const percentText = (value) => numberText(value, { places: 1, scale: 100, unit: ' %' });
const signedPercentText = (value) => numberText(value, { places: 2, scale: 100, unit: ' %', sign: true });
const rText = (value) => numberText(value, { places: 2, sign: true, unit: ' R' });
/* Means over a cell, which are rounded once, to three places. */
const meanText = (value) => numberText(value, { places: 3, sign: true, unit: ' R' });
const barsText = (value) => numberText(value, { unit: value === 1 ? ' bar' : ' bars' });
const chanceText = (value) => numberText(value, { places: 3 });

/* One number of places a price level, so that the prices of a trade stand under each other. */
function priceText(value, reference = value) {
  const size = Math.abs(reference);
  return numberText(value, { places: size >= 1000 ? 1 : size >= 100 ? 2 : size >= 1 ? 4 : 6 });
}

function bandText(low, high, write) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return '';
  const last = write(high);
  return write(low).replace(/ .*$/, '') + ' to ' + last.replace(/ .*$/, '');
}

/* Times are minutes since 1970 in UTC. */
function timeText(minutes) {
  return Number.isFinite(minutes) ? new Date(minutes * 60000).toISOString().slice(0, 16).replace('T', ' ') : MISSING;
}

const dayText = (minutes) => timeText(minutes).slice(0, 10);

const inSentence = (title) => title.charAt(0).toLowerCase() + title.slice(1);

/* Names of classes as a reader says them. */
const wordsText = (name) => String(name).replace(/_/g, ' ');
