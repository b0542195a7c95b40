// What the app's modules hand to each other. Types only: this file is not a part of the page.

import type { ApiError } from "./api.js";
import type { Conversation } from "./conversation.js";
import type { GrowingHead, GrowingToken, WordSupport } from "./report/types.js";

export type { ApiError } from "./api.js";
export type { Conversation } from "./conversation.js";

/** What /api/config says. */
export interface Config {
    model: ServedModel | null;
    keyNeeded: boolean;
    limits: Limits;
    defaults: Defaults;
}

/** The model, once it is loaded. */
export interface ServedModel {
    name: string | null;
    description: string | null;
    quantization: string | null;
    seesPictures: boolean;
    readsVideoFiles: boolean;
}

export interface Limits {
    maxBodyBytes: number;
    maxPictureBytes: number;
    maxPicturePixels: number;
    maxPictures: number;
    maxFrames: number;
    maxTextCharacters: number;
    maxAnswerTokens: number;
    maxCandidates: number;
}

/** What a request is filled up with. */
export interface Defaults {
    maxTokens: number;
    candidates: number;
    fps: number;
    sampling: { temperature: number; topK: number; topP: number; seed: number };
    options: Profile;
    profiles: Record<string, Profile>;
}

/** The options of a method, as far as the page offers them. */
export interface Profile {
    profile: string;
    applyEci: boolean;
    applyFilter: boolean;
    kernelSize: number;
    wordMaps: string;
    explainPrompt: boolean;
}

/** A run of the server's list. */
export interface Run {
    run: string;
    created: string;
    state: string;
    prompt: string;
    answer: string | null;
}

export type RunFile = "report.html" | "trace.safetensors" | "maps.json";

/** A refusal or failure as the server writes it. */
export interface ErrorBody {
    message: string;
    code: string;
}

/** A picture or video that goes with a question. */
export interface Attachment {
    file: File;
    kind: "picture" | "video";
    address: string;
    thumbnail: HTMLElement;
    width: number;
    height: number;
}

/** What is known of a file before it is taken. */
export type FileFacts = Pick<Attachment, "file" | "kind" | "width" | "height">;

/** What a file is checked against. */
export interface FileRules {
    limits: Limits;
    seesPictures: boolean;
    readsVideos: boolean;
}

/** A question as it was written; without an answer the model writes one. */
export interface Draft {
    text: string;
    answer: string | null;
    files: Attachment[];
    system: string;
    request: Record<string, unknown>;
    /** The whole conversation, where it was written as one. */
    conversation: Conversation | null;
}

/** A question about a region of the picture: hidden, all that is left, or where to look. */
export interface WhatIf {
    use: "hide" | "keep" | "lookAt";
    isAnew: boolean;
    alpha: number;
}

/** A request's region; docs/server.md describes it. */
export interface RegionRequest {
    use: WhatIf["use"];
    picture: number;
    box: [left: number, top: number, right: number, bottom: number];
    alpha?: number;
}

/** A token as a run read it. */
export type ReadToken = { text: string; probability: number | null };

/** A token's probability before and after a change, and the difference of their logarithms. */
export interface ChangedToken {
    index: number;
    text: string;
    before: number;
    after: number;
    change: number;
}

/** Files are indices of the conversation's. */
export interface ConversationTurn {
    role: "system" | "user" | "assistant";
    text: string;
    files: number[];
}

/** What the server sends while it answers; docs/server.md describes it. */
/** A word with how far the pictures support it, as it comes from the server. */
export type WordEvidence = Omit<WordSupport, "gain"> & { pictureGain: number };

export interface ServerEvents {
    run: { run: string };
    queued: { position: number };
    progress: { phase: string; done: number; total: number };
    head: GrowingHead;
    token: GrowingToken & { vectors: string };
    verdict: { calibration: string | null; words: WordEvidence[] };
    done: {
        run: string;
        answer: string;
        seconds: Record<string, number>;
        calibration?: string;
        regionChanges?: number[];
    };
}

/** Hears an upload and its answer. Of end and fail one comes last, once. */
export interface CallListener {
    upload(share: number): void;
    event(name: string, data: unknown): void;
    end(): void;
    fail(error: ApiError): void;
}

/** Hears one answer. Of done and fail one comes last, once. */
export interface AnswerListener {
    /** The run has a name. */
    run(run: string): void;
    /** The share of the phase that is done, or null where that cannot be known. */
    progress(phase: string, share: number | null, note: string): void;
    head(head: ServerEvents["head"]): void;
    token(token: ServerEvents["token"]): void;
    /** How far the pictures support each word, where that was asked for: after the last token. */
    verdict(verdict: ServerEvents["verdict"]): void;
    done(done: ServerEvents["done"]): void;
    fail(error: ApiError): void;
    /** Stopping was refused; the answer goes on. */
    trouble(error: unknown): void;
}

/** An option of a request. Its own value is one that differs from the server's. */
export interface Option {
    name: string;
    element: HTMLElement;
    readonly value: string;
    readonly isOwn: boolean;
    readonly isValid: boolean;
    /** Null for the server's value. */
    set(value: string | null): void;
    /** Says what the value is where the method decides. */
    follow?(profile: Profile): void;
}
