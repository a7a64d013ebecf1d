// Dragging over a chart of time magnifies what was chosen, in time on all of them; a double click shows all again.
const shown = { from: 0, to: 1 };
const LINES = 5;

function svgPart(name, attributes, content = "") {
  const part = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) part.setAttribute(key, value);
  part.textContent = content;
  return part;
}

function tickText(data, milliseconds) {
  const time = new Date(Number(BigInt(data.start) / 1000000n) + milliseconds).toISOString();
  return time.slice(11, (shown.to - shown.from) * data.span < 20000 ? 23 : 19);
}

function drawAxis(zoomed) {
  const { data, inner, still, axis } = zoomed;
  const whole = shown.from === 0 && shown.to === 1 && zoomed.top === 0 && zoomed.bottom === data.inner;
  still.style.display = whole ? "" : "none";
  axis.replaceChildren();
  if (whole) return;
  const box = ["x", "y", "width", "height"].map((name) => Number(inner.getAttribute(name)));
  for (let line = 0; line <= LINES; line += 1) {
    const x = box[0] + box[2] * line / LINES, y = box[1] + box[3] * line / LINES;
    const at = (shown.from + (shown.to - shown.from) * line / LINES) * data.span;
    const pixel = zoomed.top + (zoomed.bottom - zoomed.top) * line / LINES;
    const value = data.high - (data.high - data.low) * pixel / data.inner;
    axis.append(svgPart("path", { d: `M${x} ${box[1]}V${box[1] + box[3]}M${box[0]} ${y}H${box[0] + box[2]}` }));
    const anchor = line === LINES ? "end" : "middle";
    axis.append(svgPart("text", { x, y: box[1] + box[3] + 16, "text-anchor": anchor }, tickText(data, at)));
    const digits = { minimumFractionDigits: data.digits, maximumFractionDigits: data.digits };
    axis.append(svgPart("text", { x: box[0] - 8, y: y + 4, "text-anchor": "end" }, value.toLocaleString("en", digits)));
  }
}

function draw(zoomed) {
  const { data, inner } = zoomed;
  const width = (shown.to - shown.from) * data.span;
  inner.setAttribute("viewBox", `${shown.from * data.span} ${zoomed.top} ${width} ${zoomed.bottom - zoomed.top}`);
  drawAxis(zoomed);
}

const zoomedCharts = [...document.querySelectorAll("svg[data-zoom]")].map((chart) => {
  const data = JSON.parse(chart.dataset.zoom);
  const axis = svgPart("g", { class: "axis" });
  chart.prepend(axis);
  return { chart, data, axis, inner: chart.querySelector(".plot"), still: chart.querySelector(".axis:not(:empty)"),
    top: 0, bottom: data.inner };
});

function zoomBy(zoomed) {
  const { chart, inner } = zoomed;
  let start = null;
  const choice = svgPart("rect", { class: "choice" });
  const place = (event) => {
    const outer = chart.getBoundingClientRect(), scale = chart.viewBox.baseVal.width / outer.width;
    const [x, y, width, height] = ["x", "y", "width", "height"].map((name) => Number(inner.getAttribute(name)));
    const within = (value) => Math.min(1, Math.max(0, value));
    return [within(((event.clientX - outer.left) * scale - x) / width),
      within(((event.clientY - outer.top) * scale - y) / height), x, y, width, height];
  };
  chart.addEventListener("pointerdown", (event) => {
    start = place(event);
    chart.append(choice);
  });
  chart.addEventListener("pointermove", (event) => {
    if (!start) return;
    const [right, low, x, y, width, height] = place(event);
    choice.setAttribute("x", x + width * Math.min(right, start[0]));
    choice.setAttribute("y", y + height * Math.min(low, start[1]));
    choice.setAttribute("width", width * Math.abs(right - start[0]));
    choice.setAttribute("height", height * Math.abs(low - start[1]));
  });
  window.addEventListener("pointerup", (event) => {
    if (!start) return;
    const end = place(event), [left, right] = [start[0], end[0]].sort((a, b) => a - b);
    const [high, low] = [start[1], end[1]].sort((a, b) => a - b);
    start = null;
    choice.remove();
    for (const name of ["x", "y", "width", "height"]) choice.removeAttribute(name);
    if (right - left < 0.01) return;
    const span = shown.to - shown.from, tall = zoomed.bottom - zoomed.top;
    shown.to = shown.from + span * right;
    shown.from += span * left;
    if (low - high > 0.1) {
      zoomed.bottom = zoomed.top + tall * low;
      zoomed.top += tall * high;
    }
    zoomedCharts.forEach(draw);
  });
  chart.addEventListener("dblclick", () => {
    Object.assign(shown, { from: 0, to: 1 });
    for (const each of zoomedCharts) Object.assign(each, { top: 0, bottom: each.data.inner });
    zoomedCharts.forEach(draw);
  });
}

zoomedCharts.forEach(zoomBy);
