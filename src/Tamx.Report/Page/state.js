// What is shown, kept in one place and in the address (#tok=12&cand=1&map=viridis).
// tok and cand count from 0, as in the files that Tamx exports; without cand the answer's own token is shown.

const DEFAULTS = { token: null, candidate: null, preview: null, map: "magma", scale: "token", drawn: "smooth", opacity: 65 };

/** Holds the state; listeners hear of every change. */
export function createState(isValid) {
  let state = { ...DEFAULTS };
  const listeners = [];

  const set = (changes) => {
    state = { ...state, ...changes };
    listeners.forEach((listener) => listener(state));
  };
  const readAddress = () => set({ ...fromHash(location.hash, isValid), preview: null });
  const change = (changes) => {
    set(changes);
    if (!("preview" in changes)) {
      history.replaceState(null, "", toHash(state) || location.pathname + location.search);
    }
  };
  addEventListener("hashchange", readAddress);
  return { get: () => state, change, readAddress, listen: (listener) => listeners.push(listener) };
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
