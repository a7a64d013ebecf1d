"use strict";

// Pointing at a chart of time reads its values; a press on a name in a legend hides and shows its series.
const NS_PER_MS = 1000000n;

function timeText(start, column, width) {
  const time = BigInt(start) + BigInt(Math.round(column * width));
  const day = new Date(Number(time / NS_PER_MS)).toISOString().slice(11, 23);
  return width < 1000000 ? `${day}${String(time % NS_PER_MS).padStart(6, "0")}` : day;
}

function valueText(low, high, digits) {
  const [from, to] = [low, high].map((value) => value.toLocaleString("en", {
    minimumFractionDigits: digits, maximumFractionDigits: digits,
  }));
  return from === to ? from : `${from} to ${to}`;
}

function readOut(chart) {
  const data = JSON.parse(chart.dataset.readout);
  const [left, top, right, bottom] = data.box;
  const hair = document.createElementNS("http://www.w3.org/2000/svg", "path");
  hair.setAttribute("class", "hair");
  chart.append(hair);
  const line = chart.closest("figure").querySelector(".readout");
  chart.addEventListener("pointermove", (event) => {
    const bounds = chart.getBoundingClientRect();
    const x = (event.clientX - bounds.left) / bounds.width * chart.viewBox.baseVal.width;
    if (x < left || x > right) return;
    const column = Math.min(data.columns - 1, Math.floor((x - left) / (right - left) * data.columns));
    hair.setAttribute("d", `M${x} ${top}V${bottom}`);
    const values = data.curves.filter((curve) => curve.low[column] !== null)
      .map((curve) => `${curve.name} ${valueText(curve.low[column], curve.high[column], data.digits)}`);
    line.textContent = [`${timeText(data.start, column, data.width)} UTC`, ...values].join("   ·   ");
  });
  chart.addEventListener("pointerleave", () => { hair.removeAttribute("d"); });
}

function toggle(button) {
  button.addEventListener("click", () => {
    const shown = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(shown));
    for (const part of button.closest("figure").querySelectorAll(`svg .${button.dataset.series}`)) {
      part.style.display = shown ? "" : "none";
    }
  });
}

document.querySelectorAll("svg[data-readout]").forEach(readOut);
document.querySelectorAll(".legend button").forEach(toggle);
