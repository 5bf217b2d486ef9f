// Playback: how the events of a run that have come are shown, one after another.

import { isIdle } from "./bench.js";
import { clearDetail, showDetail } from "./detail.js";
import { byId, plural } from "./dom.js";
import {
  clearLadder, current, frames, manner, showArrived, showLine, showPassage, showSent,
} from "./ladder.js";
import { hideResult, showEnd } from "./result.js";

// Everything that has come of the run, in order; the first `shown` events are on the page.
let events = [];
let shown = 0;
// When the last of them was, in microseconds of the run.
let shownTime = null;
let isPaused = false;
let isReplay = false;
let timer = null;

const longest = 1500;
const waitFor = (event) => {
  if (manner.isCatchingUp || shownTime === null || event.t === undefined) return 0;
  const gap = Math.max(0, event.t - shownTime) / 1e6;
  switch (byId("pace").value) {
    case "steady": return event.type === "arrived" ? 250 : event.type === "sent" ? 550 : 120;
    case "slow": return Math.min(longest, gap * 100);
    default: return isReplay ? Math.min(longest, gap) : 0;
  }
};

const stopTimer = () => {
  clearTimeout(timer);
  timer = null;
};

// What is seen changes often; a screen reader hears less of it.
const say = (text, isHeard = true) => {
  byId("status").textContent = text;
  if (isHeard) byId("said").textContent = text;
};

const progress = () => {
  const waits = events.length - shown;
  return `${plural(frames.size, "segment")} shown${waits ? `, ${plural(waits, "event")} to come` : ""}.`;
};

// While it plays one hears how far it is, now and then; a step tells its own segment.
let saidAt = 0;
const sayNow = () => {
  const isHeard = performance.now() - saidAt > 6000;
  if (isHeard) saidAt = performance.now();
  say(progress(), isHeard);
};

const show = (event) => {
  if (event.t !== undefined) shownTime = event.t;
  switch (event.type) {
    case "sent": return showSent(event);
    case "arrived": {
      const text = showArrived(event);
      const frame = frames.get(event.n);
      if (frame.row === current) showDetail(frame);
      return text;
    }
    case "line": return showLine(event);
    case "passage": return showPassage(event);
    case "end": return showEnd(event);
    default: return "";
  }
};

const showNext = () => {
  const event = events[shown];
  shown += 1;
  const text = show(event);
  if (event.type === "end") say(text);
  else if (!isPaused) sayNow();
  return text;
};

export const play = () => {
  if (timer !== null || isPaused) return;
  if (shown >= events.length) {
    manner.isCatchingUp = false;
    return;
  }
  const wait = waitFor(events[shown]);
  if (wait > 0) {
    timer = setTimeout(() => {
      timer = null;
      if (isPaused) return;
      showNext();
      play();
    }, wait);
    return;
  }
  // What is to be shown at once is shown in turns, so that keys are heard meanwhile.
  manner.isSkipping = events.length - shown > 5;
  for (let count = 0; count < 100 && shown < events.length && waitFor(events[shown]) === 0; count += 1) {
    showNext();
  }
  manner.isSkipping = false;
  timer = setTimeout(() => {
    timer = null;
    play();
  }, 0);
};

const clear = () => {
  stopTimer();
  shown = 0;
  shownTime = null;
  clearLadder();
  hideResult();
  clearDetail();
};

// A run begins: what was there of another one goes.
export const begin = (name) => {
  clear();
  events = [];
  isReplay = false;
  manner.isCatchingUp = false;
  say(`${name} begins.`);
};

export const add = (event) => {
  events.push(event);
};

// Show what is left without waiting.
export const catchUp = () => {
  manner.isCatchingUp = true;
  stopTimer();
};

export const changePace = () => {
  stopTimer();
  play();
};

export const setPaused = (paused) => {
  isPaused = paused;
  byId("pause").setAttribute("aria-pressed", String(paused));
  byId("pause").textContent = paused ? "Continue" : "Pause";
  if (paused) {
    stopTimer();
    say(`Paused. ${progress()} The hosts do not wait.`);
  } else {
    play();
  }
};

export const togglePaused = () => setPaused(!isPaused);

export const step = () => {
  if (!isPaused) setPaused(true);
  if (shown < events.length) say(showNext());
  else say(isIdle() ? "That was all." : "Nothing more has happened yet.");
};

export const replay = () => {
  if (!events.length) return;
  clear();
  isReplay = true;
  manner.isCatchingUp = false;
  if (isPaused) say("Again from the beginning; step by step.");
  play();
};
