/* The pages work without this file. It keeps them fresh, draws charts, and adds keys. */
(function () {
  "use strict";
  var root = document.documentElement;
  var stored = null;
  try { stored = localStorage.getItem("theme"); } catch (e) { /* private window */ }
  if (stored === "light" || stored === "dark") { root.dataset.theme = stored; }
  root.dataset.script = "on";

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
  function same(part) {
    /* What a person sees as one and the same thing before and after: by its id, or by its kind, its target and its words. */
    var found = {};
    part.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]").forEach(function (item) {
      var name = item.id || [item.tagName, item.getAttribute("href"), item.name, item.textContent.trim().slice(0, 60)].join("|");
      (found[name] = found[name] || []).push(item);
    });
    return found;
  }
  function focus(part) {
    var at = document.activeElement, all = same(part);
    for (var name in all) { if (all[name].indexOf(at) >= 0) { return [name, all[name].indexOf(at)]; } }
    return null;
  }
  function replace(old, fresh) {
    var at = focus(old);
    var scrolled = Array.prototype.map.call(old.querySelectorAll(".scroll, pre"), function (item) { return [item.scrollLeft, item.scrollTop]; });
    old.querySelectorAll("details[id][open]").forEach(function (item) {
      var copy = fresh.querySelector("details[id='" + item.id + "']");
      if (copy) { copy.open = true; }
    });
    /* The element itself goes along: an answer that is still on its way finds it. */
    old.querySelectorAll("[data-keep]").forEach(function (item) {
      var copy = fresh.querySelector("[id='" + item.id + "']");
      if (copy) { copy.replaceWith(item); }
    });
    old.replaceWith(fresh);
    if (window.htmx) { htmx.process(fresh); }
    var scrolls = fresh.querySelectorAll(".scroll, pre");
    if (scrolls.length === scrolled.length) {
      scrolls.forEach(function (item, i) { item.scrollLeft = scrolled[i][0]; item.scrollTop = scrolled[i][1]; });
    }
    if (at) { var found = same(fresh)[at[0]]; if (found) { found[Math.min(at[1], found.length - 1)].focus({ preventScroll: true }); } }
    draw(true);
    reach();
  }
  var reading = false, again = false;
  function refresh(force) {
    var part = document.getElementById("live");
    var pill = document.getElementById("stale");
    if (!part) { return; }
    if (!force && busy(part)) { pending = true; pill.hidden = false; return; }
    if (reading) { again = true; return; }
    pending = again = false;
    pill.hidden = true;
    reading = true;
    fetch(location.href, { headers: { "HX-Request": "true" }, cache: "no-store" }).then(function (answer) {
      return answer.ok && !answer.redirected ? answer.text() : "";
    }).then(function (text) {
      var fresh = new DOMParser().parseFromString(text, "text/html").getElementById("live");
      var now = document.getElementById("live");
      if (!fresh) { say("off", "this page cannot be read any more: open it again"); return; }
      if (!force && busy(now)) { pending = true; pill.hidden = false; return; }
      replace(now, document.adoptNode(fresh));
      say("on", "live");
    }).catch(function () { say("off", "connection lost: what you see may be old"); }).then(function () {
      reading = false;
      if (again) { refresh(false); }
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
      var middle = function (u, at) { return at === null || at === undefined ? "" : short(u.data[lowest + 1][at]) + " to " + short(u.data[highest + 1][at]); };
      var highest = (spec.bands[0] || [])[0], lowest = (spec.bands[0] || [])[1];
      spec.series.forEach(function (item, at) {
        if (item.role === "band") {
          /* One line of the legend tells of both ends of the band. */
          series.push({ label: "expected", class: at === lowest ? "untold" : "band", stroke: "transparent", width: 1, points: { show: false }, value: function (u, v, i, place) { return middle(u, place); } });
          return;
        }
        var line = colour("--s" + ((at - (spec.bands && spec.bands.length ? 2 : 0) + 6) % 6 + 1));
        series.push({
          label: item.label, stroke: line, width: item.role === "average" ? 2.5 : 1.5,
          dash: item.role === "average" ? [6, 4] : undefined, spanGaps: false,
          points: { show: spec.x.length <= 40, size: 5, fill: line },
          value: function (u, v, at, place) { return place === null || place === undefined ? "" : short(v) + (spec.unit && v !== null ? " " + spec.unit : ""); }
        });
      });
      var bands = (spec.bands || []).map(function (pair) { return { series: [pair[0] + 1, pair[1] + 1], fill: colour("--accent-soft") }; });
      var newest = function (u) { u.setLegend({ idx: spec.x.length - 1 }, false); };
      var width = place.clientWidth || 600;
      var chart = new uPlot({
        hooks: { ready: [newest] },
        width: width, height: Math.max(200, Math.min(300, width * 0.42)), series: series, bands: bands,
        scales: { x: { time: dates }, y: spec.zero ? { range: function (u, low, high) { return [Math.min(0, low || 0), high > 0 ? high * 1.06 : 1]; } } : {} },
        tzDate: function (at) { return uPlot.tzDate(new Date(at * 1000), "UTC"); },
        axes: [Object.assign({}, axis, dates ? { values: function (u, at) { return at.map(day); }, space: 64 } : {}), Object.assign({ size: 58, values: function (u, at) { return at.map(short); } }, axis)],
        cursor: { points: { size: 7 } }, legend: { live: true, markers: { stroke: function (u, i) { var band = i > 0 && spec.series[i - 1].role === "band"; return band ? colour("--line-strong") : u.series[i].stroke && u.series[i].stroke.call ? u.series[i].stroke(u, i) : u.series[i].stroke; }, fill: function (u, i) { return i > 0 && spec.series[i - 1].role === "band" ? colour("--accent-soft") : "transparent"; } } }
      }, [spec.x].concat(spec.series.map(function (item) { return item.values; })), place);
      charts.push(chart);
      /* Where nobody points, the legend tells the newest values. */
      chart.over.addEventListener("mouseleave", function () { setTimeout(function () { newest(chart); }); });
    });
  }
  /* Paper is white: a chart is drawn anew in the colours of the day. */
  var before;
  window.addEventListener("beforeprint", function () { before = root.dataset.theme; root.dataset.theme = "light"; draw(true); });
  window.addEventListener("afterprint", function () { if (before) { root.dataset.theme = before; } else { delete root.dataset.theme; } draw(true); });
  var waiting = null;
  window.addEventListener("resize", function () { clearTimeout(waiting); waiting = setTimeout(function () { draw(true); reach(); }, 150); });

  /* What scrolls sideways can be reached and scrolled by keyboard. */
  function reach() {
    document.querySelectorAll(".scroll, pre, .prose table").forEach(function (part) {
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
  /* A choice by mouse is sent at once. By keyboard, arrows only look through the choices: Enter or the button sends. */
  var typed = null;
  document.addEventListener("pointerdown", function () { typed = null; });
  document.addEventListener("change", function (event) {
    if (!event.target.matches("[data-submit]")) { return; }
    if (typed === event.target) { event.target.form.dataset.changed = "yes"; } else { event.target.form.requestSubmit(); }
  });
  document.addEventListener("keydown", function (event) {
    if (!event.target.matches("[data-submit]") || event.key === "Tab") { return; }
    typed = event.target;
    if (event.key === "Enter") { event.preventDefault(); event.target.form.requestSubmit(); }
  });
  document.addEventListener("focusout", function () { if (pending) { setTimeout(function () { if (pending) { refresh(false); } }, 300); } });
  document.addEventListener("keydown", keys);
  document.addEventListener("htmx:afterSwap", function () { draw(false); reach(); });
  ready(function () { draw(false); reach(); listen(); });
})();
