// The live laboratory's page: what comes of the laboratory, and keys and clicks.

import { fillBench, order, send, setConnection, setPhase } from "./bench.js";
import { clearDetail, detail, showDetail } from "./detail.js";
import { byId } from "./dom.js";
import { choose, chooseNone, current, frames, neighbour, rows } from "./ladder.js";
import {
  add, begin, catchUp, changePace, play, replay, setPaused, step, togglePaused,
} from "./playback.js";

const root = document.documentElement;

// The stream of events.

const source = new EventSource("events");
const listen = (type, act) => {
  source.addEventListener(type, (message) => act(JSON.parse(message.data)));
};
source.onopen = () => setConnection("");
source.onerror = () => {
  setConnection(source.readyState === EventSource.CLOSED
    ? "The laboratory shows nothing to this page: too many look on, or it has been started anew. Load the page again."
    : "The connection to the laboratory is lost; trying again…");
};
listen("phase", (event) => {
  setPhase(event.phase);
  play();
});
listen("place", (event) => {
  byId("place").textContent = event.text;
  byId("place").classList.toggle("is-poor", event.isolation === "none");
});
let hasBegun = false;
let beganAt = 0;
listen("begin", (event) => {
  hasBegun = true;
  beganAt = performance.now();
  if (byId("experiment").value !== event.name) {
    byId("experiment").value = event.name;
    fillBench();
  }
  byId("wire-says").textContent = event.wire.join("; ");
  begin(event.name);
});
for (const type of ["sent", "arrived", "line", "passage", "end"]) {
  listen(type, (event) => {
    if (!hasBegun) return;
    event.type = type;
    add(event);
    // A run that comes faster than it went was over before this page was opened.
    if (type === "end" && performance.now() - beganAt < 500 * event.seconds) catchUp();
    play();
  });
}

// Keys and clicks.

const select = (row) => {
  choose(row);
  showDetail(frames.get(Number(row.dataset.n)));
};
const unselect = () => {
  chooseNone();
  clearDetail();
};
const toggleEquations = () => {
  const hides = document.body.classList.toggle("no-equations");
  byId("equations").setAttribute("aria-pressed", String(!hides));
};
const themes = ["system", "light", "dark"];
byId("theme").addEventListener("click", (event) => {
  const now = themes[(themes.indexOf(root.dataset.theme || "system") + 1) % themes.length];
  if (now === "system") delete root.dataset.theme;
  else root.dataset.theme = now;
  event.currentTarget.textContent = `Theme: ${now}`;
});
byId("equations").addEventListener("click", toggleEquations);
byId("pause").addEventListener("click", togglePaused);
byId("step").addEventListener("click", step);
byId("replay").addEventListener("click", replay);
byId("pace").addEventListener("change", changePace);
byId("experiment").addEventListener("change", fillBench);
byId("stop").addEventListener("click", () => send("stop", {}));
byId("bench").addEventListener("submit", (event) => {
  event.preventDefault();
  setPaused(false);
  send("run", order());
});

document.addEventListener("click", (event) => {
  const link = event.target.closest(".cite");
  if (link) {
    event.preventDefault();
    const row = byId(`f${link.dataset.to}`);
    if (row) select(row);
    return;
  }
  const row = event.target.closest("[data-n]");
  if (row && !String(getSelection())) select(row);
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (["SELECT", "INPUT", "TEXTAREA"].includes(event.target.tagName)) return;
  if (event.target === detail && event.key !== "Escape") return;
  const go = {
    ArrowDown: () => (current ? neighbour(current, "nextElementSibling") : rows()[0]),
    ArrowUp: () => (current ? neighbour(current, "previousElementSibling") : [...rows()].pop()),
    Home: () => rows()[0],
    End: () => [...rows()].pop(),
  };
  go.j = go.ArrowDown;
  go.k = go.ArrowUp;
  const act = { p: togglePaused, s: step, a: replay, e: toggleEquations, Escape: unselect };
  if (go[event.key]) {
    const row = go[event.key]();
    if (!row) return;
    event.preventDefault();
    select(row);
  } else if (act[event.key]) {
    act[event.key]();
  } else if ((event.key === "Enter" || event.key === " ") && event.target.dataset.n) {
    event.preventDefault();
    select(event.target);
  }
});

fillBench();
setConnection("");
