// The server's HTTP API, as docs/server.md describes it.

/** @import { CallListener, Config, ErrorBody, Run, RunFile } from "./types.js" */

// Addresses are relative to the page's: the server may be a part of another one, below a path of its own.

const KEY = "tamx-api-key";

/** A refusal or failure: code as the server has it, or "network" where there was no answer. */
export class ApiError extends Error {
  /**
   * @param {number} status of HTTP; 0 where there was no answer
   * @param {ErrorBody} body
   * @param {number | null} retryAfter seconds, where the server says so
   */
  constructor(status, { message, code }, retryAfter = null) {
    super(message);
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }

  /**
   * What was thrown, as one of these.
   * @param {unknown} error
   */
  static of(error) {
    return error instanceof ApiError
      ? error
      : new ApiError(0, { code: "unknown", message: error instanceof Error ? error.message : String(error) });
  }
}

/** The key that goes with every request; kept until the tab is closed. */
export const apiKey = {
  get: () => sessionStorage.getItem(KEY),
  /** @param {string} value */
  set: (value) => sessionStorage.setItem(KEY, value),
};

/** @type {() => Promise<Config>} */
export const getConfig = () => getJson("api/config");
/** @type {() => Promise<Run[]>} */
export const getRuns = () => getJson("api/runs");
/** @param {string} run */
export const deleteRun = (run) => send(`api/runs/${run}`, { method: "DELETE" });
/** @param {string} run */
export const stopRun = (run) => send(`api/runs/${run}/stop`, { method: "POST" });

/**
 * A file of a finished run.
 * @param {string} run
 * @param {RunFile} name
 */
export const getFile = (run, name) => send(`api/runs/${run}/${name}`, {});

/**
 * Has an answer explained.
 * @param {object} request the request's JSON; its messages name files as upload:file0, upload:file1, ...
 * @param {File[]} files
 * @param {CallListener} hear
 */
export function explain(request, files, hear) {
  // Not fetch, which does not tell of an upload's progress.
  const call = new XMLHttpRequest();
  const form = new FormData();
  form.append("request", new Blob([JSON.stringify(request)], { type: "application/json" }));
  files.forEach((file, i) => form.append(`file${i}`, file, file.name));
  let read = 0;
  let isOver = false;
  /** @param {ApiError} error */
  const fail = (error) => {
    if (!isOver) {
      isOver = true;
      hear.fail(error);
    }
  };
  const readEvents = () => {
    for (
      let end = call.responseText.indexOf("\n\n", read);
      end >= 0 && !isOver;
      end = call.responseText.indexOf("\n\n", read)
    ) {
      const block = call.responseText.slice(read, end);
      read = end + 2;
      const name = /^event: (.*)$/m.exec(block)?.[1];
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (name === undefined || data === undefined) {
        continue; // A comment, which keeps the connection alive.
      }
      if (name === "error") {
        fail(new ApiError(200, JSON.parse(data).error));
      } else {
        hear.event(name, JSON.parse(data));
      }
    }
  };
  call.upload.onprogress = ({ loaded, total }) => hear.upload(total > 0 ? loaded / total : 1);
  call.onprogress = () => call.status === 200 && readEvents();
  call.onload = () => {
    if (call.status !== 200) {
      fail(errorOf(call.status, call.responseText, call.getResponseHeader("Retry-After")));
      return;
    }
    readEvents();
    if (!isOver) {
      isOver = true;
      hear.end();
    }
  };
  call.onerror = () => fail(noAnswer());
  call.open("POST", "api/explain");
  call.setRequestHeader("Accept", "text/event-stream");
  if (apiKey.get() !== null) {
    call.setRequestHeader("Authorization", `Bearer ${apiKey.get()}`);
  }
  call.send(form);
  return {
    /** Lets go of it; nothing is heard any more. */
    abort() {
      isOver = true;
      call.abort();
    },
  };
}

/** @param {string} path */
async function getJson(path) {
  return (await send(path, {})).json();
}

/**
 * @param {string} path
 * @param {RequestInit} options
 */
async function send(path, options) {
  const key = apiKey.get();
  /** @type {Record<string, string>} */
  const headers = key === null ? {} : { Authorization: `Bearer ${key}` };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch {
    throw noAnswer();
  }
  if (!response.ok) {
    throw errorOf(response.status, await response.text(), response.headers.get("Retry-After"));
  }
  return response;
}

/**
 * @param {number} status
 * @param {string} body
 * @param {string | null} retryAfter
 */
function errorOf(status, body, retryAfter) {
  let error;
  try {
    ({ error } = JSON.parse(body));
  } catch {
    error = { message: `the server answered with status ${status}`, code: "unknown" };
  }
  return new ApiError(status, error, retryAfter === null ? null : Number(retryAfter));
}

function noAnswer() {
  return new ApiError(0, { message: `nothing answers at ${location.host}`, code: "network" });
}
