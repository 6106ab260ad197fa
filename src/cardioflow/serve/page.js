"use strict";

const at = (id) => document.getElementById(id);
const UNITS = { heart_rate: "/min", p_axis: "°", qrs_axis: "°", t_axis: "°" };
const ABOUT = {
  report: "One page with the ECG on paper true to scale, measurements with normal ranges, rhythm, quality and doubts.",
  measure: "Heart rate, intervals, axes and amplitudes of the median beat.",
};
let bundles = [];
let last = null;
let address = "";

function about() {
  const bundle = own();
  at("about").textContent = bundle
    ? `${bundle.title}. ${bundle.intended} Not for: ${bundle.not_for.join(" ") || "not stated"}`
    : ABOUT[at("what").value];
}

const own = () => bundles.find((b) => `predict/${b.name}` === at("what").value);

function said(label) {
  const meaning = own() && own().meanings[label];
  return meaning ? `${meaning} (${label})` : label;
}

function measured(name, value) {
  return UNITS[name] ? `${value.toFixed(0)} ${UNITS[name]}` : `${(1000 * value).toFixed(0)} ms`;
}

function rows(answer) {
  const found = Object.entries(answer.probabilities || {}).map(([name, p]) => [said(name), p.toFixed(3)]);
  if (answer.prediction_set) found.push(["cannot be excluded", answer.prediction_set.map(said).join(", ") || "none"]);
  if (answer.beats) found.push(["beats", String(answer.beats.sample.length)]);
  if (answer.waves) for (const kind of ["P", "QRS", "T"]) found.push([kind, String(answer.waves.whole[kind].onset.length)]);
  for (const [name, value] of Object.entries(answer.whole || {}))
    found.push([name.replaceAll("_", " "), value === null ? `not measured: ${answer.reasons[name]}` : measured(name, value)]);
  for (const [name, lead] of Object.entries((answer.probabilities && answer.leads) || {}))
    found.push([name, `${lead.acceptable ? "acceptable" : "not acceptable"} ${lead.reasons.join(", ")}`]);
  for (const note of answer.notes || []) if (note.text) found.push(["note", note.text]);
  for (const text of answer.warnings || []) found.push(["warning", text]);
  return found;
}

function show(text, answer, wrong) {
  at("said").textContent = text;
  at("said").className = wrong ? "wrong" : "";
  at("table").replaceChildren(...rows(answer || {}).map((cells) => {
    const row = document.createElement("tr");
    row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: cells[0] }));
    row.append(Object.assign(document.createElement("td"), { textContent: cells[1] }));
    return row;
  }));
  at("json").textContent = answer ? JSON.stringify(answer, null, 1) : "";
  at("details").hidden = !answer;
}

function showReport(page) {
  URL.revokeObjectURL(address);
  address = page ? URL.createObjectURL(new Blob([page], { type: "text/html" })) : "";
  at("save").hidden = at("report").hidden = !page;
  Object.assign(at("link"), { href: address, download: "report.html" });
  at("report").srcdoc = page;
}

function summary(answer) {
  if (answer.judged === false) return `Cannot be judged: ${answer.reasons.map((r) => r.text).join(" ")}`;
  if (answer.whole) return `${answer.n_beats} beats`;
  return (answer.labels || []).map(said).join(", ") || "Done.";
}

async function send(file) {
  last = file;
  const name = file.name.replace(/[^A-Za-z0-9_.-]/g, "_").replace(/^[^A-Za-z0-9_]/, "_").slice(-100);
  showReport("");
  show("Reading …", null, false);
  try {
    const response = await fetch(`/v1/${at("what").value}?filename=${encodeURIComponent(name)}`, { method: "POST", body: file });
    const isPage = (response.headers.get("content-type") || "").startsWith("text/html");
    const answer = isPage ? await response.text() : await response.json();
    if (!response.ok) show(typeof answer.detail === "string" ? answer.detail : "The request is not valid.", null, true);
    else if (isPage) {
      show("The report is below.", null, false);
      showReport(answer);
    } else show(summary(answer), answer, answer.judged === false);
  } catch (error) {
    show(`The server cannot be reached: ${error.message}`, null, true);
  }
}

at("what").addEventListener("change", () => {
  about();
  if (last) send(last);
});
at("file").addEventListener("change", () => at("file").files.length && send(at("file").files[0]));
for (const event of ["dragover", "dragleave", "drop"])
  at("drop").addEventListener(event, (e) => {
    e.preventDefault();
    at("drop").classList.toggle("over", event === "dragover");
    if (event === "drop" && e.dataTransfer.files.length) send(e.dataTransfer.files[0]);
  });
show("None yet.", null, false);
about();
fetch("/v1/bundles").then((r) => r.json()).then((found) => {
  bundles = found;
  at("what").append(...found.map((b) => new Option(`bundle ${b.name} ${b.release}`, `predict/${b.name}`)));
});
