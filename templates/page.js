(() => {
  "use strict";
  const byId = (id) => document.getElementById(id);
  document.querySelectorAll(".copy").forEach((copy) => {
    copy.addEventListener("click", async () => {
      const text = byId(copy.dataset.text);
      let done = false;
      try {
        await navigator.clipboard.writeText(text.textContent);
        done = true;
      } catch {
        const details = text.closest("details");
        if (details) details.open = true;
        const range = document.createRange();
        range.selectNodeContents(text);
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        done = document.execCommand("copy");
      }
      copy.nextElementSibling.textContent = done ? "Copied." : "Selected: copy it with Ctrl+C.";
    });
  });
  addEventListener("beforeprint", () => document.querySelectorAll("#deliver details").forEach((d) => { d.open = true; }));

  const holder = byId("sounds");
  if (!holder) return;
  const sounds = JSON.parse(holder.textContent);
  const length = Math.max(...sounds.map((s) => s.seconds));
  const FADE_S = 0.01;
  let context = null;
  let loading = null;
  let running = [];
  let chosen = document.querySelector('input[name="sound"]:checked').value;
  let startedAt = 0;
  let offset = 0;
  let playing = false;
  const loop = { on: false, from: 0, to: length };
  const place = byId("place");
  place.max = length.toFixed(2);

  const say = (text) => { byId("status").textContent = text; };
  const sound = (id) => sounds.find((s) => s.id === id);
  const level = (id) => (byId("matched").checked ? Math.pow(10, sound(id).gain_db / 20) : 1);

  const partAt = (s, at) => s.parts.find((part) => at < part.to_s) || s.parts[s.parts.length - 1];
  const songTime = (s, at) => { const part = partAt(s, at); return part.song_s + Math.min(at, part.to_s) - part.from_s; };

  const words = (seconds) => {
    const tenths = Math.floor(seconds * 10 + 1e-6);
    return Math.floor(tenths / 600) + ":" + String(Math.floor(tenths / 10) % 60).padStart(2, "0") + "." + (tenths % 10);
  };

  function bytes(id) {
    const text = atob(byId("audio-" + id).textContent.trim());
    const array = new Uint8Array(text.length);
    for (let n = 0; n < text.length; n++) array[n] = text.charCodeAt(n);
    return array.buffer;
  }

  const nextFrame = () => new Promise((done) => setTimeout(done, 30));

  async function decode() {
    const player = byId("player");
    player.setAttribute("aria-busy", "true");
    for (const [n, s] of sounds.entries()) {
      const megabytes = (byId("audio-" + s.id).textContent.length * 0.75) / 1e6;
      say("Loading sound " + (n + 1) + " of " + sounds.length + " (" + megabytes.toFixed(1) + " MB)…");
      await nextFrame();
      s.buffer = await context.decodeAudioData(bytes(s.id));
    }
    player.removeAttribute("aria-busy");
    say("");
  }

  function load() {
    if (!loading) {
      context = new (window.AudioContext || window.webkitAudioContext)();
      loading = decode();
      loading.catch(() => {
        byId("player").removeAttribute("aria-busy");
        say("This browser cannot play the sounds of this page.");
        loading = null;
      });
    }
    return loading;
  }

  function currentTime() {
    if (!playing) return offset;
    const at = offset + Math.max(0, context.currentTime - startedAt);
    if (loop.on && offset < loop.to && at >= loop.to) return loop.from + ((at - loop.from) % (loop.to - loop.from));
    return Math.min(at, length);
  }

  function halt() {
    for (const r of running) {
      r.source.onended = null;
      const now = context.currentTime;
      r.gain.gain.cancelScheduledValues(now);
      r.gain.gain.setValueAtTime(r.gain.gain.value, now);
      r.gain.gain.linearRampToValueAtTime(0, now + FADE_S);
      r.source.stop(now + FADE_S);
    }
    running = [];
  }

  function start(at) {
    halt();
    if (at >= length - 0.05) at = 0;
    startedAt = context.currentTime + 0.03;
    offset = at;
    // All sounds run all the time, started at one moment; only their gains differ.
    for (const s of sounds) {
      const source = context.createBufferSource();
      const gain = context.createGain();
      source.buffer = s.buffer;
      source.loop = loop.on && loop.to <= s.buffer.duration + 0.1;
      source.loopStart = loop.from;
      source.loopEnd = Math.min(loop.to, s.buffer.duration);
      gain.gain.value = s.id === chosen ? level(s.id) : 0;
      source.connect(gain).connect(context.destination);
      source.start(startedAt, Math.min(at, s.buffer.duration));
      running.push({ id: s.id, source, gain, startedAt, offset: at });
    }
    const longest = running[sounds.findIndex((s) => s.seconds === length)];
    longest.source.onended = () => { if (playing) { playing = false; offset = 0; running = []; show(); } };
    playing = true;
    show();
  }

  async function play() {
    await load();
    await context.resume();
    start(currentTime());
  }

  function pause() {
    offset = currentTime();
    playing = false;
    halt();
    show();
  }

  function seek(at) {
    offset = Math.max(0, Math.min(at, length));
    if (playing) start(offset); else show();
  }

  function balance() {
    if (!context) return;
    const now = context.currentTime;
    for (const r of running) {
      r.gain.gain.cancelScheduledValues(now);
      r.gain.gain.setValueAtTime(r.gain.gain.value, now);
      r.gain.gain.linearRampToValueAtTime(r.id === chosen ? level(r.id) : 0, now + FADE_S);
    }
  }

  function choose(id) {
    chosen = id;
    document.querySelectorAll('input[name="sound"]').forEach((r) => { r.checked = r.value === id; });
    document.querySelectorAll(".wave").forEach((w) => { w.hidden = w.dataset.sound !== id; });
    balance();
    show();
  }

  function setLoop(on, from, to) {
    const at = currentTime();
    loop.on = on;
    if (on) { loop.from = Math.max(0, from); loop.to = Math.min(length, to); }
    if (playing) start(on && (at < loop.from || at >= loop.to) ? loop.from : at); else show();
  }

  let frame = 0;
  function show() {
    const at = currentTime();
    byId("play").textContent = playing ? "Pause" : "Play";
    byId("playhead").style.left = (100 * at) / length + "%";
    const time = words(songTime(sound(chosen), at));
    byId("clock").textContent = time;
    if (document.activeElement !== place || playing) place.value = at.toFixed(2);
    place.setAttribute("aria-valuetext", time);
    byId("loop").setAttribute("aria-pressed", String(loop.on));
    const region = byId("region");
    region.hidden = !loop.on;
    region.style.left = (100 * loop.from) / length + "%";
    region.style.width = (100 * (loop.to - loop.from)) / length + "%";
    cancelAnimationFrame(frame);
    if (playing) frame = requestAnimationFrame(show);
  }

  byId("play").addEventListener("click", () => (playing ? pause() : play()));
  // A place is played from its start; while the loop is on, it is what is looped.
  const goTo = (part) => {
    if (loop.on) { loop.from = part.from_s; loop.to = part.to_s; }
    seek(part.from_s);
  };
  document.querySelectorAll(".place").forEach((button) => button.addEventListener("click", () => {
    const parts = sound(chosen).parts;
    goTo(parts[Math.min(Number(button.dataset.part), parts.length - 1)]);
  }));
  byId("loop").addEventListener("click", () => {
    const part = partAt(sound(chosen), currentTime());
    setLoop(!loop.on, part.from_s, part.to_s);
  });
  for (const part of sounds[0].parts.slice(1)) {
    const edge = document.createElement("i");
    edge.style.left = (100 * part.from_s) / length + "%";
    byId("parts").append(edge);
  }
  byId("matched").addEventListener("change", balance);
  place.addEventListener("input", () => seek(Number(place.value)));
  document.querySelectorAll('input[name="sound"]').forEach((r) => r.addEventListener("change", () => choose(r.value)));

  const stage = byId("stage");
  const at = (event) => {
    const box = stage.getBoundingClientRect();
    return Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * length;
  };
  let from = null;
  stage.addEventListener("pointerdown", (event) => { from = at(event); stage.setPointerCapture(event.pointerId); });
  stage.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const to = at(event);
    if (Math.abs(to - from) > length / 50) setLoop(true, Math.min(from, to), Math.max(from, to));
    else seek(to);
    from = null;
  });
  stage.addEventListener("pointercancel", () => { from = null; });

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const inside = event.target instanceof Element && event.target.closest("button, a, summary, input, pre");
    if (event.key === " " && !inside) { event.preventDefault(); byId("play").click(); }
    const number = Number(event.key);
    if (number >= 1 && number <= sounds.length) choose(sounds[number - 1].id);
    if (event.key === "l" || event.key === "L") byId("loop").click();
  });

  show();
  // For whoever wants to drive the player from outside, as the tests do.
  window.goldmaster = {
    play, pause, seek, choose, setLoop, load,
    get currentTime() { return currentTime(); },
    get playing() { return playing; },
    get sound() { return chosen; },
    get running() { return running.map((r) => ({ id: r.id, gain: r.gain.gain.value, startedAt: r.startedAt, offset: r.offset })); },
    get buffers() { return sounds.map((s) => s.buffer); },
    get context() { return context; },
    gain: level,
  };
})();
