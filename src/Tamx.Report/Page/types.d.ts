// What the modules hand to each other. Types only: this file is not a part of the page.

import type { buildPictures } from "./pictures.js";
import type { buildStage } from "./stage.js";
import type { createSelection } from "./selection.js";
import type { createState } from "./state.js";
import type { Report } from "./report.js";
import type { createZoom } from "./zoom.js";

export type { Report } from "./report.js";

/** Tokens from one index to another, both included. */
export interface Span {
    from: number;
    to: number;
}

/** A span of the answer (indices in it), or of the prompt (kind "text": indices of the report's tokens). */
export interface Selection extends Span {
    kind: "answer" | "text";
}

/** One token, by the same indices. */
export interface TokenPlace {
    kind: Selection["kind"];
    index: number;
}

/** Cells of a grid; all four ends are included. */
export interface Box {
    top: number;
    left: number;
    bottom: number;
    right: number;
}

/** Cells of a frame of a picture or video. */
export interface Region extends Box {
    media: number;
    frame: number;
}

/** The low and the high end of a scale. */
export type Extent = [low: number, high: number];

// What ReportJson.cs writes. A token is named by its index in `tokens`, a vector by its byte offset among the packed
// numbers.

export interface ReportData {
    run: RunFacts;
    method: MethodFacts;
    writer: string;
    sequenceLength: number;
    hiddenSize: number;
    hasTexts: boolean;
    bits: number;
    mostSources: number;
    tokens: TokenList;
    wordStarts: number[];
    turns: Turn[];
    blocks: Block[];
    media: MediaData[];
    textOrder: number[];
    /** How many of the answer's tokens, from its first, are its thought. */
    thoughtTokens: number;
    prompt: TokenData[];
    answer: TokenData[];
    claims: Claim[];
    asked: AskedRegion | null;
    /** How many further maps of the same answer the file holds. */
    others: number;
}

/** A region of a picture that was hidden, kept alone or looked at; `box` in parts of the picture's sides. */
export interface AskedRegion {
    use: "hide" | "keep" | "lookAt";
    /** Which of the conversation's pictures; videos do not count. */
    picture: number;
    box: [left: number, top: number, right: number, bottom: number];
    alpha: number | null;
    /** By token of the answer, the change of ln p through it; null where that was not measured. */
    changes: number[] | null;
}

/** A box or a point that the answer names; `box` in parts of the picture's sides, tokens by their indices in it. */
export interface Claim {
    label: string;
    tokens: number[];
    coordinateTokens: number[];
    block: number;
    box: [left: number, top: number, right: number, bottom: number];
    isClamped: boolean;
    iou: number | null;
    pointing: number;
    mass: number;
    area: number;
    evidence: "inside" | "elsewhere" | "nowhere";
}

export interface RunFacts {
    created: string | null;
    model: string | null;
    modelDescription: string | null;
    modelFile: string | null;
    projectorFile: string | null;
    architecture: string | null;
    quantization: string | null;
    llamaVersion: string | null;
    tamxVersion: string | null;
    temperature: number | null;
    topK: number | null;
    topP: number | null;
    minP: number | null;
    seed: number | null;
    contextSize: number | null;
    threadCount: number | null;
    gpuLayerCount: number | null;
    seconds: Record<string, number | null>;
}

export interface MethodFacts {
    /** Method and layer in plain words. */
    name: string;
    profile: string;
    eci: boolean;
    eciStrength: number | null;
    filter: boolean;
    kernelSize: number;
    engine: string | null;
    wordMaps: "max" | "mean";
    options: Record<string, string | number | boolean | null>;
    /** Options that differ from those of the profile. */
    changed: Record<string, string | number | boolean | null>;
}

export interface TokenList {
    position: number[];
    id: number[];
    text: string[];
}

/** Items are tokens, or -1 - b for vision block b. The page makes a turn of its own of the answer's thought. */
export interface Turn {
    role: string;
    items: number[];
    isThought?: true;
}

export interface Block {
    frames: number;
    rows: number;
    columns: number;
}

export interface MediaData {
    isVideo: boolean;
    name: string;
    /** The whole of a picture whose tiles stand before it; the conversation has it once. */
    isWhole?: true;
    frames: FrameData[];
}

export interface FrameData {
    block: number;
    frame: number;
    picture: Picture | null;
}

export interface Picture {
    element: string;
    width: number;
    height: number;
    seconds: number | null;
    name: string | null;
}

/** `text`: the tokens that its relevance can belong to, or how many of `textOrder` they are. */
export interface TokenData {
    token: number;
    text: number | number[];
    candidates: number[];
    explained: ExplainedToken[];
}

/** A token of the vocabulary as it was explained at one place: the answer's own, or a candidate. */
export interface ExplainedToken {
    id: number;
    text: string;
    logit: number | null;
    probability: number | null;
    range: Extent;
    maps: (number | null)[];
    relevance: number;
}

/** What GrowingReport.cs writes for a token of an answer. */
export interface GrowingToken {
    from: number;
    tokens: TokenList;
    wordStarts: number[];
    isThought: boolean;
    explained: TokenData;
}

/** What GrowingReport.cs writes before the first token. */
export interface GrowingHead {
    data: ReportData;
    pictures: Record<string, { mediaType: string; bytes: string }>;
    vectors: string;
}

// What a report makes of it.

export interface AnswerToken extends TokenData {
    index: number;
}

export interface Frame extends FrameData {
    rows: number;
    columns: number;
}

/** A picture, or a video with its frames. */
export interface Media extends MediaData {
    index: number;
    /** Which of the conversation's pictures it is; null for a video. */
    pictureIndex: number | null;
    frames: Frame[];
}

/** Raw values over all frames of a block. */
export interface ActivationMap {
    values: Float32Array;
    minimum: number;
    maximum: number;
}

/** The part of a map that lies on one frame; values are row-major. */
export interface Grid {
    map: ActivationMap;
    rows: number;
    columns: number;
    values: Float32Array;
}

/** How much a span comes from a region; `whole`: how strong its whole map is, as a part of the strongest word's. */
export interface Finding {
    span: Span;
    share: number;
    strength: number;
    whole: number;
}

/** The greatest raw activations of an answer's words, over pictures and over text. */
export interface Strongest {
    map: number;
    text: number;
}

/** The second run's span for each token of the first one's answer. */
export interface Comparison {
    names: [string, string];
    pairs: ([number, number] | null)[];
}

export interface ComparedRuns {
    report: Report;
    methods: [Report];
    other: Report;
    comparison: Comparison;
}

/** A run with its maps by one method or several, the first of which `report` is; or two runs that are compared. */
export type Runs = ComparedRuns | { report: Report; methods: Report[]; other: null; comparison: null };

/** How a run was made, one of many; what has no value is not shown. */
export type Fact = [name: string, value: string | number | null];

/** How far two maps agree; null where that cannot be said. */
export interface Agreement {
    correlation: number | null;
    iou: number | null;
    difference: number | null;
}

// What is shown.

export interface State {
    selection: Selection | null;
    preview: Selection | null;
    candidate: number | null;
    region: Region | null;
    frames: Record<number, number>;
    unit: "token" | "word";
    direction: "from" | "to";
    rank: "share" | "strength";
    map: string;
    scale: "token" | "all";
    drawn: "smooth" | "cells";
    /** Of a run with several: the one that is shown; null for all side by side. */
    method: number | null;
    boxes: boolean;
    contour: boolean;
    opacity: number;
    query: string;
}

export type Selecting = ReturnType<typeof createSelection>;

export type StateStore = ReturnType<typeof createState>;

/** What an address may name. */
export interface AddressLimits {
    answerCount: number;
    tokenCount: number;
    isSelectable(token: number): boolean;
    candidateCount(answerIndex: number): number;
    media: { frames: { rows: number; columns: number }[] }[];
    maps: string[];
    methodCount: number;
}

/** How a map is drawn; colours are 256 RGB triples. Signed values have zero in the middle of the range. */
export interface Look {
    smooth: boolean;
    opacity: number;
    contour: boolean;
    colours: Uint8ClampedArray;
    range: Extent;
    isSigned?: boolean;
}

/** A run's maps over the pictures, or in a comparison the difference of two. */
export interface Layer {
    name: string | undefined;
    look: Look;
    isDifference?: boolean;
    /** Its greatest value as a part of that of the answer's strongest word; null for no map, and for a difference. */
    strength: number | null;
    grid(media: number, frame: number): Grid | null;
}

/** How strongly tokens are shaded, by their indices, and what the values mean. Only changes may be below zero. */
export interface Shade {
    kind: "from" | "to" | "region" | "change";
    values: Map<number, number>;
    highest: number;
    /** How strong the highest is: as a part of the greatest of the answer. */
    strength: number;
    /** The shade of the highest, from 0 to 1. */
    full: number;
}

export interface View {
    selection: Selection | null;
    isPreview: boolean;
    /** Of a selection of one answer token. */
    token: AnswerToken | null;
    explainedIndex: number;
    /** The run by each method that is shown. */
    reports: Report[];
    /** What stands side by side; one name, which may be empty, where nothing does. */
    names: string[];
    /** Maps over the pictures, as `names`; none for a selection that has no map. */
    layers: Layer[];
    /** What the answer says is where, as `names`. */
    claims: Claim[][];
    shade: Shade;
    /** What a look-up of a region found: each token, and what is listed in order. */
    found: { tokens: Finding[]; ranking: Finding[] } | null;
}

// What the page is made of.

/** Texts and elements are appended; see create in dom.js. */
export type Properties = Record<string, string | number | boolean | null | undefined | ((event: any) => unknown)>;

export interface MenuItem {
    name: string;
    action(): unknown;
}

/** A block of data in a report's file. */
export interface DataBlock {
    text: string;
    mediaType: string | undefined;
}

/** What a page shows around a report. */
export interface PageFrame {
    title: string;
    /** Elements before and after the header's own. */
    lead?: Node[];
    actions?: Node[];
    /** Further exports. */
    exports?: MenuItem[];
    /** Stands under the conversation. */
    below?: Node;
}

export interface ReportPage extends PageFrame {
    /** Size of the report's file. */
    bytes: number | null;
    /** Tokens will be appended. */
    isGrowing?: boolean;
    address(picture: Picture): string;
}

/** All texts in one string, and for each of its characters the token that it is of. */
export interface FoldedText {
    whole: string;
    owners: number[];
}

export interface Cell {
    row: number;
    column: number;
}

/** In parts of the sides of what it lies in. */
export interface Rectangle {
    left: number;
    top: number;
    width: number;
    height: number;
}

/** How many times larger than at fit a picture is, and which point of it is in the middle. */
export interface ZoomPoint {
    scale: number;
    x: number;
    y: number;
}

export type Zoom = ReturnType<typeof createZoom>;

/** A press in the making: a region, perhaps a click, a move, or two fingers. Where it began, and where it is. */
export interface PointerDrag {
    doing: "mark" | "press" | "move" | "pinch";
    start: { x: number; y: number };
    x: number;
    y: number;
}

/** What pointers over a picture do; places are in parts of its sides. */
export interface PointingActions {
    point(at: { x: number; y: number } | null): void;
    mark(from: { x: number; y: number }, to: { x: number; y: number }, isDrawing: boolean): void;
    /** What is being marked shall not be. */
    cancel(): void;
}

/** What a stage stands for; a region is made of its cells. */
export interface StagePlace {
    ratio: number;
    rows: number;
    columns: number;
}

export interface StageActions {
    region(box: Box | null, isDrawing: boolean): void;
    /** The value under the pointer. */
    read(value: number | null): void;
}

/** Takes a place in parts of the stage. */
export interface PointActions extends StageActions {
    point(at: { x: number; y: number } | null): void;
}

export interface PictureActions {
    region(region: Region | null, isDrawing: boolean): void;
    claim: ClaimActions;
    frame(media: number, frame: number): void;
    read(layer: number, value: number | null): void;
    address(picture: Picture): string;
}

export interface ClaimActions {
    select(claim: Claim): void;
    preview(claim: Claim | null): void;
}

export type Pictures = ReturnType<typeof buildPictures>;

/** A stage as it is drawn into a picture. */
export interface OverlayFigure {
    stage: ReturnType<typeof buildStage>;
    ratio: number;
    /** Picture and layer. */
    name: string;
    look: Look | null;
    claims: Claim[];
}

export interface ChatActions {
    click(kind: Selection["kind"], index: number, isExtending: boolean): void;
    drag(kind: Selection["kind"], from: number, to: number): void;
    preview(at: TokenPlace | null): void;
    reveal(media: number, frame: number): void;
}

export interface InspectorActions {
    /** By its rank; null for the answer's own token. */
    candidate(rank: number | null): void;
    direction(value: State["direction"]): void;
    rank(value: State["rank"]): void;
    select(at: TokenPlace): void;
    /** Selects a span of the answer. */
    span(span: Span): void;
    preview(at: TokenPlace | null): void;
    clearRegion(): void;
}

/** What the inspector shows; show is told of changes within it. */
export interface Card {
    elements: Node[];
    show?(view: View, state: State): void;
}

/** An answer's token on the way to the report. */
export interface ArrivedToken {
    token: GrowingToken;
    packed: Uint8Array;
}

/** A line of the candidates' list; rank is null for an answer's token that is no candidate. */
export interface Choice {
    explained: number;
    rank: number | null;
}

/** A word with how far the picture supports it; `gain` is in ln p. */
export interface WordSupport {
  text: string;
  tokens: number[];
  verdict: "seen" | "said" | "unsupported" | null;
  gain: number;
  opposition: number | null;
  presence: number | null;
  concentration: number | null;
}

/** The check of a word's map: probabilities along both orders. */
export interface WordCheck {
  sentence: string;
  deletion: number[];
  insertion: number[];
  randomDeletion: number[];
  randomInsertion: number[];
}

/** How far to trust the report. */
export interface SupportBlock {
  calibration: string | null;
  words: WordSupport[];
  checks: WordCheck[];
}
