// The result: what was expected, what came of it, and the files to keep.

import { byId, make, plural } from "./dom.js";
import { frames } from "./ladder.js";

// What most people want comes first, the reports under the names of the page over all experiments.
const REPORTS = { "report.html": "report at the client", "report-server.html": "report at the server" };
const FIRST = [...Object.keys(REPORTS), "client.pcapng", "server.pcapng", "output.txt"];

const fileLink = (event, name) => {
  const isPage = name in REPORTS;
  const link = make("a", "", isPage ? `open the ${REPORTS[name]}` : name);
  link.href = `results/${event.name}/${name}`;
  if (isPage) link.target = "_blank";
  else link.download = `${event.name}-${name}`;
  if (isPage) link.rel = "noopener";
  return link;
};

export const showEnd = (event) => {
  const verdict = byId("verdict");
  const met = event.results.filter((result) => result.is_met).length;
  let text = "It ran; without a capture nothing can be checked.";
  let how = "";
  if (event.problem) [text, how] = [`It failed: ${event.problem}`, "no-good"];
  else if (event.is_stopped) text = "Stopped.";
  else if (event.is_judged && event.is_met) {
    [text, how] = [`As expected: ${met} of ${event.results.length}`, "yes"];
  } else if (event.is_judged) {
    [text, how] = [`Not as expected: ${met} of ${event.results.length}`, "no-good"];
  }
  verdict.textContent = text;
  verdict.className = how;
  const list = byId("expectations");
  list.replaceChildren();
  for (const result of [...event.results].sort((a, b) => a.is_met - b.is_met)) {
    const item = make("li", result.is_met ? "met" : "unmet");
    item.append(make("span", "hidden-text", result.is_met ? "met: " : "not met: "));
    item.append(result.expected, " ");
    item.append(make("small", "", `at the ${result.end}: ${result.found}`));
    list.append(item);
  }
  if (event.left_out) {
    list.prepend(make("li", "", "Not everything is shown here: the reports and captures have more."));
  }
  const files = byId("files");
  files.replaceChildren();
  const rest = event.files.filter((each) => each !== "thumbnail.svg" && !FIRST.includes(each));
  for (const name of [...FIRST.filter((each) => event.files.includes(each)), ...rest]) {
    const item = make("li");
    item.append(fileLink(event, name));
    files.append(item);
  }
  byId("result").hidden = false;
  const total = frames.size ? ` ${plural(frames.size, "segment")} in all.` : "";
  return `${text.replace(/\.$/, "")}.${total}`;
};

export const hideResult = () => {
  byId("result").hidden = true;
};
