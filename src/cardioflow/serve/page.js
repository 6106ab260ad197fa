"use strict";

const at = (id) => document.getElementById(id);
let bundles = [];

function about() {
  const own = bundles.find((b) => b.name === at("bundle").value);
  at("about").textContent = own ? `${own.title}. ${own.intended} Not for: ${own.not_for.join(", ") || "not stated"}.` : "";
}

function rows(answer) {
  const found = Object.entries(answer.probabilities || {}).map(([name, p]) => [name, p.toFixed(3)]);
  if (answer.prediction_set) found.push(["set", answer.prediction_set.join(", ") || "none"]);
  if (answer.beats) found.push(["beats", String(answer.beats.sample.length)]);
  if (answer.waves) for (const kind of ["P", "QRS", "T"]) found.push([kind, String(answer.waves.whole[kind].onset.length)]);
  for (const [name, own] of Object.entries(answer.leads || {}))
    found.push([name, `${own.acceptable ? "acceptable" : "not acceptable"} ${own.reasons.join(", ")}`]);
  for (const note of answer.notes || []) found.push(["note", note.text]);
  return found;
}

function show(text, answer, wrong) {
  at("said").textContent = text;
  at("said").className = wrong ? "wrong" : "";
  at("table").replaceChildren(...rows(answer).map((cells) => {
    const row = document.createElement("tr");
    for (const cell of cells) row.append(Object.assign(document.createElement("td"), { textContent: cell }));
    return row;
  }));
  at("json").textContent = JSON.stringify(answer, null, 1);
}

async function send(file) {
  const name = file.name.replace(/[^A-Za-z0-9_.-]/g, "_").replace(/^[^A-Za-z0-9_]/, "_").slice(-100);
  show("Reading …", {}, false);
  try {
    const url = `/v1/predict/${encodeURIComponent(at("bundle").value)}?filename=${encodeURIComponent(name)}`;
    const response = await fetch(url, { method: "POST", body: file });
    const answer = await response.json();
    if (!response.ok) show(typeof answer.detail === "string" ? answer.detail : "The request is not valid.", {}, true);
    else if (!answer.judged) show(`Cannot be judged: ${answer.reasons.map((r) => r.text).join(" ")}`, answer, true);
    else show(answer.labels.join(", ") || "Done.", answer, false);
  } catch (error) {
    show(`The server cannot be reached: ${error.message}`, {}, true);
  }
}

at("bundle").addEventListener("change", about);
at("file").addEventListener("change", () => at("file").files.length && send(at("file").files[0]));
for (const event of ["dragover", "dragleave", "drop"])
  at("drop").addEventListener(event, (e) => {
    e.preventDefault();
    at("drop").classList.toggle("over", event === "dragover");
    if (event === "drop" && e.dataTransfer.files.length) send(e.dataTransfer.files[0]);
  });
fetch("/v1/bundles").then((r) => r.json()).then((found) => {
  bundles = found;
  at("bundle").replaceChildren(...found.map((b) => new Option(`${b.name} ${b.release}`, b.name)));
  about();
});
