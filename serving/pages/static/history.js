// Draws every score of an account that has more of them than its page shows in a picture and a table.
(async () => {
  const place = document.getElementById("long-history");
  if (!place) return;
  const answer = await fetch(place.dataset.history, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const { scores } = await answer.json();
  if (scores.length <= Number(place.dataset.shown)) return;
  const column = (name) => scores.map((row) => row[name]);
  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const day = new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month: "short" });
  const axis = { stroke: colour("--soft"), grid: { stroke: colour("--line") }, ticks: { stroke: colour("--line") } };
  const end = { stroke: "transparent", points: { show: false } };
  const size = () => ({ width: place.clientWidth, height: 220 });
  const words = document.createElement("p");
  words.textContent = place.dataset.words;
  place.append(words);
  const plot = new uPlot(
    {
      ...size(),
      series: [{}, end, end, { stroke: colour("--mark"), width: 2 }],
      bands: [{ series: [1, 2], fill: colour("--band") }],
      axes: [{ ...axis, values: (_, moments) => moments.map((at) => day.format(at * 1000)) }, axis],
      legend: { show: false },
    },
    [scores.map((row) => Date.parse(row.as_of) / 1000), column("high"), column("low"), column("score")],
    place,
  );
  plot.root.setAttribute("role", "img");
  plot.root.setAttribute("aria-label", place.dataset.words);
  addEventListener("resize", () => plot.setSize(size()));
})();
