// What is shown, kept in one place and in the address (#tok=12&cand=1&map=viridis).
// tok and cand count from 0, as in the files that Tamx exports; without cand the answer's own token is shown.

const DEFAULTS = { token: null, candidate: null, preview: null, map: "magma", scale: "token", drawn: "smooth", opacity: 60 };

// Browsers drop changes of the address that come too fast, as from an arrow key held down.
const ADDRESS_DELAY_MS = 150;

/** Holds the state; listeners hear of every change. */
export function createState(isValid) {
  let state = { ...DEFAULTS };
  const listeners = [];

  const set = (changes) => {
    state = { ...state, ...changes };
    listeners.forEach((listener) => listener(state));
  };
  const readAddress = () => set({ ...fromHash(location.hash, isValid), preview: null });
  let pending = 0;
  const change = (changes) => {
    set(changes);
    clearTimeout(pending);
    pending = setTimeout(() => writeAddress(toHash(state)), ADDRESS_DELAY_MS);
  };
  addEventListener("hashchange", readAddress);
  return { get: () => state, change, readAddress, listen: (listener) => listeners.push(listener) };
}

function writeAddress(hash) {
  if (hash !== location.hash) {
    history.replaceState(null, "", hash || location.pathname + location.search);
  }
}

function fromHash(hash, isValid) {
  const values = new URLSearchParams(hash.slice(1));
  const number = (name) => (/^\d{1,9}$/.test(values.get(name) ?? "") ? Number(values.get(name)) : null);
  const read = {
    ...DEFAULTS,
    token: number("tok"),
    candidate: number("cand"),
    map: values.get("map"),
    scale: values.get("scale"),
    drawn: values.get("drawn"),
    opacity: number("opacity"),
  };
  const kept = { ...DEFAULTS };
  for (const name of Object.keys(kept)) {
    if (read[name] !== null && isValid(name, read[name], read)) {
      kept[name] = read[name];
    }
  }
  return kept;
}

function toHash(state) {
  const values = new URLSearchParams();
  const add = (name, value, normal) => value !== normal && values.set(name, value);
  add("tok", state.token, null);
  add("cand", state.candidate, null);
  for (const name of ["map", "scale", "drawn", "opacity"]) {
    add(name, state[name], DEFAULTS[name]);
  }
  return values.size > 0 ? `#${values}` : "";
}
