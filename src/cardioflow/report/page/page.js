"use strict";
(function () {
  const tools = document.getElementById("tools");
  if (!tools) return;
  const text = JSON.parse(document.getElementById("texts").textContent);
  const papers = Array.from(document.querySelectorAll(".scroll svg.paper"));
  const reading = tools.querySelector(".reading"), help = tools.querySelector(".help");
  let zoom = 1;
  let measuring = false;
  let box = null;

  function button(name, act) {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text[name];
    made.addEventListener("click", act);
    tools.insertBefore(made, help);
    return made;
  }

  function scale(to) {
    zoom = Math.min(8, Math.max(0.25, to));
    for (const svg of papers) {
      svg.style.width = "calc(" + svg.dataset.w + "mm * " + zoom + ")";
      svg.style.height = "calc(" + svg.dataset.h + "mm * " + zoom + ")";
    }
  }

  function place(svg, event) {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    return { x: at.x, y: at.y };
  }

  function draw() {
    const left = Math.min(box.a.x, box.b.x), top = Math.min(box.a.y, box.b.y);
    box.rect.setAttribute("x", left);
    box.rect.setAttribute("y", top);
    box.rect.setAttribute("width", Math.abs(box.a.x - box.b.x));
    box.rect.setAttribute("height", Math.abs(box.a.y - box.b.y));
    const seconds = Math.abs(box.a.x - box.b.x) / 100 / Number(box.svg.dataset.speed);
    const millivolts = (box.a.y - box.b.y) / 100 / Number(box.svg.dataset.gain);
    reading.textContent = text.reading
      .replace("{ms}", Math.round(1000 * seconds))
      .replace("{bpm}", seconds > 0 ? Math.round(60 / seconds) : "–")
      .replace("{mv}", millivolts.toFixed(2));
  }

  function begin(svg, a, b) {
    if (box) box.rect.remove();
    const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
    rect.setAttribute("class", "caliper");
    svg.appendChild(rect);
    box = { svg: svg, rect: rect, a: a, b: b };
    draw();
  }

  button("zoom_in", () => scale(zoom * 1.25));
  button("zoom_out", () => scale(zoom / 1.25));
  button("true_size", () => scale(1));
  const toggle = button("calipers", () => {
    measuring = !measuring;
    toggle.setAttribute("aria-pressed", String(measuring));
    document.body.classList.toggle("measuring", measuring);
    // The bar keeps its height while a caliper moves, or the paper would move under it.
    help.hidden = !measuring;
    reading.textContent = measuring ? "" : text.off;
    if (!measuring && box) { box.rect.remove(); box = null; }
  });
  toggle.setAttribute("aria-pressed", "false");

  for (const svg of papers) {
    let dragging = false;
    svg.addEventListener("pointerdown", (event) => {
      if (!measuring) return;
      const at = place(svg, event);
      begin(svg, at, { x: at.x, y: at.y });
      dragging = true;
      svg.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    svg.addEventListener("pointermove", (event) => {
      if (!dragging) return;
      box.b = place(svg, event);
      draw();
    });
    svg.addEventListener("pointerup", () => { dragging = false; });
    const frame = svg.parentElement;
    frame.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && measuring) { toggle.click(); return; }
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
      if (!measuring || !step) return;
      event.preventDefault();
      if (!box || box.svg !== svg) {
        const view = svg.viewBox.baseVal;
        const x = view.width / 2, y = view.height / 2;
        begin(svg, { x: x, y: y }, { x: x, y: y });
      }
      // A tenth of a small square is what the eye can place.
      const leg = event.shiftKey ? box.a : box.b;
      leg.x += 10 * step[0];
      leg.y += 10 * step[1];
      draw();
    });
  }
  tools.hidden = false;
})();
