// The ladder: a row for each segment and for each line that a program writes, and which row is chosen.

import { byId, make, makeSvg } from "./dom.js";

export const ladder = byId("ladder");

// The segments on the page by their numbers: event, row, line and arrivals of each.
export const frames = new Map();

// The chosen row.
export let current = null;

// How rows come: at once, or one by one to be looked at.
export const manner = { isCatchingUp: false, isSkipping: false };

const arrivalsBelow = new WeakMap();

const follow = (element) => {
  // Only for who looks at the end anyway.
  const isAtEnd = innerHeight + scrollY > document.documentElement.scrollHeight - 260;
  return () => {
    if (isAtEnd && !current && !manner.isCatchingUp) element.scrollIntoView({ block: "nearest" });
  };
};

const addRow = (row) => {
  const keepUp = follow(row);
  byId("empty").hidden = true;
  if (!manner.isSkipping) row.classList.add("is-new");
  ladder.append(row);
  keepUp();
};

// Each of these returns what a screen reader says.

export const showSent = (event) => {
  const fromClient = event.sender === "client";
  const row = make("li", `row ${event.kind} ${fromClient ? "c" : "s"}`);
  row.id = `f${event.n}`;
  row.dataset.n = event.n;
  row.tabIndex = frames.size ? -1 : 0;
  const number = make("span", "no");
  number.append(make("span", "hidden-text", "Segment "), String(event.n));
  if (event.stream) number.append(make("small", "", `conn. ${event.stream}`));
  const time = make("span", "t", event.time);
  time.append(make("small", "", event.delta));
  const way = make("span", "way");
  const svg = makeSvg("svg", { "aria-hidden": "true" });
  const line = makeSvg("line", {
    x1: fromClient ? "1.5%" : "98.5%", y1: 28, x2: "50%", y2: 34,
    class: event.is_lost ? "lost" : "flying",
  });
  svg.append(line);
  if (event.is_lost) {
    const cross = makeSvg("svg", { x: "50%", y: 34, overflow: "visible" });
    cross.append(makeSvg("path", { class: "cross", d: "M-5 -5L5 5M5 -5L-5 5" }));
    svg.append(cross);
  }
  way.append(svg, make("span", "hidden-text", fromClient ? "client to server: " : "server to client: "));
  way.append(make("span", "lab", event.label));
  const says = make("span", "says");
  const text = make("p");
  for (const mark of event.marks) text.append(make("span", "mark", mark));
  if (event.findings.some((finding) => finding.verdict === "FAIL")) {
    text.append(make("span", "mark failed", "FAIL"));
  }
  text.append(event.sentence);
  says.append(text);
  for (const note of event.notes) says.append(make("span", event.is_lost ? "fate lost" : "fate", note));
  if (event.equation) says.append(make("span", "eq", event.equation));
  row.append(number, time, way, says);
  frames.set(event.n, { event, row, line, arrivals: [] });
  addRow(row);
  return `#${event.n}, ${fromClient ? "client to server" : "server to client"}: ${event.label}. ${event.sentence}`;
};

// An arrow ends where the ladder was when the segment arrived.
const drawArrival = (frame, arrival) => {
  const fromClient = frame.event.sender === "client";
  const { line, below, place } = arrival;
  // Of several that arrive below the same row, each ends lower than those before it.
  const inside = (below.dataset.n ? 38 : 12) + 7 * place;
  const end = below.offsetTop - frame.row.offsetTop + Math.min(inside, below.offsetHeight - 3);
  line.setAttribute("x2", fromClient ? "99%" : "1%");
  line.setAttribute("y2", String(end));
};

export const showArrived = (event) => {
  const frame = frames.get(event.n);
  let line = frame.line;
  if (frame.arrivals.length) {
    line = frame.line.cloneNode();
    frame.line.after(line);
  }
  const fromClient = frame.event.sender === "client";
  line.removeAttribute("class");
  line.setAttribute("marker-end", `url(#m-${frame.event.kind === "reset" ? "reset" : fromClient ? "c" : "s"})`);
  const below = ladder.lastElementChild;
  const place = arrivalsBelow.get(below) || 0;
  arrivalsBelow.set(below, place + 1);
  const arrival = { event, line, below, place };
  frame.arrivals.push(arrival);
  drawArrival(frame, arrival);
  return `#${event.n} arrives after ${event.took}`;
};

const addSaid = (who, time, speaker, text) => {
  const row = make("li", `row said ${who}`);
  const says = make("span", "says");
  says.append(make("b", "", `${speaker} `), text);
  row.append(make("span"), make("span", "t", time), make("span", "way"), says);
  addRow(row);
};

export const showLine = (event) => {
  addSaid(event.host, event.time, event.program, event.text);
  return `${event.host}, ${event.program}: ${event.text}`;
};

export const showPassage = (event) => {
  const speaker = `connection ${event.connection}, ${event.sender}`;
  addSaid(event.sender, event.time, speaker, event.what);
  return `${speaker}: ${event.what}`;
};

export const clearLadder = () => {
  current = null;
  frames.clear();
  ladder.replaceChildren();
  byId("empty").hidden = false;
};

// Rows change their height with the width of the window, and with the equations.
new ResizeObserver(() => {
  for (const frame of frames.values()) {
    for (const arrival of frame.arrivals) drawArrival(frame, arrival);
  }
}).observe(ladder);

// Which row is chosen.

export const rows = () => ladder.querySelectorAll("[data-n]");

export const neighbour = (row, way) => {
  let next = row[way];
  while (next && !next.dataset.n) next = next[way];
  return next;
};

export const choose = (row) => {
  if (current) {
    current.removeAttribute("aria-current");
    current.tabIndex = -1;
  } else {
    const first = ladder.querySelector("[data-n]");
    if (first) first.tabIndex = -1;
  }
  current = row;
  row.setAttribute("aria-current", "true");
  row.tabIndex = 0;
  row.focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
};

export const chooseNone = () => {
  if (current) current.removeAttribute("aria-current");
  current = null;
};
