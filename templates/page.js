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
  const player = new Player(show, length);
  let loading = null;
  const place = byId("place");
  place.max = length.toFixed(2);

  function say(text) { byId("status").textContent = text; }
  const sound = (id) => sounds.find((s) => s.id === id);
  const partAt = (s, at) => s.parts.find((part) => at < part.to_s) || s.parts[s.parts.length - 1];
  const songTime = (s, at) => { const part = partAt(s, at); return part.song_s + Math.min(at, part.to_s) - part.from_s; };

  function words(seconds) {
    const tenths = Math.floor(seconds * 10 + 1e-6);
    return Math.floor(tenths / 600) + ":" + String(Math.floor(tenths / 10) % 60).padStart(2, "0") + "." + (tenths % 10);
  }

  function bytes(id) {
    const text = atob(byId(id).textContent.trim());
    const array = new Uint8Array(text.length);
    for (let n = 0; n < text.length; n++) array[n] = text.charCodeAt(n);
    return array.buffer;
  }

  const nextFrame = () => new Promise((done) => setTimeout(done, 30));

  async function loadAll() {
    byId("player").setAttribute("aria-busy", "true");
    for (const [n, s] of sounds.entries()) {
      const id = "audio-" + s.id;
      const megabytes = (byId(id).textContent.length * 0.75) / 1e6;
      say("Loading sound " + (n + 1) + " of " + sounds.length + " (" + megabytes.toFixed(1) + " MB)…");
      await nextFrame();
      await player.load(s.id, id, s.lufs, bytes);
    }
    byId("player").removeAttribute("aria-busy");
    say("");
  }

  function load() {
    if (!loading) {
      loading = loadAll();
      loading.catch(() => {
        byId("player").removeAttribute("aria-busy");
        say("This browser cannot play the sounds of this page.");
        loading = null;
      });
    }
    return loading;
  }

  async function play() {
    await load();
    await player.play();
  }

  function choose(id) {
    player.choose(id);
    document.querySelectorAll('input[name="sound"]').forEach((r) => { r.checked = r.value === id; });
    document.querySelectorAll(".wave").forEach((w) => { w.hidden = w.dataset.sound !== id; });
  }

  let frame = 0;
  function show() {
    const at = player.currentTime;
    byId("play").textContent = player.playing ? "Pause" : "Play";
    byId("playhead").style.left = (100 * at) / length + "%";
    const time = words(songTime(sound(player.chosen), at));
    byId("clock").textContent = time;
    if (document.activeElement !== place || player.playing) place.value = at.toFixed(2);
    place.setAttribute("aria-valuetext", time);
    byId("loop").setAttribute("aria-pressed", String(player.loop !== null));
    const region = byId("region");
    region.hidden = !player.loop;
    if (player.loop) {
      region.style.left = (100 * player.loop.from) / length + "%";
      region.style.width = (100 * (player.loop.to - player.loop.from)) / length + "%";
    }
    cancelAnimationFrame(frame);
    if (player.playing) frame = requestAnimationFrame(show);
  }

  byId("play").addEventListener("click", () => (player.playing ? player.pause() : play()));
  // A place is played from its start; while the loop is on, it is what is looped.
  function goTo(part) {
    if (player.loop) player.repeat(part.from_s, part.to_s);
    player.seek(part.from_s);
  }
  document.querySelectorAll(".place").forEach((button) => button.addEventListener("click", () => {
    const { parts } = sound(player.chosen);
    goTo(parts[Math.min(Number(button.dataset.part), parts.length - 1)]);
  }));
  byId("loop").addEventListener("click", () => {
    const part = partAt(sound(player.chosen), player.currentTime);
    if (player.loop) player.repeat(); else player.repeat(part.from_s, part.to_s);
  });
  for (const part of sounds[0].parts.slice(1)) {
    const edge = document.createElement("i");
    edge.style.left = (100 * part.from_s) / length + "%";
    byId("parts").append(edge);
  }
  byId("matched").addEventListener("change", (event) => { player.matched = event.target.checked; });
  place.addEventListener("input", () => player.seek(Number(place.value)));
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
    if (Math.abs(to - from) > length / 50) player.repeat(Math.min(from, to), Math.max(from, to));
    else player.seek(to);
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

  choose(document.querySelector('input[name="sound"]:checked').value);
  // For whoever wants to drive the player from outside, as the tests do.
  window.goldmaster = { player, load };
})();
