/* The pages work without this file. It keeps them fresh, draws charts, and adds keys. */
(function () {
  "use strict";
  var root = document.documentElement;
  var stored = null;
  try { stored = localStorage.getItem("theme"); } catch (e) { /* private window */ }
  if (stored === "light" || stored === "dark") { root.dataset.theme = stored; }

  function ready(run) {
    if (document.readyState !== "loading") { run(); } else { document.addEventListener("DOMContentLoaded", run); }
  }

  function theme() {
    var dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    try { localStorage.setItem("theme", root.dataset.theme); } catch (e) { /* private window */ }
    draw(true);
  }

  /* ---- live: the server says that something changed, and the page fetches its live part again */
  var pending = false;
  function busy(part) {
    var at = document.activeElement;
    return at && part.contains(at) && /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName);
  }
  function opened(part) {
    return Array.prototype.map.call(part.querySelectorAll("details[id][open]"), function (item) { return item.id; });
  }
  function refresh(force) {
    var part = document.getElementById("live");
    var pill = document.getElementById("stale");
    if (!part || !window.htmx) { return; }
    if (!force && busy(part)) { pending = true; if (pill) { pill.hidden = false; } return; }
    pending = false;
    if (pill) { pill.hidden = true; }
    var open = opened(part);
    var kept = Array.prototype.map.call(part.querySelectorAll("[data-keep]"), function (item) { return [item.id, item.innerHTML]; });
    htmx.ajax("GET", location.href, { target: "#live", select: "#live", swap: "outerHTML" }).then(function () {
      open.forEach(function (id) { var item = document.getElementById(id); if (item) { item.open = true; } });
      kept.forEach(function (pair) { var item = document.getElementById(pair[0]); if (item && pair[1].trim() && !item.innerHTML.trim()) { item.innerHTML = pair[1]; } });
      draw(true);
    });
  }
  function say(state, words) {
    var sign = document.getElementById("connection");
    if (!sign) { return; }
    sign.dataset.state = state;
    sign.querySelector(".word").textContent = words;
  }
  function listen() {
    if (!document.getElementById("live") || !window.EventSource) { return; }
    var source = new EventSource("/live");
    var last = null;
    source.addEventListener("mark", function (event) {
      say("on", "live");
      if (last !== null && last !== event.data) { refresh(false); }
      last = event.data;
    });
    source.onerror = function () { say("off", "connection lost: what you see may be old"); };
    window.addEventListener("pagehide", function () { source.close(); });
  }

  /* ---- charts */
  var charts = [];
  function colour(name) {
    /* A canvas does not know light-dark(): an element is asked what it comes to. */
    var probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = "var(" + name + ")";
    var found = getComputedStyle(probe).color;
    probe.remove();
    return found;
  }
  function draw(again) {
    if (!window.uPlot) { return; }
    if (again) { charts.forEach(function (chart) { chart.destroy(); }); charts = []; }
    document.querySelectorAll(".chart[data-series]").forEach(function (place) {
      if (!again && place.dataset.drawn) { return; }
      place.dataset.drawn = "yes";
      var spec = JSON.parse(place.dataset.series);
      var dates = spec.x_kind === "date";
      var day = function (seconds) { var d = new Date(seconds * 1000); return d.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" }); };
      var short = function (value) {
        if (value === null || value === undefined) { return "unknown"; }
        var size = Math.abs(value);
        return size >= 1e9 ? (value / 1e9).toFixed(1) + " G" : size >= 1e6 ? (value / 1e6).toFixed(1) + " M" : size >= 1e4 ? (value / 1e3).toFixed(0) + " k" : String(+value.toPrecision(4));
      };
      var axis = { stroke: colour("--ink-3"), grid: { stroke: colour("--line"), width: 1 }, ticks: { stroke: colour("--line") }, font: "11px system-ui, sans-serif" };
      var series = [{ label: spec.x_label, value: function (u, v) { return v === null ? "" : dates ? day(v) : String(v); } }];
      spec.series.forEach(function (item, at) {
        var line = colour("--s" + ((at - (spec.bands && spec.bands.length ? 2 : 0) + 6) % 6 + 1));
        series.push({
          label: item.label, stroke: item.role === "band" ? "transparent" : line, width: item.role === "average" ? 2.5 : 1.5,
          dash: item.role === "average" ? [6, 4] : undefined, spanGaps: false,
          points: { show: item.role !== "band" && spec.x.length <= 40, size: 5, fill: line },
          value: function (u, v, at, place) { return place === null || place === undefined ? "" : short(v) + (spec.unit && v !== null ? " " + spec.unit : ""); }
        });
      });
      var bands = (spec.bands || []).map(function (pair) { return { series: [pair[0] + 1, pair[1] + 1], fill: colour("--accent-soft") }; });
      var width = place.clientWidth || 600;
      var chart = new uPlot({
        width: width, height: Math.max(200, Math.min(300, width * 0.42)), series: series, bands: bands,
        scales: { x: { time: dates }, y: spec.zero ? { range: function (u, low, high) { return [Math.min(0, low || 0), high > 0 ? high * 1.06 : 1]; } } : {} },
        tzDate: function (at) { return uPlot.tzDate(new Date(at * 1000), "UTC"); },
        axes: [Object.assign({}, axis, dates ? { values: function (u, at) { return at.map(day); }, space: 64 } : {}), Object.assign({ size: 58, values: function (u, at) { return at.map(short); } }, axis)],
        cursor: { points: { size: 7 } }, legend: { live: true }
      }, [spec.x].concat(spec.series.map(function (item) { return item.values; })), place);
      charts.push(chart);
    });
  }
  var waiting = null;
  window.addEventListener("resize", function () { clearTimeout(waiting); waiting = setTimeout(function () { draw(true); reach(); }, 150); });

  /* What scrolls sideways can be reached and scrolled by keyboard. */
  function reach() {
    document.querySelectorAll(".scroll, pre").forEach(function (part) {
      if (part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight) { part.tabIndex = 0; }
    });
  }

  /* ---- keys: g and a letter goes to a place, / searches, ? says which keys there are */
  var going = 0;
  function keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) { return; }
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName)) { return; }
    if (going && Date.now() - going < 1500) {
      going = 0;
      var place = document.querySelector('.side > .nav a[data-key="' + event.key + '"]');
      if (place) { location.href = place.href; }
      return;
    }
    if (event.key === "g") { going = Date.now(); return; }
    if (event.key === "/") { var box = document.querySelector('input[type="search"]'); if (box) { box.focus(); event.preventDefault(); } }
    if (event.key === "t") { theme(); }
    if (event.key === "r") { refresh(true); }
    if (event.key === "j" || event.key === "k") {
      var links = Array.prototype.slice.call(document.querySelectorAll("main [data-row]"));
      if (!links.length) { return; }
      var at = links.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1);
      links[Math.max(0, Math.min(links.length - 1, at))].focus();
    }
    if (event.key === "?") { var help = document.getElementById("keys"); if (help) { if (help.open) { help.close(); } else { help.showModal(); } } }
  }

  document.addEventListener("click", function (event) {
    var target = event.target.closest("[data-do]");
    if (!target) { return; }
    if (target.dataset.do === "theme") { theme(); }
    if (target.dataset.do === "refresh") { refresh(true); }
    if (target.dataset.do === "keys") { document.getElementById("keys").showModal(); }
    if (target.dataset.do === "close") { target.closest("dialog").close(); }
  });
  document.addEventListener("change", function (event) { if (event.target.matches("[data-submit]")) { event.target.form.submit(); } });
  document.addEventListener("focusout", function () { if (pending) { setTimeout(function () { if (pending) { refresh(false); } }, 300); } });
  document.addEventListener("keydown", keys);
  document.addEventListener("htmx:afterSwap", function () { draw(false); reach(); });
  ready(function () { draw(false); reach(); listen(); });
})();
