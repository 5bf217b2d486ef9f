// The bench: what can be ordered, and what it does just now.

import { byId } from "./dom.js";

const catalogue = JSON.parse(document.body.dataset.catalogue);
const token = document.body.dataset.token;

const chosen = () => catalogue[byId("experiment").value];

export const fillBench = () => {
  const experiment = chosen();
  byId("question").textContent = experiment.question;
  byId("look-for").textContent = experiment.look_for;
  byId("programs").textContent = experiment.programs;
  byId("explanation").textContent = experiment.explanation;
  byId("wire-says").textContent = experiment.wire.join("; ");
  byId("rules").value = experiment.rules.join("\n");
  byId("seed").placeholder = String(experiment.seed);
};

export const order = () => {
  const experiment = chosen();
  const knobs = {};
  for (const input of document.querySelectorAll(".knobs input[name]")) {
    if (input.value.trim()) knobs[input.name] = input.value.trim();
  }
  const asked = { experiment: experiment.name, knobs };
  const rules = byId("rules").value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (rules.join("\n") !== experiment.rules.join("\n")) asked.rules = rules;
  const seed = byId("seed").value.trim();
  if (seed) asked.seed = /^[0-9]+$/.test(seed) ? Number(seed) : seed;
  return asked;
};

export const send = async (path, body) => {
  byId("problem").textContent = "";
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Netlab-Token": token },
      body: JSON.stringify(body),
    });
    if (answer.ok) return;
    const type = answer.headers.get("Content-Type") || "";
    byId("problem").textContent = type.includes("json")
      ? (await answer.json()).problem
      : "The laboratory has been started anew since: load this page again.";
  } catch {
    byId("problem").textContent = "The laboratory does not answer; has it been stopped?";
  }
};

let phase = "preparing";
let connection = "";

const showPhase = () => {
  const says = {
    preparing: "preparing…",
    idle: "",
    running: "running…",
    stopping: "stopping…",
    reporting: "judging and explaining…",
  };
  byId("phase").textContent = connection || says[phase];
  byId("stop").disabled = phase !== "running";
};

export const isIdle = () => phase === "idle";

export const setPhase = (now) => {
  phase = now;
  showPhase();
};

// What is wrong with the connection to the laboratory; empty while nothing is.
export const setConnection = (problem) => {
  connection = problem;
  showPhase();
};
